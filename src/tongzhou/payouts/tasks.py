"""Periodic work of payouts."""

from datetime import datetime

from tongzhou.payouts import commands


def query_sent(at: datetime) -> str:
    """Ask about payouts under way."""
    return f"{commands.query_sent(at=at)} payouts ended"


def query_paid(at: datetime) -> str:
    """Ask whether what was paid came back."""
    return f"{commands.query_paid(at=at)} payouts returned"


def book_remittances(at: datetime) -> str:
    """Book what was confirmed to the tax office."""
    return f"{commands.book_remittances(at=at)} books remitted"
