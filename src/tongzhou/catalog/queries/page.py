"""The product page, in at most four queries beside the category tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import rules, shown, tree
from tongzhou.catalog.models import MALL, DealDay, Picture, Product, Sku, Status
from tongzhou.catalog.values import (
    CategoryNode,
    OptionChoice,
    OptionGroup,
    PictureValue,
    ProductPage,
    SkuOption,
)
from tongzhou.kit import selects
from tongzhou.kit.clock import mall_day
from tongzhou.kit.idempotency import owner_of
from tongzhou.kit.refusals import not_found


def product_page(slug: str, discount_bp: int, *, at: datetime | None = None, drafts: bool = False) -> ProductPage:
    """Everything a product's page shows. ``at`` = now, for reference prices; without it only documented ones show.

    ``drafts`` lets operators look at what is not published; archived products show to everybody
    who has the address, with nothing to buy. *Refuses:* ``product_not_found``.
    """
    product = selects.one(Product, "t.slug = %s", [slug])
    if product is None or (product.status == Status.DRAFT and not drafts):
        raise not_found(_("没有这个商品，可能已经下架。"), code="product_not_found")
    rows = [(selects.build(Sku, row[1:]), row[0]) for row in selects.fetch(_skus_and_room(), [MALL, product.id])]
    deals = _deals([r.id for r, _room in rows], at) if at and not product.list_price_basis else {}
    sold = product.status != Status.ARCHIVED
    skus = tuple(_option(r, room, product, deals.get(r.id) or Deals(), discount_bp, sold) for r, room in rows)
    prices = [s.price_minor for s in skus]
    node = tree.current().by_id.get(product.category_id)
    return ProductPage(
        id=product.id, slug=product.slug, title=product.title, title_en=product.title_en, subtitle=product.subtitle,
        subtitle_en=product.subtitle_en, description=product.description, description_en=product.description_en,
        brand=product.brand, category=node or _lost(product.category_id), supplier_id=product.supplier_id,
        status=product.status, stage=product.stage, return_policy=product.return_policy, tags=tuple(product.tags),
        options=_groups(product.option_names, product.option_names_en, skus), skus=skus,
        pictures=pictures_of(product), price_from_minor=min(prices, default=0), price_to_minor=max(prices, default=0),
        list_from_minor=product.list_floor, list_price_basis=product.list_price_basis,
        published_at=product.published_at, version=product.version,
    )  # fmt: skip


@cache
def _skus_and_room() -> str:
    return (
        f"SELECT r.on_hand - r.reserved, {selects.columns(Sku, 's')} FROM catalog_sku s"  # noqa: S608
        " LEFT JOIN catalog_stock r ON r.sku_id = s.id AND r.holder = %s"
        " WHERE s.product_id = %s AND s.active ORDER BY s.position, s.id"
    )


def current_slug(slug: str) -> str | None:
    """Where a product that once had this slug lives now, for a redirect; None when it never existed or is not shown."""
    owner = owner_of(f"slug:{slug}")
    if owner is None:
        return None
    rows = Product.objects.filter(id=owner).exclude(status=Status.DRAFT)
    return rows.exclude(slug=slug).values_list("slug", flat=True).first()


@dataclass(slots=True)
class Deals:
    """Real prices of one SKU: the daily lows of the previous seven days, and the last deal before."""

    week: list[int] = field(default_factory=list)
    last: int | None = None


def _deals(sku_ids: Sequence[UUID], at: datetime) -> dict[UUID, Deals]:
    """One query: the last 60 days of deals, newest first; today's do not count, because today is what is compared."""
    today = mall_day(at)
    out: dict[UUID, Deals] = {}
    if not sku_ids:
        return out
    where = f"t.sku_id IN ({', '.join(['%s'] * len(sku_ids))}) AND t.day < %s AND t.day >= %s ORDER BY t.day DESC"
    for row in selects.many(DealDay, where, [*sku_ids, today, today - timedelta(days=60)]):
        deals = out.setdefault(row.sku_id, Deals())
        if row.day >= today - timedelta(days=7):
            deals.week.append(row.lowest_minor)
        if deals.last is None:
            deals.last = row.last_minor
    return out


def _option(row: Sku, room: int | None, product: Product, deals: Deals, discount_bp: int, sold: bool) -> SkuOption:
    price = rules.member_price(row.list_price_minor, row.member_price_minor, discount_bp)
    reference = rules.shown_reference(
        row.list_price_minor, deals.week, price=price, last_deal=deals.last, documented=bool(product.list_price_basis)
    )
    left = max(0, room or 0) if sold and price > 0 else 0
    return SkuOption(
        row.id, row.code, tuple(row.option_values), tuple(row.option_values_en), row.list_price_minor, price, reference,
        left, rules.option_text(row.option_values), rules.option_text(row.option_values_en or row.option_values),
        row.cost_minor,
    )  # fmt: skip


def _groups(names: Sequence[str], names_en: Sequence[str], skus: Sequence[SkuOption]) -> tuple[OptionGroup, ...]:
    groups = []
    for i, name in enumerate(names):
        values: dict[str, tuple[str, bool]] = {}
        for sku in skus:
            value_en = sku.values_en[i] if i < len(sku.values_en) else sku.values[i]
            known = values.get(sku.values[i], (value_en, True))
            values[sku.values[i]] = (known[0], known[1] and sku.available == 0)
        choices = tuple(OptionChoice(v, en, out) for v, (en, out) in values.items())
        groups.append(OptionGroup(name, names_en[i] if i < len(names_en) else name, choices))
    return tuple(groups)


def pictures_of(product: Product) -> tuple[PictureValue, ...]:
    """A product's pictures in order; the placeholder when it has none."""
    rows = selects.many(Picture, "t.product_id = %s ORDER BY t.position, t.id", [product.id])
    found = [shown.value(shown.record(p), title=product.title, title_en=product.title_en, id=p.id) for p in rows]
    return tuple(found) or (shown.value({}, title=product.title, title_en=product.title_en),)


def _lost(category_id: UUID) -> CategoryNode:
    """A category another process made within the last two seconds: named on the next look."""
    return CategoryNode(category_id, "", "", "", None, 0, "", (category_id,))
