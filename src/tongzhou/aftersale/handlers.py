"""Entrances of after-sale."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.aftersale import commands
from tongzhou.payments.events import RefundSettled


def on_refund_settled(facts: Sequence[RefundSettled], at: datetime) -> None:
    """Money is back with the buyer."""
    for fact in facts:
        commands.money_back(reference=fact.reference, at=fact.happened_at)
