"""The mall's own product file: everything a product is, one row per SKU, further rows for further pictures.

Written by ``tongzhou export products``, read by ``--format tongzhou``; what was exported comes back the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.imports import cells
from tongzhou.catalog.imports.parts import CategoryName, ImportedPicture, ImportedProduct, ImportedSku, Report, Row
from tongzhou.catalog.models import PictureKind, Status
from tongzhou.catalog.rules import clean_text

TEXTS = (
    "title", "title_en", "subtitle", "subtitle_en", "description", "description_en", "brand", "stage", "return_policy",
    "list_price_basis",
)  # fmt: skip
PRODUCT = (
    "slug",
    *TEXTS,
    "tags",
    "category",
    "category_name",
    "category_name_en",
    "supplier",
    "supplier_name",
    "status",
)
OPTIONS = tuple(f"option{i}_{part}" for i in (1, 2, 3) for part in ("name", "name_en", "value", "value_en"))
SKU = ("sku", "list_price", "member_price", "cost", "on_hand", "weight_grams", "barcode")
PICTURE = ("picture", "picture_alt", "picture_alt_en")
HEADER = (*PRODUCT, *OPTIONS, *SKU, *PICTURE)
_PRICES = (("list_price", "list_price_minor"), ("member_price", "member_price_minor"), ("cost", "cost_minor"))
_PICTURES = {"drawn": PictureKind.DRAWN, "media": PictureKind.UPLOADED}


class Tongzhou:
    """``--format tongzhou``."""

    name = "tongzhou"
    required = (frozenset({"slug"}), frozenset({"title"}), frozenset({"sku"}), frozenset({"list_price"}))
    columns: Mapping[str, str] = {
        "code": "sku", "list_price_minor": "list_price", "member_price_minor": "member_price", "cost_minor": "cost",
        "option_values": "option1_value", "option_names": "option1_name",
    }  # fmt: skip

    def products(self, rows: Iterable[Row], report: Report, currency: str) -> Iterable[ImportedProduct]:
        """Groups of rows by slug."""
        groups: dict[str, list[Row]] = {}
        for row in rows:
            if not row.get("slug"):
                report.refuse(row.line, "slug", "", "slug_missing", _("这一行没有 slug。"), _("补上 slug。"))
                continue
            groups.setdefault(row.get("slug"), []).append(row)
        codes: set[str] = set()
        for slug, group in groups.items():
            out = _product(slug, group, report)
            for row in group if out.said else ():
                if row.get("sku", "list_price") and (
                    sku := _sku(row, len(out.said["option_names"]), report, currency, codes)
                ):
                    codes.add(sku.code)
                    out.skus.append(sku)
            yield out


def _product(slug: str, rows: list[Row], report: Report) -> ImportedProduct:
    head = next((r for r in rows if r.get("title")), rows[0])
    out = ImportedProduct(slug, head.line, {}, keep_category=False)
    if not head.get("title"):
        report.refuse(head.line, "title", "", "title_missing", _("这个商品没有名称。"), _("在第一行写上 title。"))
        return out
    names = tuple(n for n in (_cell(head, f"option{i}_name") for i in (1, 2, 3)) if n)
    names_en = tuple(_cell(head, f"option{i}_name_en") for i in range(1, len(names) + 1))
    out.said = {name: _cell(head, name) for name in TEXTS if name in head.cells}
    if not out.said.get("return_policy", "set"):
        del out.said["return_policy"]
    out.said |= {"slug": slug, "option_names": names, "option_names_en": names_en if any(names_en) else ()}
    if "tags" in head.cells:
        out.said["tags"] = tuple(t for t in (clean_text(t) for t in _cell(head, "tags").split(",")) if t)
    out.category = _category(head)
    out.supplier_code, out.supplier_name = _cell(head, "supplier"), _cell(head, "supplier_name")
    out.status = _cell(head, "status") if _cell(head, "status") in set(Status) else ""
    out.pictures = [p for row in rows for p in _picture(row, report)]
    return out


def _cell(row: Row, name: str) -> str:
    return cells.unguarded(row.get(name))


def _category(head: Row) -> tuple[CategoryName, ...]:
    slugs = [s for s in _cell(head, "category").split("/") if s]
    names = _cell(head, "category_name").split("/")
    names_en = _cell(head, "category_name_en").split("/")
    return tuple(
        CategoryName(names[i] if i < len(names) and names[i] else slug, slug, names_en[i] if i < len(names_en) else "")
        for i, slug in enumerate(slugs)
    )


def _sku(row: Row, options: int, report: Report, currency: str, codes: set[str]) -> ImportedSku | None:
    code = _cell(row, "sku")
    if not code or code in codes:
        report.refuse(
            row.line, "sku", code, "sku_code_taken", _("SKU 编码空着，或者文件里已经有。"), _("每个规格用自己的编码。")
        )
        return None
    said: dict[str, Any] = {}
    for column, name in _PRICES:
        raw = row.get(column)
        price = cells.amount(raw, currency) if raw else None
        if price is None and (raw or column == "list_price"):
            report.refuse(
                row.line,
                column,
                raw,
                "price_invalid",
                _("价格不是一个可用的数。"),
                _("写成 12.90 这样的数，不超过两位小数。"),
            )
            return None
        if column in row.cells:
            said[name] = price
    numbers = {name: cells.whole(row.get(name)) for name in ("on_hand", "weight_grams")}
    for name, number in numbers.items():
        if row.get(name) and (number is None or number < 0):
            report.refuse(
                row.line,
                name,
                row.get(name),
                "quantity_invalid",
                _("数量不是一个可用的整数。"),
                _("写成整数，例如 12。"),
            )
            return None
    if numbers["weight_grams"] is not None:
        said["weight_grams"] = numbers["weight_grams"]
    if "barcode" in row.cells:
        said["barcode"] = _cell(row, "barcode")
    said["option_values"] = tuple(_cell(row, f"option{i}_value") for i in range(1, options + 1))
    values_en = tuple(_cell(row, f"option{i}_value_en") for i in range(1, options + 1))
    said["option_values_en"] = values_en if any(values_en) else ()
    return ImportedSku(row.line, code, said, numbers["on_hand"])


def _picture(row: Row, report: Report) -> Iterator[ImportedPicture]:
    said = row.get("picture")
    if not said:
        return
    kind, _sep, where = said.partition(":")
    alts = _cell(row, "picture_alt"), _cell(row, "picture_alt_en")
    if kind in {"http", "https"}:
        yield ImportedPicture(PictureKind.REMOTE, said, *alts)
    elif kind in _PICTURES and where:
        yield ImportedPicture(_PICTURES[kind], where, *alts)
    else:
        report.note(row.line, "picture", said, "picture_invalid", _("图片地址不对，没有采用。"))
