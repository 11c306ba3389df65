"""Entrances of risk."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.orders.events import OrderPaid
from tongzhou.rewards.events import RewardsHeld
from tongzhou.risk import commands


def on_order_paid(facts: Sequence[OrderPaid], at: datetime) -> None:
    """What a paid order shows of its buyer."""
    commands.observe_orders([f.order_id for f in facts], at=at)


def on_rewards_held(facts: Sequence[RewardsHeld], at: datetime) -> None:
    """Goods arrived: the first verdict on their rewards."""
    commands.assess([one for f in facts for one in f.reward_ids], at=at)
