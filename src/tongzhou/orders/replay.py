"""Paid orders of a period as a stream, in the order they were paid: for replays of plans and nightly figures.

Only one chunk of orders is in memory at a time, however long the period is.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import F, Sum

from tongzhou.orders.models import Order, OrderLine, RefundRecord
from tongzhou.orders.values import PartRefund, SoldLine, SoldOrder

CHUNK = 500
_ORDER = (
    "id", "buyer_id", "book_kind", "sharer_id", "plan_version_id", "touched_plan_version_id", "touched_at", "placed_at",
    "paid_at",
)  # fmt: skip
_LINE = (
    "order_id", "id", "sku_code", "product_slug", "category_ids", "amount_minor", "points_minor", "unit_list_minor",
    "quantity", "cost_minor", "refunded_minor",
)  # fmt: skip


def paid_between(since: datetime, until: datetime) -> Iterator[SoldOrder]:
    """Orders paid in [since, until), oldest first, with their goods lines; a declared scatter."""
    rows = Order.objects.filter(paid_at__gte=since, paid_at__lt=until).order_by("paid_at", "placed_at", "id")
    chunk: list[tuple[object, ...]] = []
    for row in rows.values_list(*_ORDER).iterator(chunk_size=CHUNK):
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield from _with_lines(chunk)
            chunk = []
    yield from _with_lines(chunk)


def _with_lines(chunk: list[tuple[object, ...]]) -> Iterator[SoldOrder]:
    lines: dict[object, list[SoldLine]] = {row[0]: [] for row in chunk}
    found = OrderLine.objects.filter(order_id__in=list(lines), kind="goods").order_by("order_id", "position")
    for order, key, sku, slug, categories, amount, points, unit, quantity, cost, refunded in found.values_list(*_LINE):
        kinds = tuple(UUID(c) for c in categories)
        lines[order].append(SoldLine(key, sku, slug, kinds, amount, points, unit * quantity, cost, refunded))
    for row in chunk:
        head = (row[0], row[1], row[2] != "member", *row[3:])
        yield SoldOrder(*head, tuple(lines[row[0]]))  # type: ignore[arg-type, call-arg]


def refunded_between(since: datetime, until: datetime) -> Iterator[PartRefund]:
    """What was refunded of which line in [since, until), oldest first. Imported refunds name no lines."""
    rows = RefundRecord.objects.filter(at__gte=since, at__lt=until).order_by("at", "id")
    for at, items in rows.values_list("at", "items").iterator(chunk_size=CHUNK):
        for item in items:
            yield PartRefund(at, UUID(item["line"]), item["amount"])


def sharers_between(since: datetime, until: datetime) -> set[UUID]:
    """Everybody an order paid in [since, until) was attributed to."""
    rows = Order.objects.filter(paid_at__gte=since, paid_at__lt=until).exclude(sharer_id=None)
    return {who for who in rows.values_list("sharer_id", flat=True).distinct().iterator() if who is not None}


def bought_between(since: datetime, until: datetime) -> Iterator[tuple[UUID, int]]:
    """(buyer, what was paid for goods and not given back) of the orders paid in [since, until); summed by the database."""
    rows = OrderLine.objects.filter(kind="goods", order__paid_at__gte=since, order__paid_at__lt=until)
    net = Sum(F("amount_minor") - F("points_minor") - F("refunded_minor"))
    return rows.values("buyer_id").annotate(n=net).values_list("buyer_id", "n").order_by().iterator(chunk_size=1000)


def paid_count(since: datetime, until: datetime, most: int) -> int:
    """How many orders were paid in [since, until), counted to ``most``."""
    return Order.objects.filter(paid_at__gte=since, paid_at__lt=until).order_by()[:most].count()
