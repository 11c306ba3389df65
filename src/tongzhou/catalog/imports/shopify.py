"""Shopify's product export, the long-standing columns and the newer ones.

Rows of one handle are one product; its first row carries the texts, each row with a price a variant,
the others only pictures. Prices count as the list price in the mall's currency; "compare at" prices
are not taken, because nothing in the file documents them. Pictures' URLs are recorded, not fetched.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.imports import cells
from tongzhou.catalog.imports.parts import CategoryName, ImportedPicture, ImportedProduct, ImportedSku, Report, Row
from tongzhou.catalog.imports.taking import MOST_PICTURES, Taker, remote
from tongzhou.catalog.rules import MOST_SKUS


class Shopify:
    """``--format shopify``."""

    name = "shopify"
    required = (frozenset({"handle", "url handle"}), frozenset({"title"}), frozenset({"variant price", "price"}))
    columns: Mapping[str, str] = {
        "slug": "Handle", "title": "Title", "description": "Body (HTML)", "brand": "Vendor", "tags": "Tags",
        "code": "Variant SKU", "list_price_minor": "Variant Price", "on_hand": "Variant Inventory Qty",
        "option_values": "Option1 Value", "option_names": "Option1 Name", "weight_grams": "Variant Grams",
        "barcode": "Variant Barcode", "cost_minor": "Cost per item",
    }  # fmt: skip

    def products(self, rows: Iterable[Row], report: Report, currency: str) -> Iterable[ImportedProduct]:
        """Groups of rows by handle, wherever in the file they stand."""
        groups: dict[str, list[Row]] = {}
        for row in rows:
            handle, _changed = cells.text(row.get("handle", "url handle"), most=150)
            if not handle:
                report.refuse(
                    row.line,
                    "Handle",
                    "",
                    "handle_missing",
                    _("这一行没有 Handle，不知道属于哪个商品。"),
                    _("补上 Handle。"),
                )
                continue
            groups.setdefault(handle, []).append(row)
        codes: set[str] = set()
        for handle, group in groups.items():
            yield _Group(handle, group, report, currency, codes).product()


class _Group(Taker):
    """The rows of one handle."""

    columns = Shopify.columns

    def product(self) -> ImportedProduct:
        """The product; with no title or no variant left it has no SKUs and the writer passes it by."""
        head = next((r for r in self.rows if r.get("title")), self.rows[0])
        title = self.text(head, "Title", 200, "title")
        out = ImportedProduct(self.handle, head.line, {})
        if not title:
            self.report.refuse(
                head.line,
                "Title",
                head.get("title"),
                "title_missing",
                _("这个商品没有名称。"),
                _("在第一行写上 Title。"),
            )
            return out
        names = self._option_names(head)
        out.skus = self._skus(names)
        kind = self.text(head, "Type", 60, "type")
        out.category = (CategoryName(kind),) if kind else ()
        out.pictures = self._pictures()
        out.said = {
            "slug": cells.slug_of(self.handle), "title": title,
            "description": head.get("body (html)", "description")[:60_000],
            "brand": self.text(head, "Vendor", 120, "vendor"), "tags": self.tags(head.get("tags")), "option_names": names,
        }  # fmt: skip
        return out

    def _option_names(self, head: Row) -> tuple[str, ...]:
        if self._only_default(head):
            return ()
        names: list[str] = []
        for i in (1, 2, 3):
            name = self.text(head, f"Option{i} Name", 60, f"option{i} name")
            if not name and not any(self._option(row, i) for row in self.rows):
                break
            name = name or f"规格{i}"
            names.append(name if name not in names else f"{name} {i}")
        return tuple(names)

    def _only_default(self, head: Row) -> bool:
        """Whether the product has no options: Shopify writes Title / Default Title then."""
        return head.get("option1 name").casefold() in {"", "title"} and all(
            self._option(row, 1).casefold() in {"", "default title"} for row in self.rows
        )

    def _option(self, row: Row, i: int) -> str:
        return cells.text(row.get(f"option{i} value"), most=80)[0]

    def _skus(self, names: tuple[str, ...]) -> list[ImportedSku]:
        out: list[ImportedSku] = []
        combos: set[tuple[str, ...]] = set()
        for i, row in enumerate(self.rows):
            said = row.get("variant price", "price", "variant sku", "sku")
            if i and not said and not any(self._option(row, n) for n in (1, 2, 3)):
                continue  # a row that only brings a picture
            sku = self._sku(row, names, combos)
            if sku and len(out) >= MOST_SKUS:
                self.report.refuse(row.line, "Variant SKU", sku.code, "too_many_skus", _("一个商品最多 200 个规格。"))
            elif sku:
                combos.add(sku.said["option_values"])
                self.codes.add(sku.code)
                out.append(sku)
        return out

    def _sku(self, row: Row, names: tuple[str, ...], combos: set[tuple[str, ...]]) -> ImportedSku | None:
        refuse = self.report.refuse
        values = tuple(self._option(row, i + 1) for i in range(len(names)))
        if not all(values):
            column = f"Option{values.index('') + 1} Value"
            refuse(row.line, column, "", "option_missing", _("这个规格缺一个选项值。"), _("补上选项值。"))
            return None
        if values in combos:
            refuse(
                row.line, "Option1 Value", " / ".join(values), "duplicate_variant",
                _("这个商品已经有一个选项完全一样的规格。"), _("改掉选项值，或者删掉这一行。"),
            )  # fmt: skip
            return None
        price = self.price(row, row.get("variant price", "price"))
        if price is None:
            return None
        stock = self.stock(row, row.get("variant inventory qty", "inventory quantity"))
        code = self.code(row, row.get("variant sku", "sku"), values) if stock is not None else None
        if stock is None or code is None:
            return None
        said: dict[str, Any] = {"option_values": values, "list_price_minor": price, **self._extras(row)}
        return ImportedSku(row.line, code, said, stock)

    def _extras(self, row: Row) -> dict[str, Any]:
        """Weight, barcode, cost: a fault in one of them is told and the row is taken without it."""
        said: dict[str, Any] = {}
        if raw := row.get("variant grams", "weight value (grams)"):
            grams = cells.whole(raw)
            if grams is None or not 0 <= grams <= 10_000_000:
                self.report.note(row.line, "Variant Grams", raw, "weight_invalid", _("重量读不懂，按未知计。"))
            else:
                said["weight_grams"] = grams
        barcode, _changed = cells.text(row.get("variant barcode", "barcode"), most=64)
        if barcode:
            said["barcode"] = barcode
        if raw := row.get("cost per item"):
            cost = cells.amount(raw, self.currency)
            if cost is None:
                self.report.note(row.line, "Cost per item", raw, "cost_invalid", _("成本读不懂，按未知计。"))
            else:
                said["cost_minor"] = cost
        return said

    def _pictures(self) -> list[ImportedPicture]:
        found: dict[str, tuple[int, int, str]] = {}
        for i, row in enumerate(self.rows):
            url = row.get("image src", "product image url")
            if not url or url in found or not self.is_url(row, "Image Src", url):
                continue
            position = cells.whole(row.get("image position"))
            alt, _changed = cells.text(row.get("image alt text"), most=200)
            found[url] = (position if position is not None else 9_999, i, alt)
        ordered = sorted(found, key=lambda u: found[u][:2])
        return [remote(url, found[url][2]) for url in ordered[:MOST_PICTURES]]
