"""Reads of carts and orders."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import queries as goods
from tongzhou.kit import clock, selects
from tongzhou.kit.refusals import not_found
from tongzhou.orders import replay
from tongzhou.orders.behaviour import all_delivered_lines, bought_through, delivered_lines, refund_times
from tongzhou.orders.events import LinesDelivered
from tongzhou.orders.models import CartLine, Order, OrderLine, Pair, RefundRecord, Status
from tongzhou.orders.rules import freight
from tongzhou.orders.snapshots import fact
from tongzhou.orders.values import CartLineValue, CartValue

__all__ = ["all_delivered_lines", "bought_through", "delivered_lines", "refund_times"]

# A period's paid orders as streams (replay.py).
paid_between = replay.paid_between
refunded_between = replay.refunded_between
sharers_between = replay.sharers_between
bought_between = replay.bought_between
paid_count = replay.paid_count

TABS: dict[str, tuple[str, ...]] = {
    "all": tuple(Status),
    "pay": (Status.PLACED,),
    "ship": (Status.PAID,),
    "receive": (Status.SHIPPED,),
    "done": (Status.COMPLETED,),
    "closed": (Status.CANCELLED,),
}


def cart(owner_id: UUID, discount_bp: int = 0) -> CartValue:
    """A cart with today's prices and stock; lines that cannot be bought say why. Three queries."""
    rows = list(CartLine.objects.filter(owner_id=owner_id).order_by("at", "id"))
    return price_cart([(r.sku_id, r.quantity) for r in rows], discount_bp)


def price_cart(wants: Sequence[tuple[UUID, int]], discount_bp: int = 0) -> CartValue:
    """What (SKU, quantity) lines would cost now."""
    found, left = goods.skus_with_room([sku for sku, _n in wants], discount_bp)
    lines = []
    for sku_id, quantity in wants:
        sku = found.get(sku_id)
        if sku is None:
            continue
        have = left.get(sku_id, 0)
        problem = "gone" if not sku.sellable else "none_left" if have <= 0 else "too_many" if have < quantity else ""
        lines.append(
            CartLineValue(
                sku_id, sku.product_slug, sku.title, sku.title_en, sku.option_text, sku.option_text_en, sku.picture,
                sku.stage, sku.supplier_id, quantity, sku.list_price_minor, sku.price_minor, have, problem,
                sku.return_policy,
            )
        )  # fmt: skip
    ok = [line for line in lines if line.problem in ("", "too_many")]
    total = sum(line.amount_minor for line in ok)
    fee = freight(total, fee_minor=settings.FREIGHT_MINOR, free_from_minor=settings.FREE_FREIGHT_FROM_MINOR)
    saved = sum((line.list_price_minor - line.price_minor) * line.quantity for line in ok)
    gap = max(0, settings.FREE_FREIGHT_FROM_MINOR - total) if fee else 0
    return CartValue(tuple(lines), total, fee, saved, gap)


def cart_count(owner_id: UUID) -> int:
    """Units in a cart."""
    return CartLine.objects.filter(owner_id=owner_id).aggregate(n=Sum("quantity"))["n"] or 0


def cart_wants(owner_id: UUID) -> list[tuple[UUID, int]]:
    """(SKU, quantity) of a cart, in the order they came."""
    return list(CartLine.objects.filter(owner_id=owner_id).order_by("at", "id").values_list("sku_id", "quantity"))


def order(no: str, *, buyer_id: UUID | None = None) -> Order:
    """One order by number; a buyer's own only. *Refuses:* ``order_not_found`` (also for somebody else's)."""
    row = selects.one(Order, "t.no = %s", [no])
    if row is not None and buyer_id not in (None, row.buyer_id):
        row = None
    if row is None:
        raise not_found(_("没有这个订单。"), code="order_not_found")
    return row


def whole(no: str, *, buyer_id: UUID | None = None) -> tuple[Order, list[OrderLine]]:
    """One order with its lines, in one query; a buyer's own only. *Refuses:* ``order_not_found``."""
    rows = list(OrderLine.objects.filter(order__no=no).select_related("order").order_by("position"))
    if not rows or (buyer_id is not None and rows[0].buyer_id != buyer_id):
        raise not_found(_("没有这个订单。"), code="order_not_found")
    return rows[0].order, rows


def order_by_id(order_id: UUID) -> Order:
    """One order by id. *Refuses:* ``order_not_found``."""
    row = Order.objects.filter(id=order_id).first()
    if row is None:
        raise not_found(_("没有这个订单。"), code="order_not_found")
    return row


def orders_by_id(ids: Sequence[UUID]) -> dict[UUID, Order]:
    """Several orders by id."""
    return {row.id: row for row in Order.objects.filter(id__in=ids)}


def lines_of(order_ids: Sequence[UUID]) -> dict[UUID, list[OrderLine]]:
    """All lines of orders, in their order, freight last."""
    out: dict[UUID, list[OrderLine]] = {o: [] for o in order_ids}
    for line in OrderLine.objects.filter(order_id__in=order_ids).order_by("order_id", "position"):
        out[line.order_id].append(line)
    return out


def line(line_id: UUID) -> OrderLine | None:
    """One line by id."""
    return OrderLine.objects.filter(id=line_id).first()


def facts_of(happened: Mapping[UUID, datetime]) -> list[LinesDelivered]:
    """Orders with a sharer as facts, as they stand, each at its own moment: for imports, which tell of many at once."""
    rows = list(Order.objects.filter(id__in=happened).exclude(sharer_id=None))
    lines = lines_of([o.id for o in rows])
    return [fact(LinesDelivered, o, lines[o.id], happened[o.id]) for o in rows]


def lines_by_id(ids: Sequence[UUID]) -> dict[UUID, OrderLine]:
    """Several lines by id."""
    return {row.id: row for row in OrderLine.objects.filter(id__in=ids)}


def orders_of(buyer_id: UUID, *, tab: str = "all", before: UUID | None = None, limit: int = 20) -> list[Order]:
    """A buyer's orders, newest first, keyset-paged by id."""
    rows = Order.objects.filter(buyer_id=buyer_id, status__in=TABS.get(tab, TABS["all"])).order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    return list(rows[:limit])


def counts_of(buyer_id: UUID) -> dict[str, int]:
    """How many of a buyer's orders are in each open state."""
    rows = Order.objects.filter(buyer_id=buyer_id, status__in=["PLACED", "PAID", "SHIPPED"])
    return {r["status"]: r["n"] for r in rows.values("status").annotate(n=Count("id"))}


def has_orders(buyer_id: UUID) -> bool:
    """Whether somebody ever paid for an order."""
    return Order.objects.filter(buyer_id=buyer_id).exclude(paid_at=None).exists()


def saved_this_month(buyer_id: UUID, since: datetime) -> int:
    """自购省: what member prices saved a buyer on paid orders since a moment."""
    rows = Order.objects.filter(buyer_id=buyer_id, paid_at__gte=since)
    return rows.aggregate(n=Sum("saved_minor"))["n"] or 0


VIEWS: dict[str, tuple[str, ...]] = {"late": (Status.PAID,), **{s.lower(): (s,) for s in Status}}
PROMISE = timedelta(hours=48)  # from payment to the carrier


def console_list(
    *, view: str = "", query: str = "", buyer_id: UUID | None = None, sharer_id: UUID | None = None,
    since: datetime | None = None, until: datetime | None = None, at: datetime | None = None,
    before: UUID | None = None, limit: int = 50,
) -> list[Order]:  # fmt: skip
    """Orders for the console, keyset-paged by id, never counted; a declared scatter.

    ``view`` = a status in lower case, ``late`` (paid, and past the promise to ship at ``at``), or empty for all.
    What waits to be shipped begins with the oldest, everything else with the newest.
    """
    oldest = view in ("paid", "late")
    rows = Order.objects.order_by("id" if oldest else "-id")
    if view in VIEWS:
        rows = rows.filter(status__in=VIEWS[view])
    if view == "late" and at:
        rows = rows.filter(paid_at__lte=at - PROMISE)
    if query:
        rows = rows.filter(no=query.strip().upper())
    if buyer_id:
        rows = rows.filter(buyer_id=buyer_id)
    if sharer_id:
        rows = rows.filter(sharer_id=sharer_id)
    if since:
        rows = rows.filter(placed_at__gte=since)
    if until:
        rows = rows.filter(placed_at__lt=until)
    if before:
        rows = rows.filter(id__gt=before) if oldest else rows.filter(id__lt=before)
    return list(rows[:limit])


def view_counts(at: datetime, most: int = 100) -> dict[str, int]:
    """How many orders are in each view that waits for somebody, each counted to ``most``."""
    counts = {
        s.lower(): Order.objects.filter(status=s)[:most].count() for s in (Status.PLACED, Status.PAID, Status.SHIPPED)
    }
    return {**counts, "late": due_to_ship(at, limit=most)}


def few_paid_since(since: datetime, most: int) -> bool:
    """Whether at most so many orders were paid since a moment; counted no further than that."""
    return Order.objects.filter(paid_at__gte=since).order_by()[: most + 1].count() <= most


def orders_by_no(numbers: Sequence[str]) -> dict[str, Order]:
    """Several orders by number; unknown ones are left out."""
    return {row.no: row for row in Order.objects.filter(no__in=numbers)}


def in_carts(sku_ids: Sequence[UUID], most: int = 1000) -> int:
    """How many carts hold any of these SKUs, counted to ``most``."""
    return CartLine.objects.filter(sku_id__in=sku_ids).values("owner_id").distinct()[:most].count()


def waiting_count(status: str, limit: int = 1000) -> int:
    """How many orders are in a state, counted to ``limit``."""
    return Order.objects.filter(status=status).order_by()[:limit].count()


def due_to_ship(at: datetime, *, after: timedelta = PROMISE, limit: int = 100) -> int:
    """Paid orders older than the promise to ship, counted to ``limit``."""
    return Order.objects.filter(status=Status.PAID, paid_at__lte=at - after)[:limit].count()


def refunds_of(order_id: UUID) -> "QuerySet[RefundRecord]":
    """What was refunded of an order, oldest first."""
    return RefundRecord.objects.filter(order_id=order_id).order_by("at")


def sharer_orders(sharer_id: UUID, since: datetime) -> dict[str, int]:
    """A sharer's orders since a moment: how many, and their goods amount."""
    rows = Order.objects.filter(sharer_id=sharer_id, paid_at__gte=since)
    found = rows.aggregate(n=Count("id"), total=Sum("goods_minor"))
    return {"orders": found["n"] or 0, "goods_minor": found["total"] or 0}


def most_bought(since: datetime, *, limit: int = 10) -> list[tuple[UUID, int]]:
    """(product, how many different people) of paid orders since a moment, units sent back left out; a declared scatter.

    For pages it is kept a few minutes by its caller: it reads every line since then.
    """
    rows = OrderLine.objects.filter(
        kind="goods", order__paid_at__gte=since, refunded_quantity__lt=F("quantity")
    ).exclude(product_id=None)
    found = rows.values("product_id").annotate(n=Count("buyer_id", distinct=True)).order_by("-n", "product_id")
    return [(p, n) for p, n in found.values_list("product_id", "n")[:limit] if p]


def bought_with(product_id: UUID, *, limit: int = 6) -> list[tuple[UUID, int]]:
    """(product, how many people) bought in one order with this one lately, most first; at least two people each."""
    rows = Pair.objects.filter(product_id=product_id).order_by("-people", "other_id")
    return list(rows.values_list("other_id", "people")[:limit])


def paid_by_day(since: datetime) -> list[dict[str, Any]]:
    """Paid amount per day since a moment, for the console's chart."""
    rows = Order.objects.filter(paid_at__gte=since).annotate(day=TruncDate("paid_at")).values("day")
    summed = rows.annotate(n=Count("id"), total=Sum("total_minor")).order_by("day")
    return [{"day": r["day"], "n": r["n"], "total": r["total"]} for r in summed]


def refunded_since(since: datetime) -> int:
    """Cash refunded since a moment."""
    return RefundRecord.objects.filter(at__gte=since).aggregate(n=Sum("cash_minor"))["n"] or 0


def shared_paid_by_day(since: datetime, until: datetime) -> dict[date, int]:
    """Day of the mall → orders placed that day by sharing and paid since; a declared scatter over a few weeks."""
    rows = Order.objects.filter(placed_at__gte=since, placed_at__lt=until).exclude(sharer_id=None).exclude(paid_at=None)
    found = rows.annotate(day=TruncDate("placed_at", tzinfo=clock.mall_zone())).values("day").annotate(n=Count("id"))
    return {r["day"]: r["n"] for r in found}


def shared_lines(product_ids: Iterable[UUID], since: datetime, until: datetime) -> list[tuple[UUID, UUID, UUID, bool]]:
    """(product, line, order, paid) of what was ordered of products by sharing in [since, until); a declared scatter."""
    rows = OrderLine.objects.filter(
        product_id__in=set(product_ids), order__placed_at__gte=since, order__placed_at__lt=until
    ).exclude(order__sharer_id=None)
    found = rows.values_list("product_id", "id", "order_id", "order__paid_at")
    return [(product, line, order, paid is not None) for product, line, order, paid in found if product]
