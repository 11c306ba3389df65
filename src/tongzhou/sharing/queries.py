"""Reads of sharing: links with their funnel, touches, attributions."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Sum

from tongzhou.kit import clock, selects
from tongzhou.sharing.commands import as_value, link_value
from tongzhou.sharing.models import Attribution, LinkDay, ShareLink, Touch
from tongzhou.sharing.values import AttributionValue, Candidate, Funnel, LinkValue, TouchValue


def link(code: str) -> LinkValue | None:
    """A link by its code."""
    row = ShareLink.objects.filter(code=code.lower()).first()
    return link_value(row) if row else None


def link_by_id(link_id: UUID | None) -> LinkValue | None:
    """A link by its id; None for none."""
    row = selects.one(ShareLink, "t.id = %s", [link_id]) if link_id else None
    return link_value(row) if row else None


def candidates_of(order_ids: Iterable[UUID]) -> dict[UUID, list[Candidate]]:
    """Everybody who had a part in each order, as kept with it: to ask what another policy would have decided."""
    rows = Attribution.objects.filter(order_id__in=set(order_ids)).values_list("order_id", "candidates")
    return {
        order: [
            Candidate(
                c["kind"], UUID(c["sharer"]), datetime.fromisoformat(c["at"]), UUID(c["touch"]) if c["touch"] else None
            )
            for c in kept
        ]
        for order, kept in rows
    }


def words_of(link_id: UUID) -> str:
    """What the sharer says on a link."""
    row = selects.one(ShareLink, "t.id = %s", [link_id])
    return row.words if row else ""


def links_of(member_id: UUID, limit: int = 50) -> list[Funnel]:
    """A member's links, newest first, with what became of each."""
    rows = list(ShareLink.objects.filter(sharer_id=member_id).order_by("-at")[:limit])
    ids = [r.id for r in rows]
    views = dict(
        LinkDay.objects.filter(link_id__in=ids).values("link_id").annotate(n=Sum("views")).values_list("link_id", "n")
    )
    people = dict(
        Touch.objects.filter(link_id__in=ids)
        .values("link_id")
        .annotate(n=Count("visitor_id", distinct=True))
        .values_list("link_id", "n")
    )
    orders = dict(
        Attribution.objects.filter(link_id__in=ids)
        .values("link_id")
        .annotate(n=Count("id"))
        .values_list("link_id", "n")
    )
    return [
        Funnel(link_value(r), views.get(r.id, 0), people.get(r.id, 0),
               orders.get(r.id, 0))
        for r in rows
    ]  # fmt: skip


def attribution(order_id: UUID) -> AttributionValue | None:
    """Who earns from an order, and everybody who did not."""
    row = Attribution.objects.filter(order_id=order_id).first()
    return as_value(row) if row else None


def attributions(order_ids: Iterable[UUID]) -> dict[UUID, AttributionValue]:
    """The same for several orders."""
    return {row.order_id: as_value(row) for row in Attribution.objects.filter(order_id__in=set(order_ids))}


def touch(touch_id: UUID) -> TouchValue | None:
    """One touch."""
    row = Touch.objects.filter(id=touch_id).first()
    return TouchValue(row.id, row.link_id, row.sharer_id, row.product_id, row.at) if row else None


def latest_touch(visitor_id: UUID, *, since: datetime) -> TouchValue | None:
    """The newest touch of a browser since a moment: whom the page thanks."""
    row = selects.one(Touch, "t.visitor_id = %s AND t.at >= %s ORDER BY t.at DESC", [visitor_id, since])
    return TouchValue(row.id, row.link_id, row.sharer_id, row.product_id, row.at) if row else None


def first_touch(visitor_id: UUID, *, since: datetime) -> TouchValue | None:
    """The oldest touch of a browser since a moment: who invited whoever signs up now."""
    row = Touch.objects.filter(visitor_id=visitor_id, at__gte=since).order_by("at").first()
    return TouchValue(row.id, row.link_id, row.sharer_id, row.product_id, row.at) if row else None


def member_day(member_id: UUID, day_start: datetime) -> dict[str, int]:
    """One sharer's day: how often the links were opened, and orders attributed. Two queries."""
    links = ShareLink.objects.filter(sharer_id=member_id).values("id")
    opened = LinkDay.objects.filter(link_id__in=links, day=clock.mall_day(day_start)).aggregate(n=Sum("views"))["n"]
    won = Attribution.objects.filter(sharer_id=member_id, at__gte=day_start, at__lt=day_start + timedelta(days=1))
    return {"views": opened or 0, "orders": won.count()}


def day_totals(day_start: datetime) -> dict[str, int]:
    """Yesterday's or today's funnel of the whole mall: links made, views, visitors, orders."""
    end = day_start + timedelta(days=1)
    touches = Touch.objects.filter(at__gte=day_start, at__lt=end)
    return {
        "links": ShareLink.objects.filter(at__gte=day_start, at__lt=end).count(),
        "touches": touches.count(),
        "visitors": touches.aggregate(n=Count("visitor_id", distinct=True))["n"] or 0,
        "orders": Attribution.objects.filter(at__gte=day_start, at__lt=end).exclude(sharer_id=None).count(),
    }
