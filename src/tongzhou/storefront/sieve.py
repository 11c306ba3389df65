"""Filters of a list: read from the address, shown with their counts, taken off one by one. All of it is the URL."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import Facets, Sieve
from tongzhou.kit.money import format_minor
from tongzhou.kit.refusals import invalid
from tongzhou.suppliers import queries as suppliers
from tongzhou.suppliers.values import SupplierValue

FIELDS = ("cat", "brand", "by", "price", "stock", "offer")
MOST = 20  # choices of one kind
KEPT = 60  # seconds the suppliers' names are kept
_PRICE = re.compile(r"(\d{0,12})-(\d{0,12})", re.ASCII)
Pairs = Sequence[tuple[str, str]]
Words = str | Promise


@dataclass(frozen=True, slots=True)
class Choice:
    """One value one may choose, how many goods it leads to, and the address without it."""

    field: str
    value: str
    name: str
    name_en: str
    count: int
    chosen: bool
    without: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One kind of choice. ``many``: several may be chosen at once."""

    title: Words
    field: str
    many: bool
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """The filters of a page; ``rest`` are the pairs of the address that are not filters."""

    rest: Pairs
    groups: tuple[Group, ...]
    chips: tuple[Choice, ...]
    facets: Facets
    cleared: str  # the address without any filter


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: the sieve, and the pairs that say so."""

    sieve: Sieve
    pairs: Pairs

    @property
    def query(self) -> str:
        """The filters as a part of an address, with a leading ``&``; empty without any."""
        return "".join(f"&{urlencode([pair])}" for pair in self.pairs)


def known_suppliers() -> list[SupplierValue]:
    """Who supplies, kept a minute."""
    found: list[SupplierValue] | None = cache.get("sieve:suppliers")
    if found is None:
        found = suppliers.suppliers()
        cache.set("sieve:suppliers", found, KEPT)
    return found


def read(form: QueryDict) -> Asked:
    """What is asked for. *Refuses:* ``filter_unknown`` naming the field and the value."""
    pairs = [(f, v) for f in FIELDS for v in dict.fromkeys(form.getlist(f)[:MOST]) if v]
    of: dict[str, list[str]] = {f: [v for g, v in pairs if g == f] for f in FIELDS}
    low, below = _price(of["price"][0]) if of["price"] else (None, None)
    by_code = {s.code: s.id for s in known_suppliers()} if of["by"] else {}
    slugs = {slug: node.id for slug in of["cat"] if (node := goods.category(slug))}
    sieve = Sieve(
        tuple(_known("cat", v, slugs) for v in of["cat"]), tuple(v[:120] for v in of["brand"]),
        tuple(_known("by", v, by_code) for v in of["by"]), low, below, bool(of["stock"]), bool(of["offer"]),
    )  # fmt: skip
    return Asked(sieve, tuple(pairs))


def _known(field: str, value: str, ids: "dict[str, UUID]") -> UUID:
    if value not in ids:
        raise invalid(
            "filter_unknown",
            _("没有这个筛选条件。"),
            field=field,
            value=value[:80],
            fix=_("去掉它，或者从列表里重新选。"),
        )
    return ids[value]


def _price(text: str) -> tuple[int | None, int | None]:
    found = _PRICE.fullmatch(text)
    if not found or not any(found.groups()):
        raise invalid(
            "filter_unknown", _("价格的范围不对。"), field="price", value=text[:80],
            rule=_("从-到，以分为单位，例如 2000-5000；其中一头可以空着"),
        )  # fmt: skip
    return (int(found[1]) if found[1] else None, int(found[2]) if found[2] else None)


def panel(path: str, rest: Pairs, asked: Asked, count: Callable[[Sieve], Facets], *, kinds: bool = True) -> Panel:
    """The filters of a list with their counts. ``kinds``: whether its categories are a choice of their own."""
    facets = count(asked.sieve)
    chosen = set(asked.pairs)

    def choice(field: str, value: str, name: str, name_en: str, n: int) -> Choice:
        others = [p for p in asked.pairs if p != (field, value)]
        without = f"{path}?{urlencode([*rest, *others])}"
        return Choice(field, value, name, name_en, n, (field, value) in chosen, without)

    groups = [g for g in _groups(facets, asked, choice, kinds=kinds) if _useful(g)]
    chips = tuple(c for g in groups for c in g.choices if c.chosen and c.value)
    cleared = f"{path}?{urlencode(rest)}" if rest else path
    return Panel(rest, tuple(groups), chips, facets, cleared)


def _useful(group: Group) -> bool:
    """Whether there is something to choose: two values, or one that is chosen; a promise when anything keeps it."""
    kept = [c for c in group.choices if c.value]
    return any(c.chosen or group.field in {"stock", "offer"} for c in kept) or len(kept) > 1


def _groups(
    facets: Facets, asked: Asked, choice: Callable[[str, str, str, str, int], Choice], *, kinds: bool
) -> Iterable[Group]:  # fmt: skip
    nodes = [(node, n) for i, n in facets.categories if (node := goods.category_by_id(i))] if kinds else []
    yield Group(
        gettext_lazy("是什么"), "cat", True,
        tuple(choice("cat", node.slug, node.name, node.name_en, n) for node, n in nodes),
    )  # fmt: skip
    bands = [
        choice("price", f"{low or ''}-{below or ''}", (said := _band(low, below)), said, n)
        for low, below, n in facets.prices
    ]
    own = next((v for f, v in asked.pairs if f == "price" and v not in {b.value for b in bands}), "")
    if own:
        said = _band(asked.sieve.price_from_minor or 0, asked.sieve.price_below_minor)
        bands.append(choice("price", own, said, said, facets.left))
    if bands:
        whole = choice("price", "", _("不限"), _("不限"), 0)
        bands = [replace(whole, chosen=not any(b.chosen for b in bands)), *bands]
    yield Group(gettext_lazy("价格"), "price", False, tuple(bands))
    said = _("现在有货")
    promises = [choice("stock", "1", said, said, facets.in_stock)]
    if facets.on_offer or asked.sieve.on_offer:
        said = _("比标价便宜")
        promises.append(choice("offer", "1", said, said, facets.on_offer))
    yield Group(gettext_lazy("要做到"), "stock", True, tuple(promises))
    yield Group(gettext_lazy("品牌"), "brand", True, tuple(choice("brand", b, b, b, n) for b, n in facets.brands))
    names = {s.id: s for s in known_suppliers()} if facets.suppliers else {}
    sellers = [(names[i], n) for i, n in facets.suppliers if i in names]
    yield Group(gettext_lazy("商家"), "by", True, tuple(choice("by", s.code, s.name, s.name_en, n) for s, n in sellers))


def _band(low: int, below: int | None) -> str:
    def said(minor: int) -> str:
        return format_minor(minor, settings.CURRENCY).removesuffix(".00")

    if below is None:
        return _("%(amount)s 以上") % {"amount": said(low)}
    return f"{said(low)}–{said(below)}" if low else _("%(amount)s 以内") % {"amount": said(below)}
