"""A sharer's links: how often each was opened, by how many, what they put in carts, ordered, paid, and what it earned."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import not_found
from tongzhou.orders import queries as orders
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared
from tongzhou.storefront import funnels, http

PAGE = 20


def listing(request: HttpRequest) -> HttpResponse:
    """Every link of one's own, newest first, over the last thirty days."""
    who, at = http.need_member(request), http.now()
    before = http.as_uuid(request.GET["before"], "before") if request.GET.get("before") else None
    rows = funnels.of(who.id, at, limit=PAGE, before=before)
    context = {
        "tab": "earn", "rows": rows, "back": "/earn", "days": funnels.DAYS,
        "other": shared.without_link(who.id, since=funnels.since(at)),
        "more": rows[-1].f.link.id if len(rows) == PAGE and rows[-1].f.link else None,
    }  # fmt: skip
    return http.page(request, "links", context)


def link(request: HttpRequest, code: str) -> HttpResponse:
    """One own link: its thirty days, and each order it led to with the reward or why there is none."""
    who, at = http.need_member(request), http.now()
    found = shared.link(code)
    if found is None or found.sharer_id != who.id:
        raise not_found(_("这个分享链接不存在。"), code="link_not_found")
    since = funnels.since(at)
    (row,) = funnels.rows(who.id, [shared.link_funnel(found, since=since)], at)
    context = {
        "row": row, "f": row.f, "item": row.item, "days": shared.link_days(found.id, since=since), "back": "/earn/links",
        "led": _led(who.id, row.f.order_ids[:PAGE]), "window": funnels.DAYS,
    }  # fmt: skip
    return http.page(request, "link", context)


def _led(member_id: UUID, order_ids: Sequence[UUID]) -> list[tuple[object, object, object, str]]:
    """(order, its buyer masked, the own rewards, why none) of orders by a link."""
    known = orders.orders_by_id(order_ids) if order_ids else {}
    mine = [r for r in rewards.of_orders(known) if r.sharer_id == member_id] if known else []
    names = members.cards([o.buyer_id for o in known.values()]) if known else {}
    out: list[tuple[object, object, object, str]] = []
    for order_id in order_ids:
        if order := known.get(order_id):
            own = [r for r in mine if r.order_id == order_id]
            out.append(
                (order, names.get(order.buyer_id), own, "" if own else _why_none(order.paid_at, order.cancelled_at))
            )
    return out


def _why_none(paid_at: datetime | None, cancelled_at: datetime | None) -> str:
    if paid_at is None:
        return "never_paid" if cancelled_at else "not_paid_yet"
    return "no_rule"
