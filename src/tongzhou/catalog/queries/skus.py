"""SKUs as cart and orders need them, and their levels."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from tongzhou.catalog import rules, shown, sql
from tongzhou.catalog.models import MALL, Sku, Status, Stock
from tongzhou.catalog.values import Level, SkuInfo


def skus(ids: Iterable[UUID], discount_bp: int) -> dict[UUID, SkuInfo]:
    """Several SKUs in one query; unknown ids are left out, unsold ones come with ``sellable`` False."""
    return skus_with_room(ids, discount_bp)[0]


def skus_with_room(ids: Iterable[UUID], discount_bp: int) -> tuple[dict[UUID, SkuInfo], dict[UUID, int]]:
    """Several SKUs and how many of each can be bought now, in one query."""
    wanted = sorted(set(ids))
    found = sql.sku_rows("id", wanted) if wanted else []
    infos = {info.id: info for info in _infos((row[:-1] for row in found), discount_bp)}
    return infos, {row[0]: max(0, row[-1] or 0) for row in found}


def sku_by_codes(codes: Sequence[str], discount_bp: int = 0) -> dict[str, SkuInfo]:
    """SKUs by their codes; unknown codes are left out."""
    out: dict[str, SkuInfo] = {}
    for start in range(0, len(codes), 400):
        rows = sql.sku_rows("code", codes[start : start + 400])
        out.update({info.code: info for info in _infos((row[:-1] for row in rows), discount_bp)})
    return out


def _infos(rows: Iterable[tuple[Any, ...]], discount_bp: int) -> Iterable[SkuInfo]:
    for (
        id_, code, product_id, slug, path, supplier_id, title, title_en, values, values_en, listed, own, cost, policy,
        status, active, cover, stage, weight,
    ) in rows:  # fmt: skip
        price = rules.member_price(listed, own, discount_bp)
        yield SkuInfo(
            id=id_, code=code, product_id=product_id, product_slug=slug, category_ids=tuple(map(UUID, path)),
            supplier_id=supplier_id, title=title, title_en=title_en, option_text=rules.option_text(values),
            option_text_en=rules.option_text(values_en or values), list_price_minor=listed, price_minor=price,
            cost_minor=cost, return_policy=policy, sellable=status == Status.PUBLISHED and active and price > 0,
            picture=shown.value(cover, title=title).src, stage=stage, weight_grams=weight,
        )  # fmt: skip


def sku_ids_of(product_id: UUID) -> list[UUID]:
    """The active SKUs of a product, in order."""
    return list(
        Sku.objects.filter(product_id=product_id, active=True).order_by("position", "id").values_list("id", flat=True)
    )


def levels(sku_ids: Iterable[UUID]) -> dict[UUID, Level]:
    """Stock of several SKUs in one query; a SKU without a row has none."""
    wanted = set(sku_ids)
    rows = Stock.objects.filter(sku_id__in=wanted, holder=MALL).values_list("sku_id", "on_hand", "reserved")
    found = {row[0]: Level(*row) for row in rows}
    return {sku: found.get(sku) or Level(sku, 0, 0) for sku in wanted}


def available(sku_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many of each SKU can be bought now, in one query."""
    return {sku: level.available for sku, level in levels(sku_ids).items()}
