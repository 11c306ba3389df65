"""Entrances of rewards."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.orders.events import OrderFact
from tongzhou.rewards import commands


def on_order_facts(facts: Sequence[OrderFact], at: datetime) -> None:
    """Paid, delivered, refunded: one way in for all of them."""
    commands.apply(facts, at=at)
