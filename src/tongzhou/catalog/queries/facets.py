"""What a list is made of: categories, brands, suppliers, price bands, what is in stock, of its first thousand hits."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, Value, When

from tongzhou.catalog import tree
from tongzhou.catalog.queries.finding import COUNT_CAP, matching, ways_of
from tongzhou.catalog.queries.sieves import STOCKED, below, high_price, low_price, on_offer, published
from tongzhou.catalog.rules import clean_text
from tongzhou.catalog.values import Facets, Sieve

BANDS = (2_000, 5_000, 10_000, 20_000, 50_000)  # minor units: where price bands end
MOST = 12  # of each kind
_EDGES = tuple(zip((0, *BANDS), (*BANDS, None), strict=True))
_KINDS = ("category", "brand", "supplier", "price", "stock", "offer")


def facets(
    query: str = "", *, discount_bp: int, category_id: UUID | None = None, sieve: Sieve = Sieve()  # noqa: B008 - frozen
) -> Facets:  # fmt: skip
    """What the newest thousand hits of a query, or goods of a category, are made of; one query.

    A row is counted under a kind of choice when it meets all the other kinds: so each figure says what choosing it
    gives, and of what is chosen already, what it gave.
    """
    ways = ways_of(clean_text(query)[:100])
    if not ways and category_id is None:
        return Facets()
    rows = matching(ways) if ways else published()
    if category_id is not None:
        node = tree.current().by_id.get(category_id)
        rows = rows.filter(category_id__in=node.descendants() if node else [category_id])
    rows = rows.annotate(low=low_price(discount_bp), high=high_price(discount_bp))
    offered = Case(When(on_offer(), then=Value(True)), default=Value(False), output_field=BooleanField())
    found = rows.order_by("-published_at", "-id").values_list(
        "category_id", "brand", "supplier_id", "low", STOCKED, offered
    )
    return _counted(list(found[:COUNT_CAP]), sieve)


def _counted(found: list[tuple[Any, ...]], sieve: Sieve) -> Facets:
    seen: dict[str, Counter[Any]] = {kind: Counter() for kind in _KINDS}
    chosen, low, high, left = set(below(sieve)), sieve.price_from_minor or 0, sieve.price_below_minor, 0
    for category, brand, supplier, price, stocked, offered in found:
        met = (
            not chosen or category in chosen, not sieve.brands or brand in sieve.brands,
            not sieve.suppliers or supplier in sieve.suppliers, low <= price and (high is None or price < high),
            bool(stocked) or not sieve.in_stock, bool(offered) or not sieve.on_offer,
        )  # fmt: skip
        failed = met.count(False)
        left += not failed
        if failed > 1:
            continue
        band = next(e for e in _EDGES if e[0] <= price and (e[1] is None or price < e[1]))
        values = (category, brand, supplier, band, bool(stocked), bool(offered))
        for kind, value, one in zip(_KINDS, values, met, strict=True):
            if not failed or not one:
                seen[kind][value] += 1
    brands = Counter({k: n for k, n in seen["brand"].items() if k})
    return Facets(
        _most(seen["category"], sieve.categories), _most(brands, sieve.brands), _most(seen["supplier"], sieve.suppliers),
        tuple((*edge, seen["price"][edge]) for edge in _EDGES if seen["price"][edge]),
        seen["stock"][True], seen["offer"][True], len(found), left,
    )  # fmt: skip


def _most(counts: "Counter[Any]", chosen: tuple[Any, ...]) -> tuple[tuple[Any, int], ...]:
    """The most frequent, and what is chosen in any case."""
    ranked = sorted(counts.items(), key=lambda i: (-i[1], str(i[0])))
    kept = [pair for n, pair in enumerate(ranked) if n < MOST or pair[0] in chosen]
    return (*kept, *((key, 0) for key in chosen if key not in counts))
