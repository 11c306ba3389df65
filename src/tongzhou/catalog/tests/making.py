"""A shop for tests: one supplier, one category, products on demand."""

from datetime import UTC, datetime
from uuid import UUID

from tongzhou.catalog import commands
from tongzhou.catalog.models import Category
from tongzhou.catalog.values import ProductDraft, SavedProduct, SkuDraft
from tongzhou.kit.actor import operator
from tongzhou.kit.ids import new_id
from tongzhou.suppliers.commands import ensure_supplier

AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
BY = operator(new_id(), "沈岚")


def a_supplier() -> UUID:
    return ensure_supplier("yanshang", "岩上茶社", "Yanshang Tea", AT)


def a_category(slug: str = "tea", parent_id: UUID | None = None, name: str = "茶") -> UUID:
    found = Category.objects.filter(slug=slug).values_list("id", flat=True).first()
    return found or commands.create_category(
        slug=slug, name=name, name_en=slug.title(), parent_id=parent_id, by=BY, at=AT
    )


def a_draft(slug: str = "rougui", *, stock: int = 5, prices: tuple[int, ...] = (7900,), **more: object) -> ProductDraft:
    options = ("包装",) if len(prices) > 1 else ()
    skus = tuple(
        SkuDraft(
            code=f"{slug.upper()}-{i}",
            list_price_minor=price,
            on_hand=stock,
            option_values=(f"规格{i}",) if options else (),
        )
        for i, price in enumerate(prices)
    )
    fields: dict[str, object] = {
        "slug": slug,
        "title": "武夷肉桂 岩茶",
        "title_en": "Wuyi Rougui",
        "category_id": a_category(),
        "supplier_id": a_supplier(),
        "skus": skus,
        "option_names": options,
    }
    return ProductDraft(**{**fields, **more})


def a_product(slug: str = "rougui", *, published: bool = True, **more: object) -> SavedProduct:
    saved = commands.save_product(draft=a_draft(slug, **more), by=BY, at=AT)
    if published:
        commands.publish(product_ids=[saved.id], by=BY, at=AT)
    return saved


def the_sku(saved: SavedProduct) -> UUID:
    return next(iter(saved.sku_ids.values()))
