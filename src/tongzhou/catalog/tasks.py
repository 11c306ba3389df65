"""Periodic jobs of catalog."""

from datetime import datetime

from tongzhou.catalog import commands


def release_expired(at: datetime) -> str:
    """Give back stock that orders held and did not pay for in time."""
    return f"{commands.release_expired(at=at)} orders' holds released"


def reindex_due(at: datetime) -> str:
    """After an upgrade or a renamed shelf, write the search index anew, some of it each minute."""
    return f"{commands.reindex_due(at=at)} entries written"
