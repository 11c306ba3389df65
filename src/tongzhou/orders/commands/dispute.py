"""Chargebacks in the books (money.md): opened, won, lost; each in one transaction with its lines and their facts.

1. Opened: what the bank took is owed to the mall (``receivable.dispute``) until somebody decides; its fee is spent.
2. Won: the reverse; refunds that waited are sent.
3. Lost: refunds still waiting are thereby paid; lines not delivered end as if refunded, their points and credit
   return; delivered lines are a loss, their revenue stands. No line earns anybody anything any more.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import commands as catalog
from tongzhou.kit import audit, idempotency, outbox
from tongzhou.kit.actor import Actor, provider
from tongzhou.kit.refusals import not_found
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.tenders import refund_parts
from tongzhou.ledger.values import Leg, Move
from tongzhou.orders.commands.deliver import gone, locked
from tongzhou.orders.commands.refund import end, refund_line
from tongzhou.orders.events import LinesDisputed
from tongzhou.orders.models import Order, OrderLine, RefundRecord
from tongzhou.orders.snapshots import fact
from tongzhou.orders.values import RefundItem, Settled
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.payments.values import DisputeTaken, Notice


@command()
def dispute(notice: Notice, *, at: datetime) -> Settled:
    """Take a verified notice of a chargeback in, once, in whatever order notices come.

    *Refuses:* ``trade_unknown``, and as ``payments.commands.take_dispute``.
    """
    known = paid.by_trade_no(notice.trade_no)
    if known is None:
        raise not_found(_("没有这笔付款。"), code="trade_unknown")
    payments.hold(known.order_id)  # before the order, as a notice of payment takes them
    order = locked(known.order_id)
    steps = payments.take_dispute(notice, book_kind=order.book_kind, at=at)
    for taken in steps:
        if taken.outcome != "repeated":
            _STEPS[taken.outcome](order, taken, at)
            audit.record(
                by=provider(taken.provider), action=f"dispute.{taken.outcome}", subject_kind="order", subject_id=order.no,
                at=at, dispute_no=taken.dispute_no, amount_minor=taken.amount_minor,
            )  # fmt: skip
    return Settled(order.id, steps[-1].outcome)


@command()
def note_refused(notice: Notice, *, code: str, at: datetime) -> None:
    """A bank's word that the books could not take is written in the trail of its order, once: a person has to look."""
    known = paid.by_trade_no(notice.trade_no)
    if known is None or not idempotency.take(f"refused:{notice.provider}:{notice.event_id}"[:200], at=at):
        return
    order = Order.objects.get(id=known.order_id)
    audit.record(
        by=provider(notice.provider), action="dispute.refused", subject_kind="order", subject_id=order.no, at=at, code=code,
        dispute_no=notice.dispute_no[:64], amount_minor=notice.amount_minor,
    )  # fmt: skip


def _opened(order: Order, taken: DisputeTaken, at: datetime) -> None:
    gateway = f"gateway.{taken.provider}"
    legs = [Move("receivable.dispute", gateway, taken.amount_minor)]
    if taken.fee_minor:
        legs.append(Move("expense.dispute", gateway, taken.fee_minor))
    _post(order, taken, legs, at)
    _mark(order, taken, "open", at)


def _won(order: Order, taken: DisputeTaken, at: datetime) -> None:
    gateway = f"gateway.{taken.provider}"
    legs = [Move(gateway, "receivable.dispute", taken.amount_minor)]
    if taken.fee_minor:
        legs.append(Move(gateway, "expense.dispute", taken.fee_minor))
    _post(order, taken, legs, at)
    _mark(order, taken, "", at)


def _lost(order: Order, taken: DisputeTaken, at: datetime) -> None:
    lines = list(OrderLine.objects.filter(order_id=order.id).order_by("position")) if taken.pays else []
    legs: list[Leg] = []
    if taken.waiting_minor:
        legs.append(Move("refund.in_transit", "receivable.dispute", taken.waiting_minor))
    undelivered = _give_up(order, lines, taken, legs, at)
    delivered = sum(_loss_of(line) for line in lines if line.delivered_at)
    if delivered:
        legs.append(Move("expense.dispute", "receivable.dispute", delivered, cites=taken.capture_transfer_id))
    rest = taken.amount_minor - taken.waiting_minor - undelivered - delivered
    unsettled = min(rest, taken.sent_minor)
    if rest - unsettled:  # a refund reached the buyer after the bank had taken the money: it came back twice
        legs.append(Move("expense.dispute", "receivable.dispute", rest - unsettled))
    payments.dispute_lost(
        dispute_id=taken.dispute_id, given_up_minor=undelivered + delivered, unsettled_minor=unsettled
    )
    if legs:
        _post(order, taken, legs, at)
    if lines:
        _mark(order, taken, "lost", at)
        end(order, lines, at)


def _fee(order: Order, taken: DisputeTaken, at: datetime) -> None:
    """The beginning was heard after its end: its fee is another than the end let assume."""
    gateway = f"gateway.{taken.provider}"
    more = taken.fee_minor
    leg = Move("expense.dispute", gateway, more) if more > 0 else Move(gateway, "expense.dispute", -more)
    _post(order, taken, [leg], at)


_STEPS = {"opened": _opened, "won": _won, "lost": _lost, "fee": _fee}


def _give_up(
    order: Order, lines: Sequence[OrderLine], taken: DisputeTaken, legs: list[Leg], at: datetime
) -> int:  # fmt: skip
    """End every line that was not delivered: its cash answers the chargeback, points and credit return, sound units
    are for sale again. Returns the cash, minor units."""
    cash, back, items = 0, [], []
    for line in lines:
        if line.delivered_at or gone(line):
            continue
        kept = line.quantity - line.refunded_quantity
        unsent = kept - min(kept, line.shipped_quantity)
        _line, part, _coupon = refund_line(line, RefundItem(line.id, kept, line.amount_minor - line.refunded_minor))
        cash += part.cash
        for account, amount in (("credit.points", part.points), ("credit.store", part.credit)):
            if amount:
                legs.append(Move("deposit.orders", account, amount))
        items.append({"line": str(line.id), "amount": part.points + part.credit + part.cash})
        if line.sku_id and unsent:
            back.append((line.sku_id, unsent))
    if cash:
        legs.append(Move("deposit.orders", "receivable.dispute", cash, cites=taken.capture_transfer_id))
    if items:
        RefundRecord.objects.create(
            order_id=order.id, buyer_id=order.buyer_id, reference=_reference(taken)[:100], items=items, cash_minor=cash,
            reason="dispute lost", at=at,
            points_minor=sum(m.amount for m in legs if isinstance(m, Move) and m.credit == "credit.points"),
            credit_minor=sum(m.amount for m in legs if isinstance(m, Move) and m.credit == "credit.store"),
        )  # fmt: skip
    if back:
        catalog.restock(
            quantities=back, reason=_reference(taken), by=provider(taken.provider), at=at, order_id=order.id
        )
    return cash


def _loss_of(line: OrderLine) -> int:
    """The cash that still stands of a delivered line: all of it is lost, though its revenue stands."""
    return refund_parts(
        line.amount_minor, line.points_minor, line.credit_minor, line.coupon_minor, line.refunded_minor, line.amount_minor
    ).cash  # fmt: skip


def _mark(order: Order, taken: DisputeTaken, state: str, at: datetime) -> None:
    """Say on the lines how it stands, and tell who earns from them."""
    if not taken.pays:
        return
    OrderLine.objects.filter(order_id=order.id, kind="goods").update(disputed=state, version=F("version") + 1)
    lines = list(OrderLine.objects.filter(order_id=order.id).order_by("position"))
    outbox.publish(fact(LinesDisputed, order, lines, at), at=at)


def _post(order: Order, taken: DisputeTaken, legs: Sequence[Leg], at: datetime) -> None:
    by: Actor = provider(taken.provider)
    ledger.post(
        book_id=order.buyer_id, book_kind=order.book_kind, kind=f"dispute_{taken.outcome}",
        reference=f"{_reference(taken)}:{taken.outcome}", story_id=order.id, legs=legs, by=by, at=at,
    )  # fmt: skip


def _reference(taken: DisputeTaken) -> str:
    return f"dispute:{taken.dispute_id.hex}"
