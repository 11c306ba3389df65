"""Search: names that have every word first, whole phrases before scattered ones, then the newest."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from tongzhou.catalog import search as index
from tongzhou.catalog import tree
from tongzhou.catalog.models import Product
from tongzhou.catalog.queries.cards import card_rows, low_price, published, to_cards
from tongzhou.catalog.rules import clean_text
from tongzhou.catalog.tokens import Term, normal, query_terms
from tongzhou.catalog.values import SearchResult

COUNT_CAP = 1_000  # "more than a thousand" is as much as a count ever says


def search(
    query: str, *, discount_bp: int, limit: int = 24, offset: int = 0, category_id: UUID | None = None,
    sort: str = "relevance", price_from_minor: int | None = None, price_to_minor: int | None = None,
) -> SearchResult:  # fmt: skip
    """Published products that contain every word of the query, in at most four queries.

    Chinese words are found inside names, however short; Latin words by their beginning. Order: name
    has all words, name contains the query as it stands, newest, id. ``sort``: ``relevance`` |
    ``newest`` | ``price`` | ``-price``; anything else is taken as relevance.
    """
    query = clean_text(query)[:100]
    terms = query_terms(query)
    if not terms:
        return SearchResult(query, 0, False, ())
    rows = _matching(terms)
    if category_id:
        node = tree.current().by_id.get(category_id)
        rows = rows.filter(category_id__in=node.descendants() if node else [category_id])
    if sort in {"price", "-price"} or price_from_minor is not None or price_to_minor is not None:
        rows = rows.annotate(low=low_price(discount_bp))
        if price_from_minor is not None:
            rows = rows.filter(low__gte=price_from_minor)
        if price_to_minor is not None:
            rows = rows.filter(low__lte=price_to_minor)
    offset, limit = max(0, min(offset, COUNT_CAP)), max(1, min(limit, COUNT_CAP))
    found = card_rows(_ordered(rows, terms, query, sort)[offset : offset + limit])
    count = offset + len(found) if 0 < len(found) < limit else rows[: COUNT_CAP + 1].count()
    return SearchResult(
        query, min(count, COUNT_CAP), count > COUNT_CAP, to_cards(found, discount_bp), tuple(t.token for t in terms)
    )


def _matching(terms: Sequence[Term]) -> "QuerySet[Product]":
    return published().filter(_has(terms, title=False))


def _has(terms: Sequence[Term], *, title: bool) -> Q:
    statement, params = index.engine().matching(terms, title=title)
    return Q(id__in=RawSQL(statement, params))  # noqa: S611 - our own constant SQL; the words are parameters


def _ordered(rows: "QuerySet[Product]", terms: Sequence[Term], query: str, sort: str) -> "QuerySet[Product]":
    if sort in {"price", "-price"}:
        return rows.order_by("low" if sort == "price" else "-low", "-id")
    if sort == "newest":
        return rows.order_by("-published_at", "-id")
    yes, no = Value(True), Value(False)
    phrase = " ".join(normal(query).split())
    return rows.annotate(
        named=Case(When(_has(terms, title=True), then=yes), default=no, output_field=BooleanField()),
        whole=Case(When(title_key__contains=phrase, then=yes), default=no, output_field=BooleanField()),
    ).order_by("-named", "-whole", "-published_at", "-id")


def suggest(query: str, *, limit: int = 8) -> list[tuple[str, str]]:
    """(title, slug) of products whose name has every word typed so far; one query."""
    terms = query_terms(clean_text(query))
    if not terms:
        return []
    rows = published().filter(_has(terms, title=True)).order_by("-published_at", "-id")
    return list(rows.values_list("title", "slug")[: max(1, min(limit, 20))])
