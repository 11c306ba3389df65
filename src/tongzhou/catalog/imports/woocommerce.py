"""WooCommerce's product export: simple and variable products; what cannot be sold here is told, not guessed.

A variable product's row carries texts and options, its variations' rows (``Parent``) are its SKUs; they
may stand anywhere in the file. The regular price counts as the list price; an undated sale price as the
member price. Downloads, links to other shops and groups are refused by name. Pictures' URLs are
recorded, not fetched.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.imports import cells
from tongzhou.catalog.imports.parts import CategoryName, ImportedPicture, ImportedProduct, ImportedSku, Report, Row
from tongzhou.catalog.imports.taking import MOST_PICTURES, Taker, remote
from tongzhou.catalog.rules import MOST_OPTIONS, MOST_SKUS

UNSOLD = {
    "downloadable": ("download_not_sold", _("这是下载商品，这里只卖寄得到的东西。"), _("从文件里去掉，或改成实物。")),
    "virtual": ("virtual_not_sold", _("这是虚拟商品，没有东西可寄。"), _("从文件里去掉，或改成实物。")),
    "external": ("external_not_sold", _("这是别家店的链接，不能在这里下单。"), _("从文件里去掉。")),
    "grouped": ("group_not_sold", _("这是一组商品，本身不能下单；组里的商品各自导入。"), _("从文件里去掉。")),
}


class WooCommerce:
    """``--format woocommerce``."""

    name = "woocommerce"
    required = (frozenset({"type"}), frozenset({"name"}), frozenset({"regular price"}))
    columns: Mapping[str, str] = {
        "slug": "Name", "title": "Name", "description": "Description", "subtitle": "Short description", "tags": "Tags",
        "code": "SKU", "list_price_minor": "Regular price", "member_price_minor": "Sale price", "on_hand": "Stock",
        "option_values": "Attribute 1 value(s)", "option_names": "Attribute 1 name", "weight_grams": "Weight (kg)",
    }  # fmt: skip

    def products(self, rows: Iterable[Row], report: Report, currency: str) -> Iterable[ImportedProduct]:
        """Heads in the order of the file, each with its variations; orphans are told."""
        heads: dict[str, Row] = {}
        below: dict[str, list[Row]] = {}
        for row in rows:
            kinds = _kinds(row)
            if "variation" in kinds:
                below.setdefault(_parent(row), []).append(row)
                continue
            unsold = next((UNSOLD[k] for k in UNSOLD if k in kinds), None)
            if unsold:
                code, reason, fix = unsold
                report.refuse(row.line, "Type", row.get("type"), code, reason, fix)
            elif not kinds & {"simple", "variable"}:
                report.refuse(
                    row.line, "Type", row.get("type"), "type_unknown", _("不认识这种商品类型。"), "simple | variable"
                )
            else:
                self._head(row, heads, report)
        codes: set[str] = set()
        slugs: set[str] = set()
        for key, head in heads.items():
            children = [r for name in {key, f"id:{head.get('id')}"} for r in below.pop(name, [])]
            product = _Group(key, [head, *sorted(children, key=_place)], report, currency, codes).product()
            slug = product.said.get("slug", "")
            if slug in slugs:  # two products of one name
                product.said["slug"] = cells.slug_of(f"{slug} {key}")
            slugs.add(product.said.get("slug", ""))
            yield product
        for orphan in (row for group in below.values() for row in group):
            report.refuse(
                orphan.line, "Parent", orphan.get("parent"), "parent_missing",
                _("文件里没有这个规格所属的商品，或者它不能卖。"), _("把所属的商品也放进文件。"),
            )  # fmt: skip

    def _head(self, row: Row, heads: dict[str, Row], report: Report) -> None:
        key = cells.text(row.get("sku"), most=64)[0] or (f"id:{row.get('id')}" if row.get("id") else "")
        key = key or cells.text(row.get("name"), most=100)[0]
        if not key:
            report.refuse(row.line, "Name", "", "title_missing", _("这个商品没有名称。"), _("写上 Name。"))
        elif key in heads:
            report.refuse(
                row.line, "SKU", key, "sku_code_taken", _("文件里已经有这个 SKU 编码。"),
                _("每个规格用自己的编码，或者留空。"),
            )  # fmt: skip
        else:
            heads[key] = row


def _kinds(row: Row) -> set[str]:
    return {k.strip().casefold() for k in row.get("type").split(",") if k.strip()}


def _parent(row: Row) -> str:
    """The parent's SKU, or ``id:741`` as WooCommerce writes where it has none."""
    return cells.text(row.get("parent"), most=64)[0]


def _place(row: Row) -> tuple[int, int]:
    position = cells.whole(row.get("position"))
    return (position if position is not None else 9_999, row.line)


class _Group(Taker):
    """A head row and its variations."""

    columns = WooCommerce.columns

    def product(self) -> ImportedProduct:
        """The product; with no title or no variant left it has no SKUs and the writer passes it by."""
        head, *children = self.rows
        title = self.text(head, "Name", 200, "name")
        out = ImportedProduct(self.handle, head.line, {})
        if not title:
            self.report.refuse(
                head.line, "Name", head.get("name"), "title_missing", _("这个商品没有名称。"), _("写上 Name。")
            )
            return out
        axes = self._axes(head, children)
        out.skus = self._skus(head, children, axes)
        out.category = self._category(head)
        out.pictures = self._pictures()
        if head.get("visibility in catalog").casefold() not in {"", "visible", "catalog"}:
            self.report.note(
                head.line, "Visibility in catalog", head.get("visibility in catalog"), "hidden_there",
                _("这个商品在原来的店里不公开；到这里是草稿，由你决定。"),
            )  # fmt: skip
        out.said = {
            "slug": cells.slug_of(title), "title": title, "subtitle": self._plain(head, "Short description", 300),
            "description": _lines(head.get("description"))[:60_000], "tags": self.tags(head.get("tags")),
            "option_names": tuple(axes.values()),
        }  # fmt: skip
        return out

    def _plain(self, row: Row, column: str, most: int) -> str:
        """A short text of a cell that may hold HTML."""
        bare = re.sub(r"<[^>]*>", " ", _lines(row.get(column.casefold())))
        return cells.text(bare, most=most)[0]

    def _axes(self, head: Row, children: list[Row]) -> dict[int, str]:
        """Attribute number → option name: what tells the variations apart."""
        axes: dict[int, str] = {}
        if "variable" not in _kinds(head):
            return axes
        for n in range(1, 21):
            name = self.text(head, f"Attribute {n} name", 60, f"attribute {n} name")
            if not name:
                continue
            said = {self._value(row, n) for row in children}
            if said <= {""}:
                self.report.note(
                    head.line, f"Attribute {n} name", name, "option_any",
                    _("没有一个规格说明这个选项，所以它不作为规格；写进描述里。"),
                )  # fmt: skip
            elif len(axes) < MOST_OPTIONS:
                axes[n] = name if name not in axes.values() else f"{name} {n}"
            else:
                self.report.note(
                    head.line, f"Attribute {n} name", name, "too_many_options", _("最多三个选项，多的没有采用。")
                )
        return axes

    def _value(self, row: Row, n: int) -> str:
        return cells.text(row.get(f"attribute {n} value(s)"), most=80)[0]

    def _skus(self, head: Row, children: list[Row], axes: dict[int, str]) -> list[ImportedSku]:
        if "variable" not in _kinds(head):
            sku = self._sku(head, ())
            return [sku] if sku else []
        if not children:
            self.report.refuse(
                head.line,
                "Type",
                head.get("type"),
                "no_variants",
                _("这个商品没有一个规格。"),
                _("把它的规格也放进文件。"),
            )
        out: list[ImportedSku] = []
        combos: set[tuple[str, ...]] = set()
        for row in children:
            values = tuple(self._value(row, n) for n in axes)
            missing = next((n for n, value in zip(axes, values, strict=True) if not value), 0)
            if missing:
                self.report.refuse(
                    row.line,
                    f"Attribute {missing} value(s)",
                    "",
                    "option_missing",
                    _("这个规格缺一个选项值。"),
                    _("补上选项值。"),
                )
            elif values in combos:
                self.report.refuse(
                    row.line, "Attribute 1 value(s)", " / ".join(values), "duplicate_variant",
                    _("这个商品已经有一个选项完全一样的规格。"), _("改掉选项值，或者删掉这一行。"),
                )  # fmt: skip
            elif len(out) >= MOST_SKUS:
                self.report.refuse(row.line, "SKU", row.get("sku"), "too_many_skus", _("一个商品最多 200 个规格。"))
            elif sku := self._sku(row, values):
                combos.add(values)
                out.append(sku)
        return out

    def _sku(self, row: Row, values: tuple[str, ...]) -> ImportedSku | None:
        price = self.price(row, row.get("regular price"))
        if price is None:
            return None
        stock = self.stock(row, row.get("stock"))
        code = self.code(row, row.get("sku"), values) if stock is not None else None
        if stock is None or code is None:
            return None
        self.codes.add(code)
        if not row.get("stock") and row.get("in stock?") in {"1", "yes"}:
            self.report.note(row.line, "Stock", "", "stock_unknown", _("文件说有货，没说有多少：按 0 计，请补上数量。"))
        if row.get("backorders allowed?") in {"1", "notify", "yes"}:
            self.report.note(row.line, "Backorders allowed?", row.get("backorders allowed?"), "no_backorders",
                             _("这里不卖没有的货，这一项没有采用。"))  # fmt: skip
        said: dict[str, Any] = {
            "option_values": values,
            "list_price_minor": price,
            **self._sale(row, price),
            **self._weight(row),
        }
        return ImportedSku(row.line, code, said, stock)

    def _sale(self, row: Row, price: int) -> dict[str, Any]:
        raw = row.get("sale price")
        if not raw:
            return {}
        dated = row.get("date sale price starts", "date sale price ends")
        sale = cells.amount(raw, self.currency)
        if dated or sale is None or sale > price:
            why = _("促销有起止日期，没有采用。") if dated else _("促销价读不懂，或比原价还高，没有采用。")
            self.report.note(row.line, "Sale price", raw, "sale_not_taken", why)
            return {}
        self.report.note(row.line, "Sale price", raw, "sale_as_member_price", _("促销价作为会员价。"))
        return {"member_price_minor": sale}

    def _weight(self, row: Row) -> dict[str, Any]:
        raw = row.get("weight (kg)")
        if not raw:
            return {}
        grams = cells.amount(raw, "KWD")  # three decimals of a kilogram are grams
        if grams is None or grams > 10_000_000:
            self.report.note(row.line, "Weight (kg)", raw, "weight_invalid", _("重量读不懂，按未知计。"))
            return {}
        return {"weight_grams": grams}

    def _category(self, head: Row) -> tuple[CategoryName, ...]:
        """The first of the categories; a path reads ``Clothing > Tshirts``."""
        first, *others = [c.strip() for c in head.get("categories").split(",") if c.strip()] or [""]
        if others:
            self.report.note(
                head.line, "Categories", ", ".join(others), "one_category", _("一个商品放在一个分类里：采用第一个。")
            )
        names = [cells.text(part, most=60)[0] for part in first.split(">")]
        return tuple(CategoryName(name) for name in names if name)

    def _pictures(self) -> list[ImportedPicture]:
        urls: dict[str, None] = {}
        for row in self.rows:
            for url in re.split(r",\s*(?=https?://|$)", row.get("images")):
                if url.strip() and url.strip() not in urls and self.is_url(row, "Images", url.strip()):
                    urls[url.strip()] = None
        return [remote(url) for url in list(urls)[:MOST_PICTURES]]


def _lines(text: str) -> str:
    """WooCommerce writes a line break as a backslash and an n."""
    return text.replace("\\r\\n", "\n").replace("\\n", "\n")
