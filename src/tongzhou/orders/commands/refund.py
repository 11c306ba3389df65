"""Refunds: of lines, in units or amounts, before delivery and after, to the cent.

1. The order's row is locked, so refunds of one order follow one another.
2. Each line's own limit is its row: ``refunded ≤ amount``, by conditional UPDATE and CHECK.
3. The cash cites its capture, whose ``reversed`` counter is a second limit over all lines.
4. The reference is written with it: the same again returns the first answer.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, outbox
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict, invalid
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.tenders import RefundParts, amount_for_units, refund_parts
from tongzhou.ledger.values import Leg, Move
from tongzhou.orders.commands.deliver import complete, gone, locked
from tongzhou.orders.events import LinesRefunded
from tongzhou.orders.models import Order, OrderLine, RefundRecord, Status
from tongzhou.orders.snapshots import fact
from tongzhou.orders.values import Refunded, RefundItem
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid


@transaction.atomic
def refund(
    *, order_id: UUID, items: Sequence[RefundItem], reference: str, by: Actor, at: datetime, reason: str = ""
) -> Refunded:  # fmt: skip
    """Give back what the items say, to where it came from.

    Freight goes back whole when the last goods line is cancelled before any delivery.
    *Refuses:* ``order_not_found``, ``order_not_paid``, ``line_not_found``, ``nothing_to_refund``,
    ``charged_back`` (the payer's bank has given the money back already),
    ``refund_exceeds_line`` (more money or units than are left of the line), ``refund_below_worth``
    (all units of an undelivered line are given up for less than is left of it).
    """
    payments.hold(order_id)  # before the order, as a notice takes them
    order, reference = locked(order_id), reference[:100]
    before = RefundRecord.objects.filter(order_id=order_id, reference=reference).first()
    if before:
        return Refunded(
            before.cash_minor, before.points_minor, before.credit_minor, before.freight_minor, repeated=True
        )
    if order.status not in (Status.PAID, Status.SHIPPED, Status.COMPLETED):
        raise conflict("order_not_paid", _("这个订单没有可退的付款。"), field="order", value=order.status)
    lines = list(OrderLine.objects.filter(order_id=order_id).order_by("position"))
    by_id = {line.id: line for line in lines}
    parts: list[tuple[OrderLine, RefundParts, int]] = []
    for item in items:
        line = by_id.get(item.line_id)
        if line is None or line.kind != "goods":
            raise invalid("line_not_found", _("订单里没有这一行。"), field="line", value=item.line_id)
        parts.append(refund_line(line, item))
    freight = _freight_back(lines)
    if freight:
        parts.append(refund_line(freight, RefundItem(freight.id, 1, freight.amount_minor - freight.refunded_minor)))
    done = Refunded(
        sum(p.cash for _l, p, _c in parts), sum(p.points for _l, p, _c in parts),
        sum(p.credit for _l, p, _c in parts), freight.amount_minor if freight else 0,
    )  # fmt: skip
    if not done.total_minor and not any(item.quantity for item in items):
        raise invalid("nothing_to_refund", _("没有可退的金额。"), field="amount", value=0)
    _book(order, parts, done, reference=reference, by=by, at=at)
    RefundRecord.objects.bulk_create(
        [
            RefundRecord(
                order_id=order_id, buyer_id=order.buyer_id, reference=reference, at=at, reason=reason[:200],
                cash_minor=done.cash_minor, points_minor=done.points_minor, credit_minor=done.credit_minor,
                freight_minor=done.freight_minor,
                items=[{"line": str(line.id), "amount": p.points + p.credit + p.cash} for line, p, _c in parts],
            )
        ]
    )  # fmt: skip
    end(order, lines, at)
    audit.record(
        by=by, action="order.refund", subject_kind="order", subject_id=order.no, at=at, reference=reference,
        cash_minor=done.cash_minor, reason=reason[:200],
    )  # fmt: skip
    outbox.publish(fact(LinesRefunded, order, lines, at), at=at)
    return done


def refund_line(line: OrderLine, item: RefundItem) -> tuple[OrderLine, RefundParts, int]:
    """Raise what is refunded of a line by conditional UPDATE; what each tender gets back, and the coupon."""
    if line.disputed == "lost":
        raise conflict(
            "charged_back", _("这笔付款已经被银行退回给买家，不能再退一次。"), field="line", value=line.sku_code,
            rule=_("拒付成立的付款不再退款"),
        )  # fmt: skip
    units_left = line.quantity - line.refunded_quantity
    if not 0 <= item.quantity <= units_left:
        raise conflict(
            "refund_exceeds_line", _("要退的数量超过了剩下的。"), field="quantity", value=item.quantity, rule=units_left
        )
    amount = item.amount_minor
    left = line.amount_minor - line.refunded_minor
    if amount is None:
        worth = amount_for_units(line.amount_minor, line.quantity, line.refunded_quantity, item.quantity)
        amount = min(worth, left)
    if not 0 <= amount <= left:
        raise conflict("refund_exceeds_line", _("要退的金额超过了剩下的。"), field="amount", value=amount, rule=left)
    after = line.refunded_minor + amount
    if line.delivered_at is None and item.quantity == units_left and after < line.amount_minor:
        raise conflict(
            "refund_below_worth", _("还没有收到的商品全部取消时，要退全款。"), field="amount", value=amount, rule=left,
            fix=_("退剩下的全部金额，或少取消几件。"),
        )  # fmt: skip
    part = refund_parts(
        line.amount_minor, line.points_minor, line.credit_minor, line.coupon_minor, line.refunded_minor, after
    )
    moved = OrderLine.objects.filter(
        id=line.id, refunded_minor=line.refunded_minor, refunded_quantity=line.refunded_quantity
    ).update(refunded_minor=after, refunded_quantity=line.refunded_quantity + item.quantity, version=F("version") + 1)
    if not moved:
        raise conflict("state_moved_on", _("这一行刚刚又退了一笔，请重试。"), retryable=True)
    line.refunded_minor, line.version = after, line.version + 1
    line.refunded_quantity += item.quantity
    return line, part, part.coupon


def _freight_back(lines: Sequence[OrderLine]) -> OrderLine | None:
    """The freight line when nothing was delivered and every goods line is gone now."""
    goods = [line for line in lines if line.kind == "goods"]
    if any(line.delivered_at for line in goods) or not all(gone(line) for line in goods):
        return None
    return next((line for line in lines if line.kind == "freight" and not gone(line)), None)


def _book(
    order: Order, parts: Sequence[tuple[OrderLine, RefundParts, int]], done: Refunded, *, reference: str, by: Actor,
    at: datetime,
) -> None:  # fmt: skip
    legs: list[Leg] = []
    captures = [(transfer, books.cited_room(transfer)) for _p, transfer in paid.capture_transfers(order.id)]
    for line, part, coupon in parts:
        delivered = line.delivered_at is not None
        revenue = "revenue.freight" if line.kind == "freight" else "revenue.goods"
        source = revenue if delivered else "deposit.orders"
        legs += _cash_legs(source, part.cash, captures)
        if part.points:
            legs.append(Move(source, "credit.points", part.points))
        if part.credit:
            legs.append(Move(source, "credit.store", part.credit))
        if coupon and delivered:
            legs.append(Move(source, "expense.campaign.coupon", coupon))
    if legs:
        ledger.post(
            book_id=order.buyer_id, book_kind=order.book_kind, kind="refund", reference=f"refund:{order.id}:{reference}"[:120],
            story_id=order.id, legs=legs, by=by, at=at,
        )  # fmt: skip
    if done.cash_minor:
        payments.request_refund(
            order_id=order.id, buyer_id=order.buyer_id, book_kind=order.book_kind, amount_minor=done.cash_minor,
            reference=reference, at=at,
        )  # fmt: skip


def _cash_legs(source: str, cash: int, captures: list[tuple[UUID, int]]) -> list[Leg]:
    """Cash back, citing the oldest capture with room first."""
    legs: list[Leg] = []
    for i, (transfer, room) in enumerate(captures):
        part = min(cash, room)
        if part:
            legs.append(Move(source, "refund.in_transit", part, cites=transfer))
            captures[i] = (transfer, room - part)
            cash -= part
    if cash:
        raise conflict("refund_exceeds_captures", _("退款超过了收到的钱。"), field="amount", value=cash)
    return legs


def end(order: Order, lines: Sequence[OrderLine], at: datetime) -> None:
    """Cancelled when all of it was given up before any delivery; complete when nothing is owed any more."""
    goods = [line for line in lines if line.kind == "goods"]
    if all(gone(line) and not line.delivered_at for line in goods):
        Order.objects.filter(id=order.id, status__in=[Status.PAID, Status.SHIPPED]).update(
            status=Status.CANCELLED, cancelled_at=at, cancel_reason="refunded"
        )
    else:
        complete(order, lines, at)
