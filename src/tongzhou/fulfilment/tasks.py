"""Periodic work of fulfilment."""

from datetime import datetime

from tongzhou.fulfilment import commands


def receive_due(at: datetime) -> str:
    """Confirm what was shipped ten days ago."""
    return f"{commands.receive_due(at=at)} orders received by time"
