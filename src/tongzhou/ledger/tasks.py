"""Nightly work of the books."""

from datetime import datetime, timedelta

from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.ledger import commands, queries


def nightly(at: datetime) -> str:
    """Seal the days that ended more than three hours ago."""
    through = clock.mall_day(at - timedelta(hours=3)) - timedelta(days=1)
    return f"{len(commands.seal(through=through, by=SYSTEM, at=at))} days sealed"


def nightly_proof(at: datetime) -> str:
    """Prove the books once a day, after the day before was sealed."""
    last = queries.last_proof()
    if last and clock.mall_day(last.at) == clock.mall_day(at):
        return "proved today already"
    if clock.mall_day(at - timedelta(hours=3)) != clock.mall_day(at):
        return "waits until yesterday is sealed"
    found = commands.prove(by=SYSTEM, at=at)
    return f"{found.transfers} transfers, " + ("every check holds" if found.ok else f"{len(found.problems)} problems")
