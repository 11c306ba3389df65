"""What a page promises a sharer is what the sale then gives."""

import pytest
from django.test import Client

from tests.cast import AT, assemble, product
from tests.test_story import buy, drain, pay
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductCard
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
        assert promised(force, chosen_sku(item)) in given.values()
    cards = {c.slug: c for c in goods.cards(discount_bp=500).items}
    assert all(isinstance(c, ProductCard) for c in cards.values())
    assert {on_card(force, c) for c in cards.values()} == {600, 1140}


def test_a_thin_margin_promises_no_more_than_it_gives():
    cast = assemble()
    item = goods.product_page("rougui", 500, at=AT)
    made = {"supplier": cast.supplier, "shelf": item.category.id, "stock": 5, "by": cast.owner, "at": AT}
    product("thin", "薄利茶", **made, list_price=10_000, member=None, cost=9_400)
    page = goods.product_page("thin", 500, at=AT)
    assert promised(in_plan.in_force(AT), chosen_sku(page)) == 50, "half of what ¥95.00 leaves above ¥94.00"
    assert "0.50" in Client().get("/products/thin").content.decode()
