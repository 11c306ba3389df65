"""How people buy, for risk: each read is bounded by the orders of the people it is asked about."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Sum

from tongzhou.orders.models import Order, OrderLine, RefundRecord


def bought_through(buyer_ids: Sequence[UUID], since: datetime) -> dict[UUID, dict[UUID, tuple[int, int]]]:
    """buyer → sharer → (paid orders, goods in minor units) since a moment; orders without a sharer are left out."""
    out: dict[UUID, dict[UUID, tuple[int, int]]] = {}
    rows = Order.objects.filter(buyer_id__in=buyer_ids, paid_at__gte=since).exclude(sharer_id=None)
    for r in rows.values("buyer_id", "sharer_id").annotate(n=Count("id"), total=Sum("goods_minor")):
        if r["sharer_id"]:
            out.setdefault(r["buyer_id"], {})[r["sharer_id"]] = (r["n"], r["total"] or 0)
    return out


def delivered_lines(buyer_ids: Sequence[UUID], since: datetime) -> list[tuple[UUID, UUID | None, bool]]:
    """(buyer, leaf category, whether any of it was returned) of goods delivered since a moment."""
    rows = OrderLine.objects.filter(order__buyer_id__in=buyer_ids, kind="goods", delivered_at__gte=since)
    return list(_returned(rows.values_list("buyer_id", "category_ids", "refunded_minor").iterator()))


def all_delivered_lines(since: datetime) -> Iterator[tuple[UUID, UUID | None, bool]]:
    """The same of everybody, one by one: a nightly scatter."""
    rows = OrderLine.objects.filter(kind="goods", delivered_at__gte=since).order_by()
    return _returned(rows.values_list("buyer_id", "category_ids", "refunded_minor").iterator(chunk_size=2000))


def _returned(rows: Iterator[tuple[UUID, list[str], int]]) -> Iterator[tuple[UUID, UUID | None, bool]]:
    for buyer, categories, refunded in rows:
        yield buyer, UUID(categories[0]) if categories else None, refunded > 0


def refund_times(order_ids: Sequence[UUID]) -> list[tuple[UUID, datetime]]:
    """(order, when) of refunds, oldest first."""
    rows = RefundRecord.objects.filter(order_id__in=order_ids).order_by("at")
    return list(rows.values_list("order_id", "at"))
