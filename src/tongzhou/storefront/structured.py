"""What search engines read about a product (schema.org), as a script element that no browser runs."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from tongzhou.catalog.values import CategoryNode, ProductCard, ProductPage, SkuOption
from tongzhou.design.templatetags.shop_tags import absolute, english, loc, raster
from tongzhou.kit.money import plain

_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def script(data: Any, kind: str, name: str = "") -> SafeString:
    """Data inside a page: nothing in it can end the element it stands in."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str).translate(_ESCAPES)
    mark = f' id="{name}"' if name else ""
    return mark_safe(f'<script type="{kind}"{mark}>{body}</script>')  # noqa: S308 - escaped above


def product_data(item: ProductPage) -> SafeString:
    """A product with what it costs a member, which everybody can be; several variants are a group of products."""
    page = f"{settings.SITE_URL}/products/{item.slug}"
    data: dict[str, Any] = {
        "@context": "https://schema.org", "@type": "Product", "name": loc(item, "title"),
        "description": loc(item, "subtitle") or loc(item, "title"), "url": page,
        "image": [absolute(raster(p.src)) for p in item.pictures], "inLanguage": "en" if english() else "zh-CN",
    }  # fmt: skip
    if item.brand:
        data["brand"] = {"@type": "Brand", "name": item.brand}
    if len(item.skus) > 1:
        data |= {"@type": "ProductGroup", "productGroupID": item.slug}
        about = [_ABOUT[g.name.strip().lower()] for g in item.options if g.name.strip().lower() in _ABOUT]
        if about:
            data["variesBy"] = [f"https://schema.org/{name}" for name in about]
        data["hasVariant"] = [_variant(item, sku, data["image"][0], page) for sku in item.skus]
    elif item.skus:
        data |= {"sku": item.skus[0].code, "offers": _offer(item, item.skus[0], page)}
    return script(data, "application/ld+json")


# the kinds of difference schema.org has a word for; others vary without saying by what
_ABOUT = {"颜色": "color", "color": "color", "colour": "color", "尺码": "size", "尺寸": "size", "size": "size", "材质": "material",
          "material": "material", "图案": "pattern", "pattern": "pattern"}  # fmt: skip


def _variant(item: ProductPage, sku: SkuOption, image: str, page: str) -> dict[str, Any]:
    values = sku.values_en if english() and len(sku.values_en) == len(sku.values) else sku.values
    named = dict(zip((g.name.strip().lower() for g in item.options), values, strict=False))
    return {
        "@type": "Product", "name": f"{loc(item, 'title')} {loc(sku, 'option_text')}".strip(), "sku": sku.code,
        "image": image, **{_ABOUT[k]: v for k, v in named.items() if k in _ABOUT},
        "offers": _offer(item, sku, f"{page}?{urlencode({'sku': sku.code})}"),
    }  # fmt: skip


def _offer(item: ProductPage, sku: SkuOption, url: str) -> dict[str, Any]:
    free = item.return_policy == "seven_days"
    given: dict[str, Any] = {
        "@type": "MerchantReturnPolicy", "applicableCountry": "CN",
        "returnPolicyCategory": f"https://schema.org/MerchantReturn{'FiniteReturnWindow' if free else 'NotPermitted'}",
    }  # fmt: skip
    if free:
        given |= {"merchantReturnDays": 7, "returnMethod": "https://schema.org/ReturnByMail"}
    return {
        "@type": "Offer", "priceCurrency": settings.CURRENCY, "price": plain(sku.price_minor, settings.CURRENCY),
        "availability": f"https://schema.org/{'InStock' if sku.available else 'OutOfStock'}", "url": url,
        "itemCondition": "https://schema.org/NewCondition", "hasMerchantReturnPolicy": given,
    }  # fmt: skip


def trail_data(nodes: Sequence[CategoryNode], last: str = "", slug: str = "") -> SafeString:
    """The way from the first page to here; ``last`` is the page itself when it is below the categories."""
    steps = [(_("首页"), "/"), *((loc(n, "name"), f"/categories/{n.slug}") for n in nodes if n.slug)]
    if last:
        steps.append((last, f"/products/{slug}"))
    rows = [
        {"@type": "ListItem", "position": n, "name": str(name), "item": f"{settings.SITE_URL}{place}"}
        for n, (name, place) in enumerate(steps, 1)
    ]
    return script(
        {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": rows}, "application/ld+json"
    )  # fmt: skip


def list_data(cards: Sequence[ProductCard], name: str) -> SafeString:
    """The goods of a list, in its order."""
    rows = [
        {"@type": "ListItem", "position": n, "url": f"{settings.SITE_URL}/products/{c.slug}", "name": loc(c, "title")}
        for n, c in enumerate(cards, 1)
    ]
    data = {
        "@context": "https://schema.org",
        "@type": "ItemList",
        "name": name,
        "numberOfItems": len(rows),
        "itemListElement": rows,
    }
    return script(data, "application/ld+json")


def choices_data(item: ProductPage) -> SafeString:
    """Price and stock of each combination, for the script that shows what is chosen."""
    rows = [
        {"v": list(s.values), "p": plain(s.price_minor, settings.CURRENCY, group=True), "n": s.available}
        for s in item.skus
    ]
    return script(rows, "application/json", "combinations")
