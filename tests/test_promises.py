"""What a page promises a sharer is what the sale then gives."""

import pytest
from django.test import Client

from tests.cast import AT, assemble, product
from tests.test_story import buy, drain, pay
from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductCard, ProductDraft, SkuDraft
from tongzhou.people.models import Member
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as in_plan
from tongzhou.rewards.models import Reward
from tongzhou.storefront.promises import on_card, promised
from tongzhou.storefront.variants import chosen_sku

pytestmark = pytest.mark.django_db
PLAN = """
code = "by-shelf"
name = "茶多一些"
[member_price]
discount_bp = 500
[[rewards]]
rate_bp = 1000
[[rewards]]
category = "tea"
rate_bp = 1200
[caps]
payout_to_margin_bp = 5000
"""


def test_the_page_the_card_and_the_ledger_say_the_same(monkeypatch):
    cast = assemble()
    plans.import_plan(text=PLAN, by=cast.owner, at=AT)
    plans.activate(code="by-shelf", by=cast.owner, at=AT)
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    given = dict(Reward.objects.filter(order_id=placed.order_id).values_list("line_id", "accrued_minor"))
    assert sorted(given.values()) == [600, 1140]
    force = in_plan.in_force(AT)
    for slug in ("rougui", "rice"):
        item = goods.product_page(slug, 500, at=AT)
        assert promised(force, item, chosen_sku(item)) in given.values()
    cards = {c.slug: c for c in goods.cards(discount_bp=500).items}
    assert all(isinstance(c, ProductCard) for c in cards.values())
    assert {on_card(force, c) for c in cards.values()} == {600, 1140}


def test_a_thin_margin_promises_no_more_than_it_gives():
    cast = assemble()
    item = goods.product_page("rougui", 500, at=AT)
    made = {"supplier": cast.supplier, "shelf": item.category.id, "stock": 5, "by": cast.owner, "at": AT}
    product("thin", "薄利茶", **made, list_price=10_000, member=None, cost=9_400)
    page = goods.product_page("thin", 500, at=AT)
    assert promised(in_plan.in_force(AT), page, chosen_sku(page)) == 50, "half of what ¥95.00 leaves above ¥94.00"
    assert "0.50" in Client().get("/products/thin").content.decode()


def test_poster_preview_and_page_begin_with_the_same_price():
    cast = assemble()
    shelf = goods.product_page("rougui", 0).category.id
    codes = ("LARGE", "GONE", "SMALL")
    skus = tuple(
        SkuDraft(code=code, list_price_minor=price, cost_minor=1000, option_values=(code,))
        for code, price in zip(codes, (9000, 3000, 5000), strict=True)
    )
    saved = catalog.save_product(
        draft=ProductDraft(
            slug="sizes", title="三种大小", title_en="Three sizes", supplier_id=cast.supplier, category_id=shelf,
            option_names=("大小",), skus=skus,
        ), by=cast.owner, at=AT,
    )  # fmt: skip
    catalog.publish(product_ids=[saved.id], by=cast.owner, at=AT)
    by_code = {s.code: s.id for s in goods.product_page("sizes", 500).skus}
    catalog.set_stock(levels=[(by_code["LARGE"], 5), (by_code["SMALL"], 5)], by=cast.owner, at=AT)
    sharer = Client(headers={"accept-language": "en"})
    sharer.force_login(Member.objects.get(id=cast.sharer), backend="tongzhou.people.backends.MemberBackend")
    preview, page = (sharer.get(p).content.decode() for p in ("/products/sizes/share", "/products/sizes"))
    begins = (
        '<small class="faint" data-from>from </small><span class="price{}"><small>¥</small>47<small>.50</small></span>'
    )
    assert begins.format("") in preview and begins.format(" price--xl") in page, "the cheapest that is in stock"
    assert "from ¥47.50 member price" in preview, "what the poster says is written beside it"
    assert f'value="{by_code["SMALL"]}" checked' in page
    asked = sharer.get("/products/sizes?sku=LARGE").content.decode()
    assert f'value="{by_code["LARGE"]}" checked' in asked and "data-from>" not in asked
    catalog.set_stock(levels=[(by_code["SMALL"], 0)], by=cast.owner, at=AT)
    page = sharer.get("/products/sizes").content.decode()
    assert "<small>¥</small>85<small>.50</small>" in page and "data-from>" not in page, (
        "nothing that can be bought costs more"
    )
