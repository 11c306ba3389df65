"""Periodic work of rewards."""

from datetime import datetime

from tongzhou.rewards import commands, monitors


def mature_due(at: datetime) -> str:
    """Make available what has waited out its window."""
    return f"{commands.mature_due(at=at)} rewards matured"


def watch(at: datetime) -> str:
    """Look at the nights nobody has looked at."""
    return f"{monitors.catch_up(at)} nights looked at"
