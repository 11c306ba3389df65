"""Cards of products in lists: one query for all of them, one row each whatever the number of SKUs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import rules, shown, tree
from tongzhou.catalog.models import Product, Status
from tongzhou.catalog.queries.sieves import IN_STOCK, STOCKED, published, sieved
from tongzhou.catalog.values import CardPage, ProductCard, Sieve
from tongzhou.kit import selects
from tongzhou.kit.refusals import Refusal, invalid

SORTS = ("newest", "price", "-price")
MOST = 100
_ALL = Sieve()
_FIELDS = (
    "id", "slug", "title", "title_en", "subtitle", "subtitle_en", "list_low", "list_high", "own_low", "own_high",
    "list_floor", "list_price_basis", "cover", "stage", "category_id", "supplier_id", "published_at",
)  # fmt: skip


def bounds(
    list_low: int | None, list_high: int | None, own_low: int | None, own_high: int | None, discount_bp: int
) -> tuple[int, int]:
    """The lowest and highest member price of a product from its four kept bounds.

    Exact, because the discounted price never falls when the list price rises.
    """
    lows = [rules.member_price(list_low, None, discount_bp)] if list_low is not None else []
    highs = [rules.member_price(list_high, None, discount_bp)] if list_high is not None else []
    lows += [own_low] if own_low is not None else []
    highs += [own_high] if own_high is not None else []
    return min(lows, default=0), max(highs, default=0)


def to_cards(rows: Sequence[tuple[Any, ...]], discount_bp: int) -> tuple[ProductCard, ...]:
    """Rows of :func:`card_rows` as cards; no query."""
    out = []
    for (
        id_, slug, title, title_en, subtitle, subtitle_en, list_low, list_high, own_low, own_high, floor, basis, cover,
        stage, category_id, supplier_id, published_at, stocked,
    ) in rows:  # fmt: skip
        low, high = bounds(list_low, list_high, own_low, own_high, discount_bp)
        reference = rules.shown_reference(floor, (), price=low, documented=bool(basis)) if low == high else None
        picture = shown.value(cover, title=title, title_en=title_en)
        out.append(
            ProductCard(
                id_, slug, title, title_en, subtitle, subtitle_en, low, high, floor, reference, picture, stage,
                bool(stocked), category_id, supplier_id, published_at,
            )
        )  # fmt: skip
    return tuple(out)


def card_rows(rows: "QuerySet[Product]") -> list[tuple[Any, ...]]:
    """What cards are made of: ``_FIELDS``, then whether something is in stock."""
    return list(rows.values_list(*_FIELDS, STOCKED))


def cards(
    *, discount_bp: int, category_id: UUID | None = None, supplier_id: UUID | None = None, sort: str = "newest",
    after: str = "", limit: int = 24, sieve: Sieve = _ALL,
) -> CardPage:  # fmt: skip
    """Published products that pass the sieve, a keyset page in one query; a category includes everything below it.

    ``sort``: ``newest`` | ``price`` | ``-price``. *Refuses:* ``cursor_invalid``, ``sort_unknown``.
    """
    if sort not in SORTS:
        raise invalid("sort_unknown", _("没有这种排序。"), field="sort", value=sort, rule=" | ".join(SORTS))
    limit = max(1, min(limit, MOST))
    node = tree.current().by_id.get(category_id) if category_id else None
    ids = node.descendants() if node else [category_id] if category_id else []
    if sort == "newest" and sieve != _ALL:
        rows = sieved(_placed(ids, supplier_id), sieve, discount_bp)
        found = card_rows(_after_newest(rows, after)[: limit + 1])
    elif sort == "newest":
        found = _newest(ids, supplier_id, after, limit + 1)
    else:
        found = card_rows(
            _after_price(sieved(_placed(ids, supplier_id), sieve, discount_bp, priced=True), after, sort)[: limit + 1]
        )
    items = to_cards(found[:limit], discount_bp)
    if len(found) <= limit or not items:
        return CardPage(items)
    last = items[-1]
    key = last.published_at.isoformat() if sort == "newest" and last.published_at else str(last.price_from_minor)
    return CardPage(items, f"{key}~{last.id.hex}")


def _cursor(after: str) -> tuple[str, UUID]:
    key, _sep, hexed = after.partition("~")
    try:
        return key, UUID(hexed)
    except ValueError:
        raise _bad_cursor(after) from None


def _bad_cursor(after: str) -> Refusal:
    return invalid("cursor_invalid", _("翻页的位置不对，请从头再看。"), field="after", value=after[:80])


def _newest(ids: Sequence[UUID], supplier_id: UUID | None, after: str, limit: int) -> list[tuple[Any, ...]]:
    where, params = ["t.status = %s"], [Status.PUBLISHED.value, *ids]
    if ids:
        where.append("t.category_id = %s" if len(ids) == 1 else f"t.category_id IN ({', '.join(['%s'] * len(ids))})")
    if supplier_id:
        where.append("t.supplier_id = %s")
        params.append(supplier_id)
    if after:
        where.append("(t.published_at, t.id) < (%s, %s)")
        params += _newest_cursor(after)
    tail = f"{' AND '.join(where)} ORDER BY t.published_at DESC, t.id DESC LIMIT %s"
    return selects.picked(Product, _FIELDS, tail, [*params, limit], IN_STOCK.format("t"))


def _newest_cursor(after: str) -> tuple[datetime, UUID]:
    key, last = _cursor(after)
    try:
        moment = datetime.fromisoformat(key)
        if moment.tzinfo is None:
            raise _bad_cursor(after)
        return moment.astimezone(UTC), last
    except (ValueError, OverflowError):  # a moment beyond what a clock of another zone can say, too
        raise _bad_cursor(after) from None


def _placed(ids: Sequence[UUID], supplier_id: UUID | None) -> "QuerySet[Product]":
    rows = published().filter(category_id__in=ids) if ids else published()
    return rows.filter(supplier_id=supplier_id) if supplier_id else rows


def _after_newest(rows: "QuerySet[Product]", after: str) -> "QuerySet[Product]":
    if after:
        moment, last = _newest_cursor(after)
        rows = rows.filter(Q(published_at__lt=moment) | Q(published_at=moment, id__lt=last))
    return rows.order_by("-published_at", "-id")


def _after_price(rows: "QuerySet[Product]", after: str, sort: str) -> "QuerySet[Product]":
    up = sort == "price"
    if after:
        key, last = _cursor(after)
        if not key.isdecimal() or len(key) > 16:
            raise _bad_cursor(after)
        beyond = Q(low__gt=int(key)) if up else Q(low__lt=int(key))
        rows = rows.filter(beyond | Q(low=int(key), id__lt=last))
    return rows.order_by("low" if up else "-low", "-id")


def cards_by_ids(ids: Iterable[UUID], *, discount_bp: int, shown_only: bool = False) -> dict[UUID, ProductCard]:
    """Cards of named products, in one query; ``shown_only`` leaves out what visitors may not see."""
    rows = card_rows((published() if shown_only else Product.objects).filter(id__in=list(ids)[:500]))
    return {card.id: card for card in to_cards(rows, discount_bp)}
