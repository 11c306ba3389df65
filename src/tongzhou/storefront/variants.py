"""Choosing a variant: one radio when there is one option, one group per option when there are several.

With several options the form sends one value per option (``o0``, ``o1`` …) and the server finds the SKU, so that
it works without a script; a script only shows price and stock of what is chosen.
"""

from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.values import ProductPage, SkuOption
from tongzhou.kit.refusals import Kind, Refusal, invalid


@dataclass(frozen=True, slots=True)
class Value:
    """One value one can choose; ``sku`` only when the value alone decides it."""

    value: str
    value_en: str
    checked: bool
    sold_out: bool
    sku: SkuOption | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """One option with its values; ``field`` is the name of its radios."""

    field: str
    name: str
    name_en: str
    values: tuple[Value, ...]


def chosen_sku(item: ProductPage, code: str = "") -> SkuOption | None:
    """The SKU the page opens with: the one asked for, else the cheapest that can be bought, else the cheapest.

    Poster, preview and page all begin with it, so that the price a friend was told is the price that is there.
    """
    asked = next((s for s in item.skus if s.code == code), None)
    return asked or min(item.skus, key=lambda s: (not s.available, s.price_minor), default=None)


def costs_more(item: ProductPage, sku: SkuOption | None) -> bool:
    """Whether another variant that can be bought is dearer than this one: then its price says "from"."""
    return sku is not None and any(s.available and s.price_minor > sku.price_minor for s in item.skus)


def axes(item: ProductPage, sku: SkuOption | None) -> tuple[Axis, ...]:
    """What the variant sheet asks. Empty when there is nothing to choose."""
    if sku is None or len(item.skus) < 2:
        return ()
    if len(item.options) < 2:
        name = item.options[0] if item.options else None
        values = tuple(
            Value(s.option_text or s.code, s.option_text_en or s.code, s.id == sku.id, not s.available, s)
            for s in item.skus
        )
        return (Axis("sku", name.name if name else "", name.name_en if name else "", values),)
    return tuple(
        Axis(
            f"o{i}", group.name, group.name_en,
            tuple(Value(c.value, c.value_en, c.value == sku.values[i], c.sold_out) for c in group.choices),
        )
        for i, group in enumerate(item.options)
    )  # fmt: skip


def asked_sku(item: ProductPage, form: QueryDict) -> UUID:
    """The SKU of the chosen values. *Refuses:* ``option_missing``, ``option_unknown``, ``combination_unknown``."""
    wanted = []
    for i, group in enumerate(item.options):
        value = form.get(f"o{i}", "")
        if not value:
            raise invalid(
                "option_missing", _("还没有选“%(name)s”。") % {"name": group.name}, field=f"o{i}", value="",
                rule=_("每一项都要选一个"), fix=_("回商品页选好，再放进购物车。"),
            )  # fmt: skip
        if value not in {c.value for c in group.choices}:
            raise invalid(
                "option_unknown", _("“%(name)s”里没有这一种。") % {"name": group.name}, field=f"o{i}", value=value[:60],
                rule=" | ".join(c.value for c in group.choices)[:200], fix=_("回商品页重新选。"),
            )  # fmt: skip
        wanted.append(value)
    found = next((s for s in item.skus if list(s.values) == wanted), None)
    if found is None:
        raise Refusal(
            "combination_unknown", _("没有“%(what)s”这个组合。") % {"what": " · ".join(wanted)}, kind=Kind.CONFLICT,
            field="o0", value=" · ".join(wanted)[:120], fix=_("回商品页换一个组合。"),
        )  # fmt: skip
    return found.id
