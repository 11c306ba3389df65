"""Search: names that have every word first, whole phrases before scattered ones, what fits best, then the newest.

How it ranks, and what it takes a query for, is docs/algorithms/search.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db.models import Case, Count, Max, Q, QuerySet, SmallIntegerField, Sum, Value, When
from django.db.models.expressions import RawSQL

from tongzhou.catalog import search as index
from tongzhou.catalog import tree, wording
from tongzhou.catalog.models import Product, SearchDay, Synonym
from tongzhou.catalog.queries.cards import card_rows, to_cards
from tongzhou.catalog.queries.sieves import published, sieved
from tongzhou.catalog.rules import clean_text
from tongzhou.catalog.tokens import Term, normal, query_terms
from tongzhou.catalog.values import SearchResult, Sieve, Suggestion

COUNT_CAP = 1_000  # "more than a thousand" is as much as a count ever says
_ALL = Sieve()
GUESSED = 200  # matches a suggestion is chosen from
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


def search(
    query: str, *, discount_bp: int, limit: int = 24, offset: int = 0, sort: str = "relevance", sieve: Sieve = _ALL,
    exact: bool = False,
) -> SearchResult:  # fmt: skip
    """Published products that contain every word of the query and pass the sieve, in at most five queries.

    Chinese words are found inside names, however short, in either script; Latin words by their
    beginning, as words or as pinyin and initials of names; synonyms count as the word itself. When
    nothing is found, Latin words a letter away from known ones are looked for instead, unless ``exact``. Order: name has
    all words, name contains the query as it stands, how well it fits (a word of the name ends with it, its
    category is called so), newest, id. ``sort``: ``relevance`` | ``newest`` |
    ``price`` | ``-price``; anything else is taken as relevance.
    """
    query = clean_text(query)[:100]
    offset, limit = max(0, min(offset, COUNT_CAP)), max(1, min(limit, COUNT_CAP))
    ways = ways_of(query)
    if not ways:
        return SearchResult(query, 0, False, ())
    found = _look(query, ways, sieve, discount_bp, sort, offset, limit)
    if found.count or exact or (sieve != _ALL and matching(ways).exists()):
        return found
    better = wording.corrected(query)
    if not better or not matching(ways_of(better)).exists():
        return found
    return replace(
        _look(better, ways_of(better), sieve, discount_bp, sort, offset, limit), query=query, corrected=better
    )


def ways_of(query: str) -> list[list[Term]]:
    """The ways a query may be met: itself and what synonyms make of it, each as the terms it asks for."""
    return [terms for way in wording.ways(query) if (terms := query_terms(way))]


def _look(
    query: str, ways: Ways, sieve: Sieve, discount_bp: int, sort: str, offset: int, limit: int
) -> SearchResult:  # fmt: skip
    rows = sieved(matching(ways), sieve, discount_bp, priced=sort in {"price", "-price"})
    found = card_rows(_ordered(rows, ways, query, sort)[offset : offset + limit])
    count = offset + len(found) if 0 < len(found) < limit else rows[: COUNT_CAP + 1].count()
    tokens = dict.fromkeys(t.token for terms in ways for t in terms)
    return SearchResult(query, min(count, COUNT_CAP), count > COUNT_CAP, to_cards(found, discount_bp), tuple(tokens))


def matching(ways: Ways) -> "QuerySet[Product]":
    """Published products whose entry in the index meets one of the ways."""
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


def suggest(query: str, *, limit: int = 8) -> list[Suggestion]:
    """Products whose name has every word typed so far, or sounds like it; one query.

    Of the newest 200 that match, what has it as typed, and ends so, comes first: a keystroke costs the same in a
    large mall.
    """
    query = clean_text(query)[:100]
    ways = ways_of(query)
    if not ways:
        return []
    phrase = " ".join(normal(query).split())
    heard = any(term.heard for terms in ways for term in terms)
    rows = published().filter(_has(ways, title=not heard)).order_by("-published_at", "-id")
    found = list(rows.values_list("title", "title_en", "slug", "title_key")[:GUESSED])
    found.sort(
        key=lambda row: (phrase not in row[3], not _ends(row[3], phrase))
    )  # stable: the newest first among equals
    return [Suggestion(*row[:3]) for row in found[: max(1, min(limit, 20))]]


def _ends(key: str, phrase: str) -> bool:
    return key.endswith(phrase) or any(phrase + after in key for after in _ENDS)


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
