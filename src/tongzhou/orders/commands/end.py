"""Orders that end without delivery."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import commands as catalog
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict
from tongzhou.orders.commands.deliver import locked
from tongzhou.orders.commands.refund import refund
from tongzhou.orders.models import Order, OrderLine, Status
from tongzhou.orders.values import RefundItem
from tongzhou.payments import commands as payments


@transaction.atomic
def cancel(*, order_id: UUID, by: Actor, at: datetime, reason: str = "", buyer_id: UUID | None = None) -> int:
    """End an order that was not shipped: unpaid, its stock is given back; paid, everything is refunded.

    Returns the cash on its way back. *Refuses:* ``order_not_found``, ``order_not_cancellable``.
    """
    payments.hold(order_id)  # payments before their order, as a notice takes them
    payments.close(order_ids=[order_id], at=at)
    order = locked(order_id)
    if buyer_id is not None and order.buyer_id != buyer_id:
        raise conflict("order_not_cancellable", _("这个订单不能取消。"))
    if order.status == Status.PLACED:
        Order.objects.filter(id=order_id, status=Status.PLACED).update(
            status=Status.CANCELLED, cancelled_at=at, cancel_reason=reason[:100]
        )
        catalog.release([order_id], at)
        audit.record(
            by=by, action="order.cancel", subject_kind="order", subject_id=order.no, at=at, reason=reason[:100]
        )
        return 0
    lines = list(OrderLine.objects.filter(order_id=order_id, kind="goods"))
    if order.status != Status.PAID or any(line.shipped_quantity for line in lines):
        raise conflict(
            "order_not_cancellable", _("已经发货的订单不能直接取消。"), field="order", value=order.status,
            fix=_("收到后可以申请退货退款。"),
        )  # fmt: skip
    items = [
        RefundItem(line.id, line.quantity - line.refunded_quantity, line.amount_minor - line.refunded_minor)
        for line in lines
        if line.refunded_quantity < line.quantity
    ]
    done = refund(order_id=order_id, items=items, reference="cancel", by=by, at=at, reason=reason)
    catalog.restock(
        quantities=[(line.sku_id, item.quantity) for line in lines for item in items if item.line_id == line.id and line.sku_id],
        reason=f"cancel:{order.no}", by=by, at=at, order_id=order_id,
    )  # fmt: skip
    return done.cash_minor


def expire_due(*, at: datetime, most: int = 200) -> int:
    """End orders that were not paid in time, each in its own transaction; returns how many ended."""
    due = Order.objects.filter(status=Status.PLACED, expires_at__lte=at).order_by("expires_at")
    ended = 0
    for order_id in list(due.values_list("id", flat=True)[:most]):
        with transaction.atomic():
            payments.close(order_ids=[order_id], at=at)
            if not Order.objects.filter(id=order_id, status=Status.PLACED).update(
                status=Status.CANCELLED, cancelled_at=at, cancel_reason="not paid in time"
            ):
                continue  # paid meanwhile
            ended += 1
            catalog.release([order_id], at)
    return ended
