"""What people buy together, counted anew once a day from paid orders."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import groupby, permutations
from operator import itemgetter
from uuid import UUID

from django.db import transaction
from django.db.models import F

from tongzhou.orders.models import Order, OrderLine, Pair

DAYS = 90
MOST_ORDERS = 50_000  # the latest that are looked at
MOST_GOODS = 20  # of one order; more is a stock-up, not a pair
LEAST_PEOPLE = 2  # one person's habit is not a pair, and is nobody's business
MOST_KEPT = 6  # of one product


def pair_up(*, at: datetime) -> int:
    """Write which products were bought in one order by how many different people; returns how many pairs are kept.

    The last 90 days' paid orders, the latest 50,000 of them; units all sent back left out; a pair needs two people.
    Nobody is named in it. Readers see the old pairs until the new ones are whole.
    """
    since = at - timedelta(days=DAYS)
    recent = Order.objects.filter(paid_at__gte=since, paid_at__lte=at).order_by("-paid_at")[:MOST_ORDERS]
    ids = list(recent.values_list("id", flat=True))
    people: set[tuple[UUID, UUID, UUID]] = set()
    for start in range(0, len(ids), 500):
        people.update(_together(ids[start : start + 500]))
    counts = Counter((one, other) for one, other, _buyer in people)
    kept: list[Pair] = []
    ranked = sorted((p for p in counts.items() if p[1] >= LEAST_PEOPLE), key=lambda p: (p[0][0], -p[1], p[0][1]))
    for one, pairs in groupby(ranked, key=lambda p: p[0][0]):
        kept += [Pair(product_id=one, other_id=other, people=n) for (_one, other), n in list(pairs)[:MOST_KEPT]]
    with transaction.atomic():
        Pair.objects.all().delete()
        Pair.objects.bulk_create(kept, batch_size=1000)
    return len(kept)


def _together(ids: list[UUID]) -> set[tuple[UUID, UUID, UUID]]:
    rows = OrderLine.objects.filter(order_id__in=ids, kind="goods", refunded_quantity__lt=F("quantity"))
    lines = rows.exclude(product_id=None).order_by("order_id").values_list("order_id", "buyer_id", "product_id")
    out: set[tuple[UUID, UUID, UUID]] = set()
    for (_order, buyer), of_it in groupby(lines, key=itemgetter(0, 1)):
        goods = {product for _o, _b, product in of_it if product}
        if 1 < len(goods) <= MOST_GOODS:
            out |= {(one, other, buyer) for one, other in permutations(goods, 2)}
    return out
