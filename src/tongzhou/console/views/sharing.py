"""Sharing in figures: the mall's days, the links and products opened most; and corrections of who invited whom."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tongzhou.catalog import queries as goods
from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.money import plain
from tongzhou.kit.refusals import invalid
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared

MOST_DAYS = 31
TOP = 30


@http.door("sharing")
def funnel(request: HttpRequest) -> HttpResponse:
    """The funnel of a few weeks: per day, per link, per product; each also as CSV."""
    since, until = window(request)
    asked = request.GET.get("csv", "")
    tables = {"days": days, "links": links, "products": products}
    if asked in tables:
        return _csv(asked, tables[asked](since, until))
    per_day, per_link = days(since, until), links(since, until)
    context = {
        "days": per_day, "links": per_link, "products": products(since, until), "since": since, "until": until,
        "last": until - timedelta(days=1), "total": {k: sum(d[k] for d in per_day) for k in FIGURES},
        "cut": sum(x["orders"] for x in per_link) > shared.MOST_LED, "most": shared.MOST_LED, "top": TOP,
    }  # fmt: skip
    return http.page(request, "sharing", context)


FIGURES = ("views", "visitors", "carts", "orders", "paid", "earned", "bots")


def window(request: HttpRequest) -> tuple[datetime, datetime]:
    """The days asked for, the last fortnight without a wish. *Refuses:* ``too_many_days``."""
    since, until = forms.days(request)
    today = clock.day_start(clock.mall_day(clock.now()))
    until = until or today + timedelta(days=1)
    since = since or until - timedelta(days=14)
    if not timedelta() < until - since <= timedelta(days=MOST_DAYS):
        raise invalid(
            "too_many_days", _("一次最多看 %(n)s 天，从早到晚。") % {"n": MOST_DAYS}, field="from",
            value=request.GET.get("from", ""), rule=f"1–{MOST_DAYS}", fix=_("把两头的日子改近一些。"),
        )  # fmt: skip
    return since, until


def days(since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Each day: openings, people, carts, orders by sharing, those paid, and what stands of their rewards."""
    paid, earned = orders.shared_paid_by_day(since, until), rewards.earned_by_day(since, until)
    seen = shared.mall_days(since, until)
    return [
        {"day": d.day, "views": d.views, "visitors": d.visitors, "carts": d.carts, "orders": d.orders,
         "paid": paid.get(d.day, 0), "earned": earned.get(d.day, 0), "bots": d.bots}
        for d in seen
    ]  # fmt: skip


def links(since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The links opened most, with whose they are."""
    found = [f for f in shared.top_links(since, until, limit=TOP) if f.link]
    known = orders.orders_by_id([o for f in found for o in f.order_ids])
    earned = rewards.standing_of_orders([o for o, row in known.items() if row.paid_at])
    names = members.cards([f.link.sharer_id for f in found if f.link])
    cards = goods.cards_by_ids([f.link.product_id for f in found if f.link and f.link.product_id], discount_bp=0)
    return [
        {"code": f.link.code, "sharer": names.get(f.link.sharer_id), "item": cards.get(f.link.product_id) if f.link.product_id else None,
         "product_id": f.link.product_id, "views": f.views, "visitors": f.visitors, "carts": f.carts, "orders": f.orders,
         "paid": sum(1 for o in f.order_ids if o in known and known[o].paid_at),
         "earned": sum(earned.get(o, 0) for o in f.order_ids), "bots": f.bots}
        for f in found if f.link
    ]  # fmt: skip


def products(since: datetime, until: datetime) -> list[dict[str, Any]]:
    """The products whose links were opened most; orders and money are of the product itself, by whichever link."""
    found = shared.top_products(since, until, limit=TOP)
    ids = [f.product_id for f in found if f.product_id]
    sold = orders.shared_lines(ids, since, until)
    earned = rewards.standing_of_lines([line for _p, line, _o, paid in sold if paid])
    cards = goods.cards_by_ids(ids, discount_bp=0)
    out = []
    for f in found:
        mine = [(line, order, paid) for p, line, order, paid in sold if p == f.product_id]
        out.append(
            {"item": cards.get(f.product_id) if f.product_id else None, "product_id": f.product_id, "views": f.views,
             "visitors": f.visitors, "carts": f.carts, "orders": len({o for _l, o, _p in mine}),
             "paid": len({o for _l, o, paid in mine if paid}),
             "earned": sum(earned.get(line, 0) for line, _o, _p in mine), "bots": f.bots}
        )  # fmt: skip
    return out


def _csv(name: str, rows: list[dict[str, Any]]) -> HttpResponse:
    """The rows of one table; a formula in a name stays text."""
    out = io.StringIO()
    first = {"days": "day", "links": "link", "products": "product"}[name]
    write = csv.writer(out)
    write.writerow([first, *(["product"] if name == "links" else []), *FIGURES, "currency"])
    currency = books.currency()
    for row in rows:
        item = row.get("item")
        title = item.slug if item else str(row.get("product_id") or "")
        head = [row["day"].isoformat()] if name == "days" else [row["code"], title] if name == "links" else [title]
        write.writerow([*head, *(plain(row[k], currency) if k == "earned" else row[k] for k in FIGURES), currency])
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="sharing-{name}.csv"'
    return response
