"""What the console lists: keyset pages by indexed keys, never a count."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import search as index
from tongzhou.catalog import shown
from tongzhou.catalog.models import MALL, ImportRun, PricePoint, Product, Sku, Stock, StockMovement
from tongzhou.catalog.queries.finding import _has
from tongzhou.catalog.queries.page import pictures_of
from tongzhou.catalog.tokens import query_terms
from tongzhou.catalog.values import (
    ConsoleProduct,
    ConsoleProductPage,
    ConsoleSku,
    ImportRunValue,
    LowStock,
    MovementValue,
    PricePointValue,
    ProductDraft,
    SkuDraft,
)
from tongzhou.kit.refusals import invalid, not_found

__all__ = [
    "console_product",
    "console_products",
    "import_runs",
    "index",
    "low_stock",
    "movements",
    "price_history",
    "running_out",
    "view_counts",
]


def console_products(
    *, status: str = "", query: str = "", category_ids: Sequence[UUID] = (), supplier_id: UUID | None = None,
    after: str = "", limit: int = 50,
) -> tuple[list[ConsoleProduct], str]:  # fmt: skip
    """Products of any status, last changed first, and the cursor of the next page; two queries.

    ``query``: words of the name, brand, tags or a SKU's code. *Refuses:* ``cursor_invalid``.
    """
    rows = Product.objects.order_by("-changed_at", "-id")
    if status:
        rows = rows.filter(status=status)
    if category_ids:
        rows = rows.filter(category_id__in=category_ids)
    if supplier_id:
        rows = rows.filter(supplier_id=supplier_id)
    if query.strip():
        terms = query_terms(query)
        rows = rows.filter(_has([terms], title=False)) if terms else rows.none()
    if after:
        moment, last = _cursor(after)
        rows = rows.filter(Q(changed_at__lt=moment) | Q(changed_at=moment, id__lt=last))
    limit = max(1, min(limit, 200))
    page = list(rows[: limit + 1])
    sums = _sums([p.id for p in page[:limit]])
    items = [_row(p, *sums.get(p.id, (0, 0))) for p in page[:limit]]
    more = len(page) > limit
    return items, f"{items[-1].changed_at.isoformat()}~{items[-1].id.hex}" if more else ""


def _cursor(after: str) -> tuple[datetime, UUID]:
    moment, _sep, last = after.partition("~")
    try:
        at, identity = datetime.fromisoformat(moment), UUID(last)
        if at.tzinfo is not None:
            return at.astimezone(UTC), identity
    except (ValueError, OverflowError):
        pass
    raise invalid("cursor_invalid", _("翻页的位置不对，请从头再看。"), field="after", value=after[:80])


def _sums(ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    """SKU counts and stock of products in one query."""
    rows = (
        Stock.objects.filter(sku__product_id__in=ids, sku__active=True, holder=MALL)
        .values("sku__product_id")
        .annotate(skus=Count("id"), left=Sum(F("on_hand") - F("reserved")))
    )
    return {r["sku__product_id"]: (r["skus"], r["left"] or 0) for r in rows}


def _row(p: Product, sku_count: int, left: int) -> ConsoleProduct:
    highs = [b for b in (p.list_high, p.own_high) if b is not None]
    return ConsoleProduct(
        p.id, p.slug, p.title, p.title_en, p.status, p.brand, p.category_id, p.supplier_id, sku_count, p.list_floor,
        max(highs, default=0), left, shown.value(p.cover, title=p.title, title_en=p.title_en), p.stage, p.version,
        p.changed_at,
    )  # fmt: skip


def console_product(product_id: UUID) -> ConsoleProductPage:
    """A product with everything the form edits, inactive SKUs included. *Refuses:* ``product_not_found``."""
    p = Product.objects.filter(id=product_id).first()
    if p is None:
        raise not_found(_("没有这个商品。"), code="product_not_found")
    rows = list(Sku.objects.filter(product_id=p.id).order_by("-active", "position", "id"))
    stock = {s.sku_id: s for s in Stock.objects.filter(sku_id__in=[r.id for r in rows], holder=MALL)}
    skus = tuple(
        ConsoleSku(
            r.id, r.code, tuple(r.option_values), tuple(r.option_values_en), r.list_price_minor, r.member_price_minor,
            r.cost_minor, r.weight_grams, r.barcode, r.active, stock[r.id].on_hand, stock[r.id].reserved,
        )
        for r in rows
        if r.id in stock
    )  # fmt: skip
    drafts = tuple(
        SkuDraft(
            s.code, s.list_price_minor, s.option_values, s.option_values_en, s.member_price_minor, s.cost_minor,
            s.weight_grams, s.barcode, s.active, s.on_hand, s.id,
        )
        for s in skus
        if s.active
    )  # fmt: skip
    draft = ProductDraft(
        p.slug, p.title, p.category_id, p.supplier_id, drafts, p.title_en, p.subtitle, p.subtitle_en, p.description,
        p.description_en, p.brand, tuple(p.option_names), tuple(p.option_names_en), p.stage, p.return_policy,
        tuple(p.tags), p.list_price_basis,
    )  # fmt: skip
    return ConsoleProductPage(p.id, p.status, p.version, draft, skus, pictures_of(p))


def low_stock(*, at_most: int = 5, limit: int = 50) -> list[LowStock]:
    """Active SKUs of published products that are running out, the emptiest first; one query."""
    rows = (
        Stock.objects.filter(sku__active=True, sku__product__status="PUBLISHED", holder=MALL)
        .annotate(left=F("on_hand") - F("reserved"))
        .filter(left__lte=at_most)
        .order_by("left", "sku_id")
        .values_list(
            "sku_id",
            "sku__code",
            "sku__product_id",
            "sku__product__title",
            "sku__product__title_en",
            "sku__option_values",
            "sku__option_values_en",
            "left",
        )
    )
    found = rows[: max(1, min(limit, 200))]
    return [LowStock(*r[:5], " · ".join(r[5]), " · ".join(r[6]), r[7]) for r in found]


def running_out(*, at_most: int = 5, limit: int = 50) -> list[ConsoleProduct]:
    """The products of those SKUs as rows of the list, the emptiest first; three queries."""
    order = list(dict.fromkeys(low.product_id for low in low_stock(at_most=at_most, limit=limit)))
    rows = {p.id: p for p in Product.objects.filter(id__in=order)}
    sums = _sums(order)
    return [_row(rows[i], *sums.get(i, (0, 0))) for i in order if i in rows]


def view_counts(most: int = 100) -> dict[str, int]:
    """How many products are drafts, on sale, or running out, each counted to ``most``."""
    low = Stock.objects.filter(sku__active=True, sku__product__status="PUBLISHED", holder=MALL)
    return {
        "draft": Product.objects.filter(status="DRAFT")[:most].count(),
        "published": Product.objects.filter(status="PUBLISHED")[:most].count(),
        "low": low.filter(on_hand__lte=F("reserved") + 5).values("sku__product_id").distinct()[:most].count(),
    }


def price_history(sku_id: UUID, *, limit: int = 100) -> list[PricePointValue]:
    """What a SKU's prices were, newest first."""
    rows = PricePoint.objects.filter(sku_id=sku_id).order_by("-at", "-id")
    return [PricePointValue(*r) for r in rows.values_list("at", "list_price_minor", "member_price_minor", "by")[:limit]]


def movements(sku_id: UUID, *, limit: int = 100) -> list[MovementValue]:
    """What changed a SKU's level, newest first."""
    rows = StockMovement.objects.filter(sku_id=sku_id).order_by("-at", "-id")
    return [MovementValue(*r) for r in rows.values_list("at", "kind", "delta", "order_id", "reason", "actor")[:limit]]


def import_runs(*, limit: int = 20) -> list[ImportRunValue]:
    """Recent imports, newest first."""
    rows = ImportRun.objects.order_by("-started_at", "-id")
    fields = ("id", "format", "file_name", "supplier_code", "actor", "started_at", "finished", "summary")
    return [ImportRunValue(*r) for r in rows.values_list(*fields)[:limit]]
