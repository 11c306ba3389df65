"""Orders as facts."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from tongzhou.orders.events import LineSnapshot, OrderFact
from tongzhou.orders.models import Order, OrderLine

T = TypeVar("T", bound=OrderFact)


def snapshot(line: OrderLine) -> LineSnapshot:
    """One goods line as it stands. Its cost and list amounts are for the whole line."""
    if line.sku_id is None or line.product_id is None or line.supplier_id is None:
        raise ValueError("only goods lines have snapshots")
    return LineSnapshot(
        line.id, line.sku_id, line.sku_code, line.product_id, line.product_slug, line.supplier_id,
        tuple(UUID(c) for c in line.category_ids), line.quantity, line.amount_minor, line.points_minor,
        line.credit_minor, line.coupon_minor, line.unit_list_minor * line.quantity, line.cost_minor,
        line.refunded_minor, line.refunded_quantity, line.delivered_at, line.version,
        line.disputed,
    )  # fmt: skip


def fact(kind: type[T], order: Order, lines: Iterable[OrderLine], happened_at: datetime) -> T:
    """A fact of an order with the snapshot of all its goods lines."""
    return kind(
        order.id, order.no, order.buyer_id, order.sharer_id, order.attribution_id, order.plan_version_id,
        order.touched_plan_version_id, order.touched_at, order.placed_at, happened_at,
        tuple(snapshot(line) for line in lines if line.kind == "goods"),
    )  # fmt: skip
