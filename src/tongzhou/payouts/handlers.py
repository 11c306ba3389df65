"""Entrances of payouts."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.payouts import commands
from tongzhou.payouts.events import PayoutReleased


def send(facts: Sequence[PayoutReleased], at: datetime) -> None:
    """External: one payout at a time, outside any transaction."""
    for fact in facts:
        commands.send(fact.payout_id, at)
