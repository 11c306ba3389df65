"""A sharer's links with what became of each: openings from sharing, payments from orders, money from rewards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductCard
from tongzhou.kit import clock
from tongzhou.orders import queries as orders
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared
from tongzhou.sharing.values import Funnel
from tongzhou.storefront import http

DAYS = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One link: what it leads to, its steps, and the money."""

    f: Funnel
    item: ProductCard | None
    paid: int = 0
    earned_minor: int = 0


def since(at: datetime) -> datetime:
    """Where the window of the pages begins: thirty days of the mall, today among them."""
    return clock.day_start(clock.mall_day(at) - timedelta(days=DAYS - 1))


def of(member_id: UUID, at: datetime, *, limit: int, before: UUID | None = None) -> list[Row]:
    """A member's links, newest first, over the last thirty days. Eight queries, however many links."""
    found = shared.links_of(member_id, since=since(at), before=before, limit=limit)
    return rows(member_id, found, at)


def rows(member_id: UUID, found: list[Funnel], at: datetime) -> list[Row]:
    """Funnels with their products and money."""
    links = [f.link for f in found if f.link]
    cards = goods.cards_by_ids([x.product_id for x in links if x.product_id], discount_bp=http.discount(at))
    ids = [order for f in found for order in f.order_ids]
    known = orders.orders_by_id(ids) if ids else {}
    earned = rewards.standing_of_orders(ids, sharer_id=member_id) if ids else {}
    return [
        Row(
            f, cards.get(f.link.product_id) if f.link.product_id else None,
            sum(1 for o in f.order_ids if o in known and known[o].paid_at), sum(earned.get(o, 0) for o in f.order_ids),
        )
        for f in found
        if f.link
    ]  # fmt: skip
