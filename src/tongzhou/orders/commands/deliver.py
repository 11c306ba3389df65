"""Shipping and delivery: revenue is earned when the goods are with the buyer, not before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import outbox
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict, not_found
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Leg, Move
from tongzhou.orders.events import LinesDelivered
from tongzhou.orders.models import Order, OrderLine, Status
from tongzhou.orders.snapshots import fact


def locked(order_id: UUID) -> Order:
    """The order's row, held until the end of the transaction: every change of its lines goes through here.

    *Refuses:* ``order_not_found``.
    """
    rows = Order.objects.filter(id=order_id)
    order = (rows.select_for_update() if connection.vendor == "postgresql" else rows).first()
    if order is None:
        raise not_found(_("没有这个订单。"), code="order_not_found")
    return order


@transaction.atomic
def mark_shipped(*, order_id: UUID, quantities: Mapping[UUID, int], by: Actor, at: datetime) -> None:
    """Count units as shipped, per line. *Refuses:* ``order_not_shippable``, ``order_disputed``, ``already_shipped``."""
    order = locked(order_id)
    if OrderLine.objects.filter(order_id=order_id, disputed="open").exists():
        raise conflict(
            "order_disputed", _("买家的银行正在核实这笔付款，先不要发货。"), field="order", value=order.no,
            fix=_("等拒付有了结果再发。"),
        )  # fmt: skip
    if order.status not in (Status.PAID, Status.SHIPPED):
        raise conflict("order_not_shippable", _("这个订单现在不能发货。"), field="order", value=order.status)
    for line_id, units in sorted(quantities.items()):
        done = OrderLine.objects.filter(
            id=line_id, order_id=order_id, kind="goods", delivered_at=None,
            quantity__gte=F("shipped_quantity") + F("refunded_quantity") + units,
        ).update(shipped_quantity=F("shipped_quantity") + units)  # fmt: skip
        if units <= 0 or not done:
            raise conflict("already_shipped", _("这些商品已经发过货，或已经退款。"), field="lines", value=units)
    Order.objects.filter(id=order_id, status=Status.PAID).update(status=Status.SHIPPED, shipped_at=at)


@transaction.atomic
def deliver(*, order_id: UUID, line_ids: Sequence[UUID] | None = None, by: Actor, at: datetime) -> int:
    """Lines reached the buyer: deposits become revenue, the freight with the first of them.

    ``line_ids`` None means every line not delivered yet. Lines delivered before, or refunded whole,
    are passed over; returns how many were delivered now. *Refuses:* ``order_not_found``,
    ``order_not_paid``.
    """
    order = locked(order_id)
    if order.status not in (Status.PAID, Status.SHIPPED, Status.COMPLETED):
        raise conflict("order_not_paid", _("没有付款的订单不能收货。"), field="order", value=order.status)
    lines = list(OrderLine.objects.filter(order_id=order_id).order_by("position"))
    now = [
        line for line in lines
        if line.kind == "goods" and line.delivered_at is None and (line_ids is None or line.id in line_ids)
        and not gone(line)
    ]  # fmt: skip
    if not now:
        complete(order, lines, at)
        return 0
    freight = [line for line in lines if line.kind == "freight" and line.delivered_at is None and not gone(line)]
    _earn(order, now, freight, by=by, at=at)
    ids = [line.id for line in (*now, *freight)]
    OrderLine.objects.filter(id__in=ids, delivered_at=None).update(delivered_at=at, version=F("version") + 1)
    for line in (*now, *freight):
        line.delivered_at, line.version = at, line.version + 1
    complete(order, lines, at)
    outbox.publish(fact(LinesDelivered, order, lines, at), at=at)
    return len(now)


def gone(line: OrderLine) -> bool:
    """Refunded whole: nothing of it is owed any more, neither way.

    Goods that were sent and then given away (all of their money back, the units the buyer's) still arrive: their
    supplier is owed for them.
    """
    return line.refunded_quantity >= line.quantity or (
        line.refunded_minor >= line.amount_minor > 0 and not line.shipped_quantity
    )


def earning_legs(line: OrderLine) -> list[Leg]:
    """What a line earns on delivery: what still stands of its deposit, and its coupon as campaign expense."""
    account = "revenue.freight" if line.kind == "freight" else "revenue.goods"
    legs: list[Leg] = []
    standing = line.amount_minor - line.refunded_minor
    if standing:
        legs.append(Move("deposit.orders", account, standing))
    coupon = line.coupon_minor - (
        line.coupon_minor * line.refunded_minor // line.amount_minor if line.amount_minor else 0
    )
    if coupon:
        legs.append(Move("expense.campaign.coupon", account, coupon))
    return legs


def _earn(order: Order, lines: Sequence[OrderLine], freight: Sequence[OrderLine], *, by: Actor, at: datetime) -> None:
    legs = [leg for line in (*lines, *freight) for leg in earning_legs(line)]
    if legs:
        ledger.post(
            book_id=order.buyer_id, book_kind=order.book_kind, kind="delivered", story_id=order.id, legs=legs, by=by,
            reference="delivered:" + min(str(line.id) for line in lines), at=at,
        )  # fmt: skip


def complete(order: Order, lines: Sequence[OrderLine], at: datetime) -> None:
    """The order is complete when every goods line is delivered or refunded whole."""
    if all(line.delivered_at or gone(line) for line in lines if line.kind == "goods"):
        Order.objects.filter(id=order.id, status__in=[Status.PAID, Status.SHIPPED]).update(
            status=Status.COMPLETED, completed_at=at
        )
