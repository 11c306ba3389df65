"""Periodic work of orders and of the payments they wait for."""

from datetime import datetime

from tongzhou.kit.refusals import Refusal
from tongzhou.orders import commands
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid


def expire_due(at: datetime) -> str:
    """End orders that were not paid in time."""
    return f"{commands.expire_due(at=at)} orders expired"


def pair_up(at: datetime) -> str:
    """Count what people buy together."""
    return f"{commands.pair_up(at=at)} pairs kept"


def query_pending(at: datetime) -> str:
    """Ask providers about payments whose notification has not come, and about refunds under way."""
    settled = 0
    for provider, trade_no in payments.pending(at):
        try:
            notice = paid.ask(provider, trade_no)
        except Refusal as refusal:
            if not refusal.retryable:
                raise
            continue
        if notice is not None:
            commands.settle(notice, at=at)
            settled += 1
    for refund_id in payments.open_refunds(at):
        payments.send_refund(refund_id, at)
    return f"{settled} payments settled by asking"
