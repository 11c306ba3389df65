"""What a product must be before anything is written: every fault is named at once, each with its field."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import html
from tongzhou.catalog.rules import MOST_OPTIONS, MOST_PRICE, MOST_SKUS, SLUG, clean_text, has_control
from tongzhou.catalog.values import STAGES, ProductDraft, ReturnPolicy, SkuDraft
from tongzhou.kit.money import format_minor
from tongzhou.kit.refusals import Refusal, invalid

MOST_ON_HAND = 100_000_000
_LENGTHS = {
    "title": 200, "title_en": 200, "subtitle": 300, "subtitle_en": 300, "brand": 120, "list_price_basis": 300,
    "description": 60_000, "description_en": 60_000,
}  # fmt: skip


def tidy(draft: ProductDraft) -> ProductDraft:
    """The draft with squeezed texts and clean HTML; nothing of meaning changes."""

    def texts(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(clean_text(v) for v in values)

    return replace(
        draft,
        slug=draft.slug.strip(), title=clean_text(draft.title), title_en=clean_text(draft.title_en),
        subtitle=clean_text(draft.subtitle), subtitle_en=clean_text(draft.subtitle_en), brand=clean_text(draft.brand),
        description=html.clean_html(draft.description), description_en=html.clean_html(draft.description_en),
        option_names=texts(draft.option_names), option_names_en=texts(draft.option_names_en),
        tags=tuple(dict.fromkeys(t for t in texts(draft.tags) if t)),
        list_price_basis=clean_text(draft.list_price_basis),
        skus=tuple(
            replace(
                sku, code=sku.code.strip(), barcode=clean_text(sku.barcode), option_values=texts(sku.option_values),
                option_values_en=texts(sku.option_values_en),
            )
            for sku in draft.skus
        ),
    )  # fmt: skip


def check(draft: ProductDraft) -> None:
    """All faults at once.

    *Refuses:* ``product_invalid`` listing ``slug_invalid``, ``title_missing``, ``text_too_long``,
    ``options_invalid``, ``sku_invalid``, ``price_invalid``, ``level_invalid``, ``tags_invalid``, ``choice_invalid``.
    """
    errors = [*_texts(draft), *_options(draft), *_skus(draft)]
    if errors:
        raise Refusal("product_invalid", _("商品资料有几处需要改正。"), field="product", errors=errors)


def _texts(draft: ProductDraft) -> Iterator[Refusal]:
    if not SLUG.fullmatch(draft.slug) or len(draft.slug) > 100:
        yield invalid(
            "slug_invalid", _("网址名不合规则。"), field="slug", value=draft.slug,
            rule=_("小写字母、数字，中间可用连字符，最多 100 个"), fix=_("例如 wuyi-rougui-100g。"),
        )  # fmt: skip
    if not draft.title:
        yield invalid("title_missing", _("请写商品名称。"), field="title", rule=_("1 到 200 个字"))
    for name, most in _LENGTHS.items():
        if len(getattr(draft, name)) > most:
            yield invalid(
                "text_too_long", _("文字太长。"), field=name, value=len(getattr(draft, name)),
                rule=_("最多 %(most)s 个字") % {"most": most},
            )  # fmt: skip
    if draft.stage not in STAGES:
        yield invalid(
            "choice_invalid", _("没有这个底色。"), field="stage", value=draft.stage, rule=", ".join(STAGES[1:])
        )
    if draft.return_policy not in set(ReturnPolicy):
        yield invalid(
            "choice_invalid", _("没有这种退货规则。"), field="return_policy", value=draft.return_policy,
            rule=", ".join(ReturnPolicy),
        )  # fmt: skip
    if len(draft.tags) > 20 or any(len(t) > 60 for t in draft.tags):
        yield invalid("tags_invalid", _("标签太多或太长。"), field="tags", rule=_("最多 20 个，每个最多 60 个字"))


def _options(draft: ProductDraft) -> Iterator[Refusal]:
    names = draft.option_names
    if len(names) > MOST_OPTIONS or len(set(names)) != len(names) or not all(0 < len(n) <= 60 for n in names):
        yield invalid(
            "options_invalid", _("规格名称不合规则。"), field="option_names", value=" / ".join(names),
            rule=_("最多 3 个，不能重复，不能空着"),
        )  # fmt: skip
    if draft.option_names_en and len(draft.option_names_en) != len(names):
        yield invalid(
            "options_invalid", _("英文规格名称的个数要和中文一样。"), field="option_names_en",
            value=" / ".join(draft.option_names_en),
        )  # fmt: skip
    if not 1 <= len(draft.skus) <= MOST_SKUS:
        yield invalid(
            "options_invalid", _("规格的数量不对。"), field="skus", value=len(draft.skus), rule=_("1 到 200 个规格")
        )
    seen: dict[tuple[str, ...], int] = {}
    for i, sku in enumerate(draft.skus):
        wrong = len(sku.option_values) != len(names) or not all(0 < len(v) <= 80 for v in sku.option_values)
        if wrong or (sku.option_values_en and len(sku.option_values_en) != len(names)):
            yield invalid(
                "options_invalid", _("每个规格都要给每一项选一个值。"), field=f"skus[{i}].option_values",
                value=" / ".join(sku.option_values), rule=" / ".join(names),
            )  # fmt: skip
        elif sku.active and sku.option_values in seen:
            yield invalid(
                "options_invalid", _("两个规格的选项完全一样。"), field=f"skus[{i}].option_values",
                value=" / ".join(sku.option_values), fix=_("改掉其中一个，或者删掉。"),
            )  # fmt: skip
        if sku.active:
            seen.setdefault(sku.option_values, i)


def _skus(draft: ProductDraft) -> Iterator[Refusal]:
    codes: set[str] = set()
    for i, sku in enumerate(draft.skus):
        at = f"skus[{i}]"
        if not 1 <= len(sku.code) <= 64 or has_control(sku.code) or len(sku.barcode) > 64:
            yield invalid(
                "sku_invalid", _("SKU 编码不合规则。"), field=f"{at}.code", value=sku.code, rule=_("1 到 64 个字符")
            )
        if sku.code in codes:
            yield invalid("sku_code_taken", _("这个 SKU 编码出现了两次。"), field=f"{at}.code", value=sku.code)
        codes.add(sku.code)
        yield from prices(sku, at)
        if not 0 <= sku.weight_grams <= 10_000_000:
            yield invalid("sku_invalid", _("重量不对。"), field=f"{at}.weight_grams", value=sku.weight_grams)
        if sku.on_hand is not None and not 0 <= sku.on_hand <= MOST_ON_HAND:
            yield invalid(
                "level_invalid", _("库存数量不对。"), field=f"{at}.on_hand", value=sku.on_hand,
                rule=_("0 到 1 亿之间的整数"),
            )  # fmt: skip


def prices(sku: "SkuDraft | Any", at: str) -> Iterator[Refusal]:
    """Faults of one SKU's prices: list, member ≤ list, cost; all minor units."""
    rule = _("0 到 10 亿元之间，最小单位的整数")
    for name in ("list_price_minor", "member_price_minor", "cost_minor"):
        price = getattr(sku, name)
        if price is not None and not 0 <= price <= MOST_PRICE:
            yield invalid("price_invalid", _("价格不对。"), field=f"{at}.{name}", value=price, rule=rule)
    if sku.member_price_minor is not None and sku.member_price_minor > sku.list_price_minor:
        yield invalid(
            "price_invalid", _("会员价不能高于标价。"), field=f"{at}.member_price_minor", value=sku.member_price_minor,
            rule=_("不高于 %(list)s") % {"list": format_minor(sku.list_price_minor, settings.CURRENCY)}, fix=_("降低会员价，或者先提高标价。"),
        )  # fmt: skip
