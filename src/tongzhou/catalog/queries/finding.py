"""Search: names that have every word first, whole phrases before scattered ones, what fits best, then the newest.

How it ranks, and what it takes a query for, is docs/algorithms/search.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db.models import Case, Count, Max, Q, QuerySet, SmallIntegerField, Sum, Value, When
from django.db.models.expressions import RawSQL

from tongzhou.catalog import search as index
from tongzhou.catalog import tree, wording
from tongzhou.catalog.models import Product, SearchDay, Synonym
from tongzhou.catalog.queries.cards import card_rows, low_price, published, to_cards
from tongzhou.catalog.rules import clean_text
from tongzhou.catalog.tokens import Term, normal, query_terms
from tongzhou.catalog.values import Facets, SearchResult

COUNT_CAP = 1_000  # "more than a thousand" is as much as a count ever says
BANDS = (2_000, 5_000, 10_000, 20_000, 50_000)  # minor units: where price bands end
MOST_BRANDS = 12
_ENDS = (" ", "(", ",")  # what may follow a word that ends: full-width ones are folded to these
Ways = Sequence[Sequence[Term]]


@dataclass(frozen=True, slots=True)
class Searched:
    """What people looked for: how often, on how many days, when last, and how much it found then."""

    query: str
    times: int
    days: int
    last: date
    found: int


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a searcher narrows by. Prices are what a member pays, minor units."""

    category_id: UUID | None = None
    brand: str = ""
    price_from_minor: int | None = None
    price_to_minor: int | None = None


def search(
    query: str, *, discount_bp: int, limit: int = 24, offset: int = 0, category_id: UUID | None = None,
    sort: str = "relevance", price_from_minor: int | None = None, price_to_minor: int | None = None, brand: str = "",
) -> SearchResult:  # fmt: skip
    """Published products that contain every word of the query, in at most four queries.

    Chinese words are found inside names, however short, in either script; Latin words by their
    beginning, as words or as pinyin and initials of names; synonyms count as the word itself. When
    nothing is found, Latin words a letter away from known ones are looked for instead. Order: name has
    all words, name contains the query as it stands, how well it fits (a word of the name ends with it, its
    category is called so), newest, id. ``sort``: ``relevance`` | ``newest`` |
    ``price`` | ``-price``; anything else is taken as relevance.
    """
    query = clean_text(query)[:100]
    sieve = Sieve(category_id, brand, price_from_minor, price_to_minor)
    offset, limit = max(0, min(offset, COUNT_CAP)), max(1, min(limit, COUNT_CAP))
    ways = _ways(query)
    if not ways:
        return SearchResult(query, 0, False, ())
    found = _look(query, ways, sieve, discount_bp, sort, offset, limit)
    if found.count or sieve != Sieve():
        return found
    better = wording.corrected(query)
    if not better:
        return found
    again = _look(better, _ways(better), sieve, discount_bp, sort, offset, limit)
    return replace(again, query=query, corrected=better) if again.count else found


def _ways(query: str) -> list[list[Term]]:
    return [terms for way in wording.ways(query) if (terms := query_terms(way))]


def _look(
    query: str, ways: Ways, sieve: Sieve, discount_bp: int, sort: str, offset: int, limit: int
) -> SearchResult:  # fmt: skip
    rows = _sieved(_matching(ways), sieve, discount_bp, priced=sort in {"price", "-price"})
    found = card_rows(_ordered(rows, ways, query, sort)[offset : offset + limit])
    count = offset + len(found) if 0 < len(found) < limit else rows[: COUNT_CAP + 1].count()
    tokens = dict.fromkeys(t.token for terms in ways for t in terms)
    return SearchResult(query, min(count, COUNT_CAP), count > COUNT_CAP, to_cards(found, discount_bp), tuple(tokens))


def _sieved(
    rows: "QuerySet[Product]", sieve: Sieve, discount_bp: int, *, priced: bool
) -> "QuerySet[Product]":  # fmt: skip
    if sieve.category_id:
        node = tree.current().by_id.get(sieve.category_id)
        rows = rows.filter(category_id__in=node.descendants() if node else [sieve.category_id])
    if sieve.brand:
        rows = rows.filter(brand=sieve.brand)
    if priced or sieve.price_from_minor is not None or sieve.price_to_minor is not None:
        rows = rows.annotate(low=low_price(discount_bp))
        if sieve.price_from_minor is not None:
            rows = rows.filter(low__gte=sieve.price_from_minor)
        if sieve.price_to_minor is not None:
            rows = rows.filter(low__lte=sieve.price_to_minor)
    return rows


def _matching(ways: Ways) -> "QuerySet[Product]":
    return published().filter(_has(ways, title=False))


def _has(ways: Ways, *, title: bool) -> Q:
    statement, params = index.engine().matching(ways, title=title)
    return Q(id__in=RawSQL(statement, params))  # noqa: S611 - our own constant SQL; the words are parameters


def _ordered(rows: "QuerySet[Product]", ways: Ways, query: str, sort: str) -> "QuerySet[Product]":
    if sort in {"price", "-price"}:
        return rows.order_by("low" if sort == "price" else "-low", "-id")
    if sort == "newest":
        return rows.order_by("-published_at", "-id")
    phrase = " ".join(normal(query).split())
    plain = [[replace(term, heard=False) for term in terms] for terms in ways]  # a reading is not a name
    whole, ends = Q(title_key__contains=phrase), Q(title_key__endswith=phrase)
    for after in _ENDS:
        ends |= Q(title_key__contains=phrase + after)
    return rows.annotate(
        named=_one(_has(plain, title=True)), whole=_one(whole),
        fits=_one(ends) + _one(Q(category_id__in=tree.current().named(phrase))),
    ).order_by("-named", "-whole", "-fits", "-published_at", "-id")  # fmt: skip


def _one(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0), output_field=SmallIntegerField())


def facets(query: str, *, discount_bp: int) -> Facets:
    """Categories, brands and price bands of the first thousand hits of a query; one query."""
    ways = _ways(clean_text(query)[:100])
    if not ways:
        return Facets()
    rows = _matching(ways).annotate(low=low_price(discount_bp)).order_by("-published_at", "-id")
    found = list(rows.values_list("category_id", "brand", "low")[:COUNT_CAP])
    shelves = Counter(category for category, _b, _p in found)
    brands = Counter(brand for _c, brand, _p in found if brand)
    edges = [0, *BANDS]
    bands = [
        (low, high, sum(1 for _c, _b, price in found if low <= price and (high is None or price < high)))
        for low, high in zip(edges, [*BANDS, None], strict=True)
    ]
    return Facets(
        tuple(sorted(shelves.items(), key=lambda i: (-i[1], str(i[0])))),
        tuple(sorted(brands.items(), key=lambda i: (-i[1], i[0])))[:MOST_BRANDS],
        tuple(band for band in bands if band[2]), len(found),
    )  # fmt: skip


def suggest(query: str, *, limit: int = 8) -> list[tuple[str, str]]:
    """(title, slug) of products whose name has every word typed so far, or sounds like it; one query."""
    ways = _ways(clean_text(query)[:100])
    if not ways:
        return []
    heard = any(term.heard for terms in ways for term in terms)
    rows = published().filter(_has(ways, title=not heard)).order_by("-published_at", "-id")
    return list(rows.values_list("title", "slug")[: max(1, min(limit, 20))])


def popular_searches(since: date, *, limit: int = 10) -> list[tuple[str, int]]:
    """What was looked for most and found since a day; nobody is named in it."""
    rows = SearchDay.objects.filter(day__gte=since, found__gt=0).values("query").annotate(n=Sum("times"))
    return [(r["query"], r["n"]) for r in rows.order_by("-n", "query")[:limit]]


def searches(since: date, *, nothing: bool = False, limit: int = 100) -> list[tuple[str, int, int]]:
    """(query, times, found the last time) since a day, most first; ``nothing``: only what found nothing."""
    rows = SearchDay.objects.filter(day__gte=since)
    if nothing:
        rows = rows.filter(found=0)
    totals: dict[str, tuple[int, int]] = {}
    for text, times, found in rows.order_by("day").values_list("query", "times", "found"):
        totals[text] = (totals.get(text, (0, 0))[0] + times, found)
    listed = [(text, times, found) for text, (times, found) in totals.items()]
    return sorted(listed, key=lambda r: (-r[1], r[0]))[:limit]


def searched(since: date, *, nothing: bool = False, limit: int = 100) -> list[Searched]:
    """What people looked for since a day, most asked first; ``nothing``: only what found nothing. Nobody is named."""
    rows = SearchDay.objects.filter(day__gte=since)
    if nothing:
        rows = rows.filter(found=0)
    totals = rows.values("query").annotate(n=Sum("times"), days=Count("id"), last=Max("day"))
    top = list(totals.order_by("-n", "query")[:limit])
    found = {
        (r.query, r.day): r.found
        for r in SearchDay.objects.filter(query__in=[t["query"] for t in top], day__in={t["last"] for t in top})
    }
    return [Searched(t["query"], t["n"], t["days"], t["last"], found[t["query"], t["last"]]) for t in top]


def synonym_groups() -> list[tuple[UUID, list[str]]]:
    """Every group of words that mean the same, newest first."""
    return [(r.id, r.words) for r in Synonym.objects.order_by("-id")]
