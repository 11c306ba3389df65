"""Reads of sharing: links with their funnel, touches, attributions."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate

from tongzhou.kit import clock, selects
from tongzhou.sharing.commands import as_value, link_value
from tongzhou.sharing.models import Attribution, FunnelMark, LinkDay, ShareLink, Touch
from tongzhou.sharing.values import (
    AttributionValue,
    Candidate,
    Funnel,
    FunnelDay,
    FunnelOf,
    LinkValue,
    TouchValue,
)

MOST_LED = 5_000  # orders of the links asked about that are named one by one; beyond them they are only counted


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


def links_of(
    member_id: UUID, *, since: datetime | None = None, before: UUID | None = None, limit: int = 50
) -> list[Funnel]:  # fmt: skip
    """A member's links, newest first, keyset-paged by id, with what became of each (since a moment). Four queries."""
    rows = ShareLink.objects.filter(sharer_id=member_id).order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    return _funnels(list(rows[:limit]), since, None)


def link_funnel(row: LinkValue, *, since: datetime) -> Funnel:
    """One link since a moment."""
    return _funnels([row], since, None)[0]


def _funnels(links: Sequence[ShareLink | LinkValue], since: datetime | None, until: datetime | None) -> list[Funnel]:
    """Links with their steps in a window; a person who came on two days is one visitor here."""
    ids = [x.id for x in links]
    days, marks = LinkDay.objects.filter(link_id__in=ids), FunnelMark.objects.filter(link_id__in=ids, kind="visit")
    won = Attribution.objects.filter(link_id__in=ids)
    if since:
        first = clock.mall_day(since)
        days, marks, won = days.filter(day__gte=first), marks.filter(day__gte=first), won.filter(at__gte=since)
    if until:
        days, marks = days.filter(day__lt=clock.mall_day(until)), marks.filter(day__lt=clock.mall_day(until))
        won = won.filter(at__lt=until)
    summed = {r["link_id"]: r for r in days.values("link_id").annotate(v=Sum("views"), c=Sum("carts"), b=Sum("bots"))}
    people = dict(marks.values("link_id").annotate(n=Count("visitor_id", distinct=True)).values_list("link_id", "n"))
    led: dict[UUID, list[UUID]] = {}
    newest = list(won.order_by("-at").values_list("link_id", "order_id")[: MOST_LED + 1])
    for link_id, order_id in newest[:MOST_LED]:
        if link_id:
            led.setdefault(link_id, []).append(order_id)
    orders = {x: len(found) for x, found in led.items()}
    if len(newest) > MOST_LED:
        orders = {r["link_id"]: r["n"] for r in won.values("link_id").annotate(n=Count("id")) if r["link_id"]}
    none = {"v": 0, "c": 0, "b": 0}
    return [
        Funnel(d["v"], people.get(x.id, 0), d["c"], orders.get(x.id, 0), d["b"],
               link_value(x) if isinstance(x, ShareLink) else x, tuple(led.get(x.id, ())))
        for x, d in ((x, summed.get(x.id, none)) for x in links)
    ]  # fmt: skip


def link_days(link_id: UUID, *, since: datetime) -> list[FunnelDay]:
    """One link's days since a moment, newest first; days on which nothing happened are left out. Two queries."""
    return _days(LinkDay.objects.filter(link_id=link_id), Attribution.objects.filter(link_id=link_id), since, None)


def mall_days(since: datetime, until: datetime) -> list[FunnelDay]:
    """The whole mall's days in [since, until), newest first. Two queries; a declared scatter over a few weeks."""
    return _days(LinkDay.objects.all(), Attribution.objects.exclude(sharer_id=None), since, until)


def _days(
    days: "QuerySet[LinkDay]", won: "QuerySet[Attribution]", since: datetime, until: datetime | None
) -> list[FunnelDay]:
    days, won = days.filter(day__gte=clock.mall_day(since)), won.filter(at__gte=since)
    if until:
        days, won = days.filter(day__lt=clock.mall_day(until)), won.filter(at__lt=until)
    seen = {
        r["day"]: r
        for r in days.values("day").annotate(v=Sum("views"), p=Sum("visitors"), c=Sum("carts"), b=Sum("bots"))
    }
    told = won.annotate(on=TruncDate("at", tzinfo=clock.mall_zone())).values("on").annotate(n=Count("id"))
    orders: dict[date, int] = {r["on"]: r["n"] for r in told}
    none = {"v": 0, "p": 0, "c": 0, "b": 0}
    return [
        FunnelDay(d["v"], d["p"], d["c"], orders.get(day, 0), d["b"], day)
        for day, d in ((day, seen.get(day, none)) for day in sorted({*seen, *orders}, reverse=True))
    ]


def top_links(since: datetime, until: datetime, *, limit: int = 30) -> list[Funnel]:
    """The links opened most in [since, until). Five queries."""
    days = LinkDay.objects.filter(day__gte=clock.mall_day(since), day__lt=clock.mall_day(until))
    ids = [r["link_id"] for r in days.values("link_id").annotate(n=Sum("views")).order_by("-n", "link_id")[:limit]]
    found = ShareLink.objects.in_bulk(ids)
    return _funnels([found[i] for i in ids if i in found], since, until)


def top_products(since: datetime, until: datetime, *, limit: int = 30) -> list[FunnelOf]:
    """The products whose links were opened most in [since, until), with what was put in carts of them by any link.

    ``orders`` is left at 0: who bought what is known above. Two queries.
    """
    first, end = clock.mall_day(since), clock.mall_day(until)
    days = LinkDay.objects.filter(day__gte=first, day__lt=end).exclude(product_id=None).values("product_id")
    rows = list(days.annotate(v=Sum("views"), p=Sum("visitors"), b=Sum("bots")).order_by("-v", "product_id")[:limit])
    marks = FunnelMark.objects.filter(kind="cart", day__gte=first, day__lt=end)
    marks = marks.filter(product_id__in=[r["product_id"] for r in rows])
    carts = dict(marks.values("product_id").annotate(n=Count("id")).values_list("product_id", "n"))
    return [FunnelOf(r["v"], r["p"], carts.get(r["product_id"], 0), 0, r["b"], r["product_id"]) for r in rows]


def without_link(member_id: UUID, *, since: datetime) -> int:
    """A sharer's orders since a moment that came by a typed code or the binding, so by no link."""
    return Attribution.objects.filter(sharer_id=member_id, link_id=None, at__gte=since).count()


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
    """One sharer's day: how often the links were opened, carts, and orders attributed. Two queries."""
    links = ShareLink.objects.filter(sharer_id=member_id).values("id")
    today = LinkDay.objects.filter(link_id__in=links, day=clock.mall_day(day_start))
    opened = today.aggregate(n=Sum("views"), c=Sum("carts"))
    won = Attribution.objects.filter(sharer_id=member_id, at__gte=day_start, at__lt=day_start + timedelta(days=1))
    return {"views": opened["n"] or 0, "carts": opened["c"] or 0, "orders": won.count()}


def day_totals(day_start: datetime) -> dict[str, int]:
    """Yesterday's or today's funnel of the whole mall: links made, views, visitors, orders."""
    end = day_start + timedelta(days=1)
    touches = Touch.objects.filter(at__gte=day_start, at__lt=end).exclude(agent_class="bot")
    return {
        "links": ShareLink.objects.filter(at__gte=day_start, at__lt=end).count(),
        "touches": touches.count(),
        "visitors": touches.aggregate(n=Count("visitor_id", distinct=True))["n"] or 0,
        "orders": Attribution.objects.filter(at__gte=day_start, at__lt=end).exclude(sharer_id=None).count(),
    }
