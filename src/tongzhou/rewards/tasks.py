"""Periodic work of rewards."""

from datetime import datetime

from tongzhou.rewards import commands


def mature_due(at: datetime) -> str:
    """Make available what has waited out its window."""
    return f"{commands.mature_due(at=at)} rewards matured"
