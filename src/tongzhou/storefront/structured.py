"""What search engines read about a product (schema.org), as a script element that no browser runs."""

import json
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from tongzhou.catalog.values import ProductPage
from tongzhou.design.templatetags.shop_tags import absolute, english, loc
from tongzhou.kit.money import plain

_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


def script(data: Any, kind: str, name: str = "") -> SafeString:
    """Data inside a page: nothing in it can end the element it stands in."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str).translate(_ESCAPES)
    mark = f' id="{name}"' if name else ""
    return mark_safe(f'<script type="{kind}"{mark}>{body}</script>')  # noqa: S308 - escaped above


def product_data(item: ProductPage) -> SafeString:
    """A product with what it costs a member, which everybody can be, and whether it can be bought."""
    stock = "https://schema.org/InStock" if item.in_stock else "https://schema.org/OutOfStock"
    data: dict[str, Any] = {
        "@context": "https://schema.org", "@type": "Product", "name": loc(item, "title"),
        "description": loc(item, "subtitle"), "sku": item.skus[0].code if item.skus else item.slug,
        "image": [absolute(p.src) for p in item.pictures], "inLanguage": "en" if english() else "zh-CN",
        "offers": {
            "@type": "AggregateOffer", "priceCurrency": settings.CURRENCY, "availability": stock,
            "lowPrice": plain(item.price_from_minor, settings.CURRENCY), "offerCount": len(item.skus),
            "highPrice": plain(item.price_to_minor, settings.CURRENCY), "url": f"{settings.SITE_URL}/products/{item.slug}",
        },
    }  # fmt: skip
    if item.brand:
        data["brand"] = {"@type": "Brand", "name": item.brand}
    return script(data, "application/ld+json")


def choices_data(item: ProductPage) -> SafeString:
    """Price and stock of each combination, for the script that shows what is chosen."""
    rows = [
        {"v": list(s.values), "p": plain(s.price_minor, settings.CURRENCY, group=True), "n": s.available}
        for s in item.skus
    ]
    return script(rows, "application/json", "combinations")
