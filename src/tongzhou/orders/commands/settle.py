"""Settling: a verified notice becomes money in the books, a paid order, sold stock and a fact; all in one transaction.

What is not owed never becomes revenue: it stands in ``suspense.payments`` for the length of this
transaction and leaves for ``refund.in_transit`` by itself.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from tongzhou.catalog import commands as catalog
from tongzhou.kit import idempotency, outbox, selects
from tongzhou.kit.actor import Actor, provider
from tongzhou.kit.refusals import Refusal
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Leg, Move
from tongzhou.orders.commands.dispute import dispute
from tongzhou.orders.events import OrderPaid
from tongzhou.orders.models import Order, OrderLine, Status
from tongzhou.orders.snapshots import fact
from tongzhou.orders.values import Settled
from tongzhou.payments import commands as payments
from tongzhou.payments.values import Capture, Notice


@command()
def settle(notice: Notice, *, at: datetime) -> Settled:
    """Take a verified notice in, once.

    The right amount pays the order. More pays it and sends the rest back; less, a second payment, and
    a payment of a cancelled order go back whole. A repeat or an overtaken failure changes nothing. A notice
    of a chargeback goes its own way (:mod:`tongzhou.orders.commands.dispute`).
    *Refuses:* ``trade_unknown``, ``currency_mismatch``, ``amount_not_positive``.
    """
    if notice.about_dispute:
        return dispute(notice, at=at)
    by = provider(notice.provider)
    taken = payments.capture(notice, at=at)
    if (
        taken.repeated
    ):  # the payment's own state decides; only what moved no money needs its event's claim to be told apart
        event = f"event:{notice.provider}:{notice.event_id}"
        fresh = idempotency.take(event, at=at, input_hash=idempotency.digest([notice.trade_no, notice.outcome]))
        return Settled(taken.order_id, "failed" if notice.outcome != "succeeded" and fresh else "repeated")
    order, lines = _locked(taken.order_id)
    owed = order.total_minor if _take(order, taken, lines, at) else 0
    _book(order, taken, owed, by=by, at=at)
    rest = taken.amount_minor - owed
    if rest:
        payments.request_refund(
            order_id=order.id, buyer_id=order.buyer_id, amount_minor=rest, reference=f"excess:{taken.payment_id}",
            payment_id=taken.payment_id, reason="not owed", at=at,
        )  # fmt: skip
    if not owed:
        return Settled(order.id, "refunding", rest)
    order.status, order.paid_at = Status.PAID, at
    outbox.publish(fact(OrderPaid, order, lines, at), at=at)
    return Settled(order.id, "paid", rest)


def _locked(order_id: UUID) -> tuple[Order, list[OrderLine]]:
    """The order, locked, and its lines in one query. An order that is still open has lines nobody has changed."""
    lock = " FOR UPDATE OF o" if connection.vendor == "postgresql" else ""
    statement = (
        f"SELECT {selects.columns(Order, 'o')}, {selects.columns(OrderLine, 'l')} FROM orders_line l"  # noqa: S608
        f" JOIN orders_order o ON o.id = l.order_id WHERE l.order_id = %s ORDER BY l.position{lock}"
    )
    rows = selects.fetch(statement, [order_id])
    width = len(Order._meta.concrete_fields)
    return selects.build(Order, rows[0][:width]), [selects.build(OrderLine, row[width:]) for row in rows]


def _take(order: Order, taken: Capture, lines: Sequence[OrderLine], at: datetime) -> bool:
    """Whether this money pays the order: it is open, the amount suffices, and its goods are still there.

    An order whose hold ran out and whose goods somebody else bought meanwhile ends here; its money
    goes back by itself, and the notice is taken in all the same.
    """
    if order.status != Status.PLACED or taken.amount_minor < order.total_minor:
        return False
    if not Order.objects.filter(id=order.id, status=Status.PLACED).update(status=Status.PAID, paid_at=at):
        return False
    deals = {line.sku_id: line.unit_price_minor for line in lines if line.sku_id}
    try:
        catalog.commit(order.id, at, deals=deals)  # leaves nothing behind when it refuses
    except Refusal as refusal:
        if refusal.code != "out_of_stock":
            raise
        Order.objects.filter(id=order.id).update(
            status=Status.CANCELLED, paid_at=None, cancelled_at=at, cancel_reason="sold out before payment"
        )
        return False
    return True


def _book(order: Order, taken: Capture, owed: int, *, by: Actor, at: datetime) -> None:
    """Capture → deposit (what is owed) and → refund (what is not); the refund cites its capture."""
    gateway = f"gateway.{taken.provider}"
    exact = owed == taken.amount_minor
    into = "deposit.orders" if exact else "suspense.payments"
    ledger.post(
        book_id=order.buyer_id, book_kind=order.book_kind, kind="capture", reference=f"capture:{taken.payment_id}",
        story_id=order.id, legs=[Move(gateway, into, taken.amount_minor, id=taken.transfer_id)], by=by, at=at,
    )  # fmt: skip
    if exact:
        return
    legs: list[Leg] = [Move("suspense.payments", "deposit.orders", owed)] if owed else []
    legs.append(Move("suspense.payments", "refund.in_transit", taken.amount_minor - owed, cites=taken.transfer_id))
    ledger.post(
        book_id=order.buyer_id, book_kind=order.book_kind, kind="settle", reference=f"settle:{taken.payment_id}",
        story_id=order.id, legs=legs, by=by, at=at,
    )  # fmt: skip
