"""What formats of other systems have in common: cells taken with care, each fault told at its line and column."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.imports import cells
from tongzhou.catalog.imports.parts import ImportedPicture, Report, Row
from tongzhou.catalog.models import PictureKind

MOST_STOCK = 100_000_000
MOST_PICTURES = 12
_URL = re.compile(r"https?://[^\s<>\"']{1,980}")


class Taker:
    """Takes the cells of one product's rows. ``columns``: draft field → the column people see."""

    columns: Mapping[str, str] = {}

    def __init__(self, handle: str, rows: list[Row], report: Report, currency: str, codes: set[str]) -> None:
        self.handle, self.rows, self.report, self.currency, self.codes = handle, rows, report, currency, codes

    def text(self, row: Row, column: str, most: int, *names: str) -> str:
        """Plain text; a neutralised formula and a cut text are told."""
        raw = row.get(*names)
        value, changed = cells.text(raw, most=most)
        if changed and cells.is_formula(cells.unguarded(raw)):
            self.report.note(row.line, column, raw, "formula_neutralised", _("单元格像公式，已去掉开头的符号。"))
        elif changed:
            self.report.note(row.line, column, raw, "text_cut", _("文字太长，已截断。"))
        return value

    def price(self, row: Row, raw: str) -> int | None:
        """The list price in minor units; None, and the row refused, when it is not one."""
        price = cells.amount(raw, self.currency)
        if price is None:
            self.report.refuse(
                row.line, self.columns["list_price_minor"], raw, "price_invalid", _("价格不是一个可用的数。"),
                _("写成 12.90 这样的数，不超过两位小数。"),
            )  # fmt: skip
        return price

    def stock(self, row: Row, raw: str) -> int | None:
        """Units on hand, never below zero; None, and the row refused, when it is not a whole number."""
        column = self.columns["on_hand"]
        stock = cells.whole(raw) if raw else 0
        if stock is None or stock > MOST_STOCK:
            self.report.refuse(
                row.line, column, raw, "quantity_invalid", _("库存不是一个可用的整数。"), _("写成整数，例如 12。")
            )
            return None
        if stock < 0:
            self.report.note(row.line, column, raw, "negative_stock", _("库存是负数，按 0 计。"))
        return max(0, stock)

    def code(self, row: Row, raw: str, values: tuple[str, ...]) -> str | None:
        """The SKU's code, or one made from handle and options; None, and the row refused, when it cannot be used."""
        column = self.columns["code"]
        code, changed = cells.text(raw, most=65)
        if not code:
            made = cells.code_of(self.handle, values)
            return made if made not in self.codes else cells.code_of(f"{self.handle}–", values)
        if len(code) > 64:
            self.report.refuse(row.line, column, raw, "sku_invalid", _("SKU 编码太长。"), _("最多 64 个字符。"))
            return None
        if changed:
            self.report.note(row.line, column, raw, "formula_neutralised", _("单元格像公式，已去掉开头的符号。"))
        if code in self.codes:
            self.report.refuse(
                row.line, column, raw, "sku_code_taken", _("文件里已经有这个 SKU 编码。"),
                _("每个规格用自己的编码，或者留空。"),
            )  # fmt: skip
            return None
        return code

    def tags(self, raw: str) -> tuple[str, ...]:
        """Up to twenty tags, each once."""
        tags = [cells.text(t, most=60)[0] for t in raw.split(",")]
        return tuple(dict.fromkeys(t for t in tags if t))[:20]

    def is_url(self, row: Row, column: str, url: str) -> bool:
        """Whether a picture's address can be recorded; a fault is told."""
        if _URL.fullmatch(url):
            return True
        self.report.note(row.line, column, url, "picture_invalid", _("图片地址不对，没有采用。"))
        return False


def remote(url: str, alt: str = "") -> ImportedPicture:
    """A picture known by its address."""
    return ImportedPicture(PictureKind.REMOTE, url, alt)
