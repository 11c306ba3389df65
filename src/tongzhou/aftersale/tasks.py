"""Periodic work of after-sale."""

from datetime import datetime

from tongzhou.aftersale import commands


def time_out(at: datetime) -> str:
    """Let silence decide."""
    approved, withdrawn = commands.time_out(at=at)
    return f"{approved} approved, {withdrawn} withdrawn by time"
