"""What machines read of the shop: sitemap, merchant feed, schema.org, and the two lists that are made of facts."""

import csv
import io
import json
import os
import re
import time
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.test import Client

from tests.cast import assemble
from tests.test_story import buy, pay
from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.queries import addresses
from tongzhou.catalog.values import ProductDraft, SkuDraft
from tongzhou.kit import clock
from tongzhou.orders.models import Order
from tongzhou.storefront import feeds
from tongzhou.suppliers import queries as suppliers

pytestmark = pytest.mark.django_db
G = "{http://base.google.com/ns/1.0}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
# Google's product data specification: what every listing must have, and what a value may be
NEEDED = ("id", "title", "description", "link", "image_link", "availability", "price")
SHAPES = {
    "id": r".{1,50}", "title": r".{1,150}", "description": r".{1,5000}", "link": r"https?://\S{1,2000}",
    "image_link": r"https?://\S+\.(png|jpe?g|webp|gif)", "availability": "in_stock|out_of_stock", "price": r"\d+\.\d{2} [A-Z]{3}",
    "condition": "new", "brand": r".{0,70}", "gtin": r"|\d{8}|\d{12,14}", "identifier_exists": "yes|no",
    "item_group_id": r".{0,50}", "product_type": r".{0,750}",
}  # fmt: skip
# schema.org types as Google's rich results ask for them
REQUIRED = {
    "Product": {"name", "image", "offers"}, "ProductGroup": {"name", "productGroupID", "hasVariant"},
    "Offer": {"price", "priceCurrency", "availability", "url"}, "BreadcrumbList": {"itemListElement"}, "Brand": {"name"},
    "ItemList": {"itemListElement"}, "ListItem": {"position", "name"},
    "MerchantReturnPolicy": {"applicableCountry", "returnPolicyCategory"},
}  # fmt: skip


@pytest.fixture
def cast(settings, tmp_path):
    settings.TONGZHOU_HOME = tmp_path
    cache.clear()
    made = assemble()
    by, at = made.owner, clock.now()
    skus = [SkuDraft(code=f"CUP-{c}", list_price_minor=5000 + n, on_hand=n, option_values=(c,), option_values_en=(e,), barcode=b)
            for n, (c, e, b) in enumerate((("雾蓝", "Mist", "6901234567892"), ("砂粉", "Sand", "6901234567890")))]  # fmt: skip
    draft = ProductDraft(slug="cup", title="杯\t子", title_en="Cup", supplier_id=made.supplier, category_id=goods.category("tea").id,
                         skus=tuple(skus), option_names=("颜色",), option_names_en=("Colour",), description="<p>好杯子 & 更多</p>")  # fmt: skip
    saved = catalog.save_product(draft=draft, by=by, at=at)
    catalog.publish(product_ids=[saved.id], by=by, at=at)
    for slug in ("rougui", "cup"):
        _drawn(slug)
    return made


def _drawn(slug):
    from tongzhou.catalog.models import Picture, Product

    row = Product.objects.get(slug=slug)
    Picture.objects.create(product=row, position=0, kind="drawn", path="tz/art/goods/apples.svg", at=clock.now())
    from tongzhou.catalog.commands import shelf

    shelf.refresh([row.id])


def _read(form, **query):
    answer = Client().get(f"/feeds/google.{form}", query)
    assert answer.status_code == 200 and answer["Content-Type"] == feeds.TYPES[form]
    text = b"".join(answer.streaming_content).decode()
    if form == "tsv":
        return list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    return [{c.tag.removeprefix(G): c.text for c in item} for item in ElementTree.fromstring(text).iter("item")]


@pytest.mark.parametrize("form", ["tsv", "xml"])
def test_the_feed_has_every_field_a_merchant_listing_needs(cast, form):
    for language in ("zh", "en"):
        rows = _read(form, language=language)
        assert {r["id"] for r in rows} >= {"CUP-雾蓝", "CUP-砂粉"} and len(rows) == 3, "what has no picture is left out"
        for row in rows:
            assert not [f for f in NEEDED if not row.get(f)], row
            wrong = [
                f
                for f, shape in SHAPES.items()
                if not re.fullmatch(shape, row.get(f) or "", re.S) and (f in NEEDED or row.get(f))
            ]
            assert not wrong, (wrong, row)
    cups = {r["id"]: r for r in _read(form)}
    assert cups["CUP-雾蓝"]["gtin"] == "6901234567892" and cups["CUP-雾蓝"]["identifier_exists"] == "yes"
    assert not cups["CUP-砂粉"].get("gtin") and cups["CUP-砂粉"]["identifier_exists"] == "no", (
        "a wrong check digit is no GTIN"
    )
    assert [cups[f"CUP-{c}"]["availability"] for c in ("雾蓝", "砂粉")] == ["out_of_stock", "in_stock"]
    assert cups["CUP-雾蓝"]["item_group_id"] == "cup" and "好杯子 & 更多" in cups["CUP-雾蓝"]["description"]
    assert "title" in cups["CUP-雾蓝"] and cups["CUP-雾蓝"]["title"].split() == ["杯", "子", "雾蓝"]


def test_a_listing_says_what_its_page_says(cast):
    for row in _read("tsv"):
        page = Client().get(
            row["link"].replace("http://127.0.0.1:8000", "").split("://", 1)[-1].partition("/")[2].join(["/", ""])
        )
        data = next(d for d in _data(page.content.decode()) if d["@type"].startswith("Product"))
        offers = {v["sku"]: v["offers"] for v in data.get("hasVariant", [data])}
        offer = offers[row["id"]]
        assert f"{offer['price']} {offer['priceCurrency']}" == row["price"]
        assert offer["availability"].endswith("/InStock") == (row["availability"] == "in_stock")


def test_a_feed_is_written_once_an_hour_and_whole(cast, monkeypatch):
    _read("tsv")
    path = Path(feeds.written("tsv", "zh", clock.now()))
    before = path.read_text()
    catalog.archive(product_ids=[goods.product_page("cup", 0).id], by=cast.owner, at=clock.now())
    assert len(_read("tsv")) == 3, "an hour old at most"
    os.utime(path, (time.time() - 4000,) * 2)
    monkeypatch.setattr(feeds, "entry", lambda item: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        feeds.written("tsv", "zh", clock.now())
    assert path.read_text() == before and len(list(path.parent.iterdir())) == 1, "nothing half written is left"
    monkeypatch.undo()
    assert len(_read("tsv")) == 1
    assert Client().get("/feeds/google.csv").status_code == 404


def test_the_sitemap_names_everything_one_may_read_once(cast, monkeypatch):
    monkeypatch.setattr(addresses, "SITEMAP_PART", 2)
    index = ElementTree.fromstring(Client().get("/sitemap.xml").content)
    parts = [loc.text for loc in index.iter(f"{MAP}loc")]
    found = []
    for part in parts:
        answer = Client().get("/" + part.split("/", 3)[3])
        assert answer.status_code == 200
        found += [loc.text for loc in ElementTree.fromstring(answer.content).iter(f"{MAP}loc")]
    assert len(found) == len(set(found))
    paths = ["/" + url.split("/", 3)[3] for url in found]
    assert {
        "/",
        "/new",
        "/popular",
        "/categories/tea",
        f"/suppliers/{suppliers.supplier(cast.supplier).code}",
        "/products/cup",
        "/products/rougui",
        "/help/returns",
    } <= set(paths)
    assert {p for p in paths if p.startswith("/products/")} == {
        f"/products/{c.slug}" for c in goods.cards(discount_bp=0).items
    }
    for path in paths:
        answer = Client().get(path)
        assert answer.status_code == 200 and b'content="noindex' not in answer.content, path
    for wrong in ("x", "0", "9", "99999999", "²", "01"):
        assert Client().get(f"/sitemap-{wrong}.xml").status_code == 404, wrong


def _data(html):
    return [json.loads(text) for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)]


def _typed(thing):
    if isinstance(thing, dict):
        yield from [thing] if "@type" in thing else []
        for value in thing.values():
            yield from _typed(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from _typed(value)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_structured_data_has_what_its_types_require(cast, language):
    c = Client(headers={"accept-language": language})
    seen = {}
    for path in ("/products/rougui", "/products/cup", "/categories/tea", "/new", "/popular"):
        roots = _data(c.get(path).content.decode())
        assert all(r["@context"] == "https://schema.org" for r in roots)
        seen[path] = [r["@type"] for r in roots]
        for thing in _typed(roots):
            needed = REQUIRED[thing["@type"]]
            lacking = {f for f in needed if not thing.get(f) and not (path == "/popular" and f == "itemListElement")}
            assert not lacking, (path, thing["@type"], lacking)
        places = [x for x in _typed(roots) if x["@type"] == "ListItem"]
        assert all(x.get("item", x.get("url", "")).startswith("http") for x in places)
    assert seen == {
        "/products/rougui": ["Product", "BreadcrumbList"], "/products/cup": ["ProductGroup", "BreadcrumbList"],
        "/categories/tea": ["BreadcrumbList", "ItemList"], "/new": ["ItemList"], "/popular": ["ItemList"],
    }  # fmt: skip
    cup = _data(c.get("/products/cup").content.decode())[0]
    assert cup["variesBy"] == ["https://schema.org/color"] and len(cup["hasVariant"]) == 2
    assert cup["hasVariant"][0]["color"] == ("Mist" if language == "en" else "雾蓝")


def test_the_lists_are_what_they_say(cast):
    c = Client()
    assert "这 30 天还没有人买" in c.get("/popular").content.decode()
    html = c.get("/new").content.decode()
    order = [html.index(f"/products/{card.slug}") for card in goods.cards(discount_bp=0).items]
    assert order == sorted(order) and "最近的在前" in html
    for _ in range(2):
        placed, start = buy(cast)
        pay(placed, start)
        Order.objects.filter(id=placed.order_id).update(paid_at=clock.now())
    cache.clear()
    html = c.get("/popular").content.decode()
    assert "1 人买过" in html and "2 人买过" not in html and "近 30 天" in html, "one person twice is one"
    Order.objects.update(paid_at=clock.now() - timedelta(days=31))
    cache.clear()
    assert "这 30 天还没有人买" in c.get("/popular").content.decode()
    assert 'href="/new"' in c.get("/").content.decode()
