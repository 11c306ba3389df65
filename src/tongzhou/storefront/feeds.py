"""What is on sale, as Google Merchant reads it: one list, as tab-separated values and as RSS 2.0.

The price is what everybody pays who buys: joining is free and asked at checkout. A variant without a price or a
picture of its own is left out, because a listing without them is refused as a whole.
"""

import csv
import io
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import override

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import FeedItem
from tongzhou.design.templatetags.shop_tags import absolute, loc, raster
from tongzhou.kit.money import plain
from tongzhou.storefront import http

FIELDS = (
    "id", "title", "description", "link", "image_link", "availability", "price", "condition", "brand", "gtin",
    "identifier_exists", "item_group_id", "product_type",
)  # fmt: skip
KEPT = 3600  # seconds a written feed is handed out
TYPES = {"tsv": "text/tab-separated-values; charset=utf-8", "xml": "application/rss+xml; charset=utf-8"}
LANGUAGES = {"zh": "zh-hans", "en": "en"}


def gtin(barcode: str) -> str:
    """A barcode that is a GTIN (8, 12, 13 or 14 digits, the last of them right), or nothing."""
    if not re.fullmatch(r"\d{8}|\d{12,14}", barcode, re.ASCII) or not barcode.strip("0"):
        return ""
    weighed = sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(reversed(barcode)))
    return barcode if weighed % 10 == 0 else ""


def entry(item: FeedItem) -> dict[str, str]:
    """One variant's fields, in the language that is active."""
    options, code = loc(item, "option_text"), gtin(item.barcode)
    node = goods.category_by_id(item.category_id)
    title = f"{loc(item, 'title')} {options}".strip() if item.many else loc(item, "title")
    query = f"?sku={item.code}" if item.many else ""
    return {
        "id": item.code if len(item.code) <= 50 else item.id.hex, "title": title[:150],
        "description": (loc(item, "description") or title)[:5000],
        "link": f"{settings.SITE_URL}/products/{item.slug}{query}", "image_link": absolute(raster(item.picture)),
        "availability": "in_stock" if item.available else "out_of_stock",
        "price": f"{plain(item.price_minor, settings.CURRENCY)} {settings.CURRENCY}", "condition": "new",
        "brand": item.brand[:70], "gtin": code, "identifier_exists": "yes" if code else "no",
        "item_group_id": item.slug[:50] if item.many else "",
        "product_type": " > ".join(loc(n, "name") for n in goods.trail(node)) if node else "",
    }  # fmt: skip


def tsv(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """A line of names, a line per variant; no tab and no line break inside a field."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writeheader()
    for row in rows:
        writer.writerow({k: " ".join(v.split()) for k, v in row.items()})
        if out.tell() > 1 << 16:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def xml(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """RSS 2.0 with the ``g:`` names; fields without a value are left out."""
    name, about = escape(_("同舟")), escape(_("人人都是会员价"))
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
        f"<title>{name}</title><link>{escape(settings.SITE_URL)}</link><description>{about}</description>\n"
    )
    for row in rows:
        yield "<item>" + "".join(f"<g:{k}>{escape(v)}</g:{k}>" for k, v in row.items() if v) + "</item>\n"
    yield "</channel></rss>\n"


WRITERS = {"tsv": tsv, "xml": xml}


def written(form: str, language: str, at: datetime) -> Path:
    """The feed as a file that is at most an hour old; whoever comes first after that writes it, the others read on."""
    path = Path(settings.TONGZHOU_HOME) / "feeds" / f"google-{language}.{form}"
    old = not path.exists() or time.time() - path.stat().st_mtime > KEPT
    if old and (cache.add(f"feed:{path.name}", 1, 300) or not path.exists()):
        try:
            _write(path, form, language, http.discount(at))
        finally:
            cache.delete(f"feed:{path.name}")
    return path


def _write(path: Path, form: str, language: str, discount_bp: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        override(LANGUAGES[language]),
        tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as out,
    ):
        try:
            out.writelines(WRITERS[form](entry(item) for item in goods.feed(discount_bp=discount_bp)))
        except BaseException:
            os.unlink(out.name)
            raise
    Path(out.name).replace(path)
