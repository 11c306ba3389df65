"""Periodic work of payouts."""

from datetime import datetime

from tongzhou.payouts import commands


def query_sent(at: datetime) -> str:
    """Ask about payouts under way."""
    return f"{commands.query_sent(at=at)} payouts ended"
