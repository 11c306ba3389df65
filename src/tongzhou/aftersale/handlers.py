"""Entrances of after-sale."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.aftersale import commands
from tongzhou.orders.events import OrderFact
from tongzhou.payments.events import RefundSettled


def on_refund_settled(facts: Sequence[RefundSettled], at: datetime) -> None:
    """Money is back with the buyer."""
    for fact in facts:
        commands.money_back(reference=fact.reference, at=fact.happened_at)


def on_lines_ended(facts: Sequence[OrderFact], at: datetime) -> None:
    """Lines were refunded or charged back: cases about lines with nothing left of them end."""
    ended = [
        line.line_id
        for fact in facts
        for line in fact.lines
        if line.disputed == "lost"
        or line.refunded_quantity >= line.quantity
        or line.refunded_minor >= line.amount_minor > 0
    ]
    if ended:
        commands.close_settled(line_ids=ended, at=at)
