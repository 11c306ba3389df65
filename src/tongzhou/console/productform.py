"""The product form: what was typed ⇄ a draft the catalog takes. Nothing typed is lost when something is refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product as combinations
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from tongzhou.catalog.values import ConsoleProductPage, ProductDraft, SkuDraft
from tongzhou.console import forms, texts
from tongzhou.kit.money import plain
from tongzhou.kit.numbers import whole
from tongzhou.kit.refusals import Kind, Refusal, invalid

TEXTS = (
    "slug", "title", "title_en", "subtitle", "subtitle_en", "description", "description_en", "brand", "category",
    "supplier", "stage", "return_policy", "tags", "list_price_basis", "version",
)  # fmt: skip
CELLS = ("code", "list", "member", "cost", "stock", "weight", "barcode")
SEPARATOR = " / "
MOST_ROWS = 200


@dataclass(slots=True)
class Row:
    """One variant as typed. ``was`` = the level the form was opened with, so that sales in between are not undone."""

    id: str = ""
    values: str = ""
    values_en: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    was: str = ""
    reserved: int = 0
    sold: bool = True


@dataclass(slots=True)
class Axis:
    """One option as typed: its name and its values, in both languages."""

    name: str = ""
    name_en: str = ""
    values: str = ""
    values_en: str = ""


@dataclass(slots=True)
class Form:
    """The whole form as typed."""

    texts: dict[str, str]
    axes: list[Axis]
    rows: list[Row]

    @property
    def option_names(self) -> list[str]:
        """The options that have a name."""
        return [a.name for a in self.axes if a.name]


MARKS = ("、", "，", ",", ";", "；", "\n")


def split(text: str) -> list[str]:
    """``红、蓝, 绿`` → three values; with a bar only the bar divides: ``Tin, 100 g | Bag`` → two."""
    if "|" not in text:
        for mark in MARKS:
            text = text.replace(mark, "|")
    return [part.strip() for part in text.split("|") if part.strip()]


def join(values: Sequence[str], mark: str) -> str:
    """What :func:`split` reads back as these values."""
    if any(m in v for v in values for m in MARKS):
        return " | ".join(values) + (" |" if len(values) == 1 else "")
    return mark.join(values)


def _money(minor: int | None) -> str:
    return "" if minor is None else plain(minor, settings.CURRENCY)


def of(page: ConsoleProductPage) -> Form:
    """The form of a product as it stands."""
    d = page.draft
    kept = {name: str(getattr(d, name, "")) for name in TEXTS}
    kept |= {
        "category": str(d.category_id),
        "supplier": str(d.supplier_id),
        "tags": join(d.tags, "、"),
        "version": str(page.version),
    }
    axes = []
    for i, name in enumerate(d.option_names):
        seen = dict.fromkeys(
            (s.option_values[i], s.option_values_en[i] if i < len(s.option_values_en) else "") for s in d.skus
        )
        english = d.option_names_en[i] if i < len(d.option_names_en) else ""
        axes.append(Axis(name, english, join([v for v, _e in seen], "、"), join([e for _v, e in seen if e], ", ")))
    rows = [
        Row(
            str(s.id), SEPARATOR.join(s.option_values), SEPARATOR.join(s.option_values_en),
            {"code": s.code, "list": _money(s.list_price_minor), "member": _money(s.member_price_minor),
             "cost": _money(s.cost_minor), "stock": str(s.on_hand), "weight": str(s.weight_grams), "barcode": s.barcode},
            str(s.on_hand), s.reserved, s.active,
        )
        for s in page.skus
    ]  # fmt: skip
    return Form(kept, _three(axes), rows)


def blank(category: str = "", supplier: str = "") -> Form:
    """The form of a product that does not exist yet: one variant."""
    kept = dict.fromkeys(TEXTS, "") | {"return_policy": "seven_days", "category": category, "supplier": supplier}
    return Form(kept, _three([]), [Row(cells={**dict.fromkeys(CELLS, ""), "stock": "0"}, was="")])


def _three(axes: list[Axis]) -> list[Axis]:
    return [*axes, *(Axis() for _i in range(3 - len(axes)))]


def typed(post: QueryDict) -> Form:
    """What came with the request, whatever it is."""
    kept = {name: post.get(name, "") for name in TEXTS}
    axes = [
        Axis(*(post.get(f"axis-{i}-{part}", "").strip() for part in ("name", "name_en", "values", "values_en")))
        for i in range(3)
    ]
    rows = []
    for i in range(MOST_ROWS):
        if f"sku-{i}-code" not in post:
            break
        cells = {c: post.get(f"sku-{i}-{c}", "").strip() for c in CELLS}
        rows.append(
            Row(
                post.get(f"sku-{i}-id", ""), post.get(f"sku-{i}-values", ""), post.get(f"sku-{i}-values_en", ""), cells,
                post.get(f"sku-{i}-was", ""), whole(post.get(f"sku-{i}-reserved", "").strip()) or 0, f"sku-{i}-sold" in post,
            )
        )  # fmt: skip
    return Form(kept, axes, rows)


def grown(form: Form) -> Form:
    """The same form with one row per combination of its options; rows that exist keep what they say.

    *Refuses:* ``options_invalid`` (an option without values, or more than 200 combinations).
    """
    axes = [a for a in form.axes if a.name]
    lists = [split(a.values) for a in axes]
    errors = [
        invalid("options_invalid", _("这种规格还没有值。"), field=f"axis-{i}-values", fix=_("写上它的几个值，用顿号隔开。"))
        for i, values in enumerate(lists)
        if not values
    ]  # fmt: skip
    if errors:
        raise Refusal("product_invalid", _("规格还没写全。"), field="option_names", errors=errors)
    english = [dict(zip(v, split(a.values_en), strict=False)) for a, v in zip(axes, lists, strict=True)]
    known = {r.values: r for r in form.rows}
    base = form.rows[0].cells if form.rows else dict.fromkeys(CELLS, "")
    rows = []
    for n, combination in enumerate(combinations(*lists), start=1):
        if n > MOST_ROWS:
            raise invalid("options_invalid", _("规格太多。"), field="skus", value=n, rule=_("1 到 200 个规格"))
        key = SEPARATOR.join(combination)
        en = SEPARATOR.join(english[i].get(v, "") for i, v in enumerate(combination))
        row = known.get(key) or Row(
            values=key, cells={**base, "code": f"{form.texts['slug'].upper() or 'SKU'}-{n}"[:64], "stock": "0"}
        )
        row.values_en = en if all(english[i].get(v) for i, v in enumerate(combination)) else ""
        rows.append(row)
    gone = [r for r in form.rows if r.id and r.values not in {x.values for x in rows}]
    for row in gone:
        row.sold = False
    return Form(form.texts, form.axes, rows + gone)


def draft_of(form: Form) -> ProductDraft:
    """The draft the catalog checks. *Refuses:* ``product_invalid`` listing every cell that cannot be read."""
    errors: list[Refusal] = []
    rows = [(i, r) for i, r in enumerate(form.rows) if r.sold]
    names = form.option_names
    english = [a.name_en for a in form.axes if a.name]
    skus = tuple(_sku(i, r, len(names), errors) for i, r in rows)
    t = form.texts
    ids: dict[str, UUID] = {}
    for name, said in (("category", _("请选一个分类。")), ("supplier", _("请选一个供应商。"))):
        try:
            ids[name] = UUID(t[name])
        except ValueError:
            errors.append(invalid("choice_missing", said, field=name, value=t[name]))
    if errors:
        raise Refusal("product_invalid", _("商品资料有几处需要改正。"), field="product", errors=errors)
    return ProductDraft(
        t["slug"], t["title"], ids["category"], ids["supplier"], skus, t["title_en"], t["subtitle"], t["subtitle_en"],
        t["description"], t["description_en"], t["brand"], tuple(names), tuple(english) if all(english) else (),
        t["stage"], t["return_policy"], tuple(split(t["tags"])), t["list_price_basis"],
    )  # fmt: skip


def _sku(i: int, row: Row, axes: int, errors: list[Refusal]) -> SkuDraft:
    at, cells = f"skus[{i}]", row.cells
    listed = forms.amount(cells["list"], f"{at}.list_price_minor", errors)
    if listed is None and not cells["list"]:
        errors.append(
            invalid("price_missing", _("请写标价。"), field=f"{at}.list_price_minor", fix=_("写成 12.90 这样。"))
        )
    stock = forms.whole(cells["stock"], f"{at}.on_hand", errors)
    values = tuple(row.values.split(SEPARATOR)) if row.values else ()
    english = tuple(row.values_en.split(SEPARATOR)) if row.values_en else ()
    return SkuDraft(
        cells["code"], listed or 0, values if axes else (), english if axes and len(english) == axes else (),
        forms.amount(cells["member"], f"{at}.member_price_minor", errors),
        forms.amount(cells["cost"], f"{at}.cost_minor", errors),
        forms.whole(cells["weight"], f"{at}.weight_grams", errors) or 0, cells["barcode"], True,
        stock if cells["stock"] != row.was else None, forms.identity(row.id) if row.id else None,
    )  # fmt: skip


def stock_moved(form: Form, page: ConsoleProductPage) -> None:
    """Levels somebody typed, though sales or returns moved them meanwhile. *Refuses:* ``stock_moved`` naming each."""
    now = {str(s.id): s.on_hand for s in page.skus}
    errors = [
        invalid(
            "stock_moved", _("这期间库存变了，现在是 %(now)s。") % {"now": now[r.id]}, field=f"skus[{i}].on_hand",
            value=r.cells["stock"], fix=_("按现在的数再数一遍。"),
        )
        for i, r in enumerate(form.rows)
        if r.id in now and r.cells["stock"] != r.was and str(now[r.id]) != r.was
    ]  # fmt: skip
    for row in form.rows:
        if row.id in now:
            row.was = str(now[row.id])
    if errors:
        raise Refusal("stock_moved", _("有规格的库存刚刚变了。"), kind=Kind.CONFLICT, field="skus", errors=errors)


def changes(was: Form, now: Form) -> tuple[list[tuple[str, str, str]], set[str]]:
    """What differs, as (where, before, now), and the names of those fields."""
    out: list[tuple[str, str, str]] = []
    names: set[str] = set()
    for name in TEXTS:
        if name != "version" and was.texts[name].replace("\r\n", "\n") != now.texts[name].replace("\r\n", "\n"):
            out.append((str(texts.FIELDS.get(name, name)), was.texts[name][:40], now.texts[name][:40]))
            names.add(name)
    before: Mapping[str, Row] = {r.id: r for r in was.rows if r.id}
    said = {
        "list": "list_price_minor",
        "member": "member_price_minor",
        "cost": "cost_minor",
        "stock": "on_hand",
        "weight": "weight_grams",
    }
    for i, row in enumerate(now.rows):
        old = before.get(row.id)
        for cell in CELLS:
            had = old.cells.get(cell, "") if old else ""
            if had != row.cells.get(cell, ""):
                label = str(texts.FIELDS.get(said.get(cell, cell), cell))
                out.append((f"{row.values or row.cells['code']}{_('，')}{label}", had, row.cells.get(cell, "")))
                names.add(f"sku-{i}-{cell}")
    return out, names


def matched(refusal: Refusal, form: Form) -> Refusal:
    """The catalog's faults with the form's own row numbers: its draft has only the rows that are sold."""
    sold = [i for i, r in enumerate(form.rows) if r.sold]
    for error in refusal.errors:
        head, dot, tail = error.field.partition("].")
        row = whole(head[5:]) if dot and head.startswith("skus[") else None
        if row is not None and row < len(sold):
            error.field = f"skus[{sold[row]}].{tail}"
        elif error.field == "code":
            at = next((i for i in sold if form.rows[i].cells["code"] == error.value), None)
            error.field = error.field if at is None else f"skus[{at}].code"
        else:
            found = next((i for i in sold if form.rows[i].id == error.field), None)
            error.field = error.field if found is None else f"skus[{found}].on_hand"
    if not refusal.errors and refusal.field:
        found = next((i for i, r in enumerate(form.rows) if r.id and r.id == refusal.field), None)
        refusal.field = refusal.field if found is None else f"skus[{found}].on_hand"
    return refusal


def choices(nodes: Sequence[Any], depth: int = 0) -> list[tuple[str, str]]:
    """The category tree as (id, indented name)."""
    out = []
    for node in nodes:
        out.append((str(node.id), "\u3000" * depth + node.name))
        out += choices(node.children, depth + 1)
    return out
