"""Entrances of payments."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.payments import commands
from tongzhou.payments.events import RefundRequested


def send_refund(facts: Sequence[RefundRequested], at: datetime) -> None:
    """External: one refund at a time, outside any transaction."""
    for fact in facts:
        commands.send_refund(fact.refund_id, at)
