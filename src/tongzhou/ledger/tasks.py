"""Nightly work of the books."""

from datetime import datetime, timedelta

from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.ledger import commands


def nightly(at: datetime) -> str:
    """Seal the days that ended more than three hours ago."""
    through = clock.mall_day(at - timedelta(hours=3)) - timedelta(days=1)
    return f"{len(commands.seal(through=through, by=SYSTEM, at=at))} days sealed"
