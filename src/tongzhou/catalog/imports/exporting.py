"""Writing the mall's own product file."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from tongzhou.catalog import tree
from tongzhou.catalog.imports.cells import guarded
from tongzhou.catalog.imports.tongzhou import HEADER
from tongzhou.catalog.models import MALL, Picture, PictureKind, Product, Sku, Stock
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import plain
from tongzhou.suppliers import queries as suppliers

CHUNK = 200
_SAME = (
    "slug", "title", "title_en", "subtitle", "subtitle_en", "description", "description_en", "brand", "stage",
    "return_policy", "list_price_basis", "status",
)  # fmt: skip


def write(out: Path, progress: Callable[[int], None] | None = None) -> int:
    """Write every product; how many. The file appears whole or not at all."""
    scratch = out.with_name(f".{out.name}.{new_id().hex}.tmp")
    done = 0
    try:
        with scratch.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, HEADER, restval="")
            writer.writeheader()
            for products in _chunks():
                for row in _rows(products):
                    writer.writerow({k: guarded(str(v)) for k, v in row.items()})
                done += len(products)
                if progress:
                    progress(done)
        scratch.replace(out)
    finally:
        scratch.unlink(missing_ok=True)
    return done


def _chunks() -> Iterator[list[Product]]:
    last = None
    while True:
        rows = Product.objects.order_by("id")
        found = list((rows.filter(id__gt=last) if last else rows)[:CHUNK])
        if not found:
            return
        yield found
        last = found[-1].id


def _rows(products: list[Product]) -> Iterator[dict[str, Any]]:
    ids = [p.id for p in products]
    skus: dict[Any, list[Sku]] = {}
    for sku in Sku.objects.filter(product_id__in=ids, active=True).order_by("position", "id"):
        skus.setdefault(sku.product_id, []).append(sku)
    pictures: dict[Any, list[Picture]] = {}
    for picture in Picture.objects.filter(product_id__in=ids).order_by("position", "id"):
        pictures.setdefault(picture.product_id, []).append(picture)
    stock = dict(Stock.objects.filter(sku__product_id__in=ids, holder=MALL).values_list("sku_id", "on_hand"))
    named = suppliers.by_ids({p.supplier_id for p in products})
    for product in products:
        of_it, shown = skus.get(product.id, []), pictures.get(product.id, [])
        for i in range(max(1, len(of_it), len(shown))):
            row: dict[str, Any] = {"slug": product.slug}
            if i == 0:
                row |= _head(product)
                if supplier := named.get(product.supplier_id):
                    row |= {"supplier": supplier.code, "supplier_name": supplier.name}
            if i < len(of_it):
                row |= _sku(of_it[i], stock.get(of_it[i].id, 0))
            if i < len(shown):
                row |= _picture(shown[i])
            yield row


def _head(product: Product) -> dict[str, Any]:
    path = [tree.current().by_id[i] for i in reversed(tree.current().by_id[product.category_id].path)]
    row: dict[str, Any] = {name: getattr(product, name) for name in _SAME}
    row |= {
        "tags": ",".join(product.tags), "category": "/".join(c.slug for c in path),
        "category_name": "/".join(c.name.replace("/", " ") for c in path),
        "category_name_en": "/".join(c.name_en.replace("/", " ") for c in path),
    }  # fmt: skip
    for i, name in enumerate(product.option_names, 1):
        row[f"option{i}_name"] = name
    for i, name in enumerate(product.option_names_en, 1):
        row[f"option{i}_name_en"] = name
    return row


def _sku(sku: Sku, on_hand: int) -> dict[str, Any]:
    def price(minor: int | None) -> str:
        return "" if minor is None else plain(minor, settings.CURRENCY)

    row: dict[str, Any] = {
        "sku": sku.code, "list_price": price(sku.list_price_minor), "member_price": price(sku.member_price_minor),
        "cost": price(sku.cost_minor), "on_hand": on_hand, "weight_grams": sku.weight_grams, "barcode": sku.barcode,
    }  # fmt: skip
    for i, value in enumerate(sku.option_values, 1):
        row[f"option{i}_value"] = value
    for i, value in enumerate(sku.option_values_en, 1):
        row[f"option{i}_value_en"] = value
    return row


def _picture(picture: Picture) -> dict[str, Any]:
    where = {
        PictureKind.UPLOADED: f"media:{picture.path}",
        PictureKind.DRAWN: f"drawn:{picture.path}",
        PictureKind.REMOTE: picture.source_url,
    }[PictureKind(picture.kind)]
    return {"picture": where, "picture_alt": picture.alt, "picture_alt_en": picture.alt_en}
