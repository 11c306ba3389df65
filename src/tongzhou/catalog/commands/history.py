"""SKUs that only history knows: archived products, so that old orders have something to point at."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tongzhou.catalog.commands import shelf
from tongzhou.catalog.commands.categories import create_category
from tongzhou.catalog.models import Category, Product, Sku, Status, Stock
from tongzhou.catalog.rules import clean_text
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import take
from tongzhou.kit.ids import new_id
from tongzhou.suppliers.commands import ensure_supplier

CATEGORY = "uncategorised"


def uncategorised(*, by: Actor, at: datetime) -> UUID:
    """The category of goods that name none."""
    found = Category.objects.filter(slug=CATEGORY).values_list("id", flat=True).first()
    return found or create_category(slug=CATEGORY, name="未分类", name_en="Uncategorised", position=9_999, by=by, at=at)


@transaction.atomic
def ensure_historical_skus(
    *, items: Sequence[tuple[str, str, int]], by: Actor, at: datetime, supplier_code: str = "import"
) -> dict[str, UUID]:
    """SKU ids by code, for ``(code, title, list_price_minor)`` of past sales; unknown codes become archived products.

    Nothing is refused: titles are cut, prices below zero count as zero, codes longer than 64 are cut.
    """
    wanted = {code.strip()[:64]: (title, price) for code, title, price in items if code.strip()}
    found: dict[str, UUID] = {}
    codes = list(wanted)
    for start in range(0, len(codes), 400):
        found.update(Sku.objects.filter(code__in=codes[start : start + 400]).values_list("code", "id"))
    missing = [code for code in codes if code not in found]
    if not missing:
        return found
    supplier_id = ensure_supplier(supplier_code, "导入的供应商", "Imported supplier", at, by=by)
    category_id = uncategorised(by=by, at=at)
    products, skus = [], []
    for code in missing:
        title, price = wanted[code]
        product_id, sku_id = new_id(), new_id()
        slug = f"old-{hashlib.sha256(code.encode('utf-8', 'replace')).hexdigest()[:16]}"
        if not (take(f"sku:{code}", at=at, owner_id=product_id) and take(f"slug:{slug}", at=at, owner_id=product_id)):
            continue
        products.append(
            Product(
                id=product_id, slug=slug, title=clean_text(title)[:200] or code, category_id=category_id,
                supplier_id=supplier_id, status=Status.ARCHIVED, created_at=at, changed_at=at,
            )
        )  # fmt: skip
        skus.append(Sku(id=sku_id, product_id=product_id, code=code, list_price_minor=max(0, price)))
        found[code] = sku_id
    Product.objects.bulk_create(products, batch_size=200)
    Sku.objects.bulk_create(skus, batch_size=500)
    Stock.objects.bulk_create([Stock(sku_id=s.id) for s in skus], batch_size=500)
    shelf.refresh(p.id for p in products)
    audit.record(
        by=by,
        action="product.from_history",
        subject_kind="supplier",
        subject_id=supplier_id,
        at=at,
        count=len(products),
    )
    return found
