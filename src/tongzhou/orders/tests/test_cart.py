"""The cart: a wish, not a hold."""

import pytest
from tests.cast import AT, assemble

from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.orders import commands, queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return assemble()


def wants(owner):
    return sorted(n for _sku, n in queries.cart_wants(owner))


def test_lines_are_set_added_and_taken_out(cast):
    me = cast.buyer
    commands.set_cart_line(owner_id=me, sku_id=cast.tea, quantity=2, at=AT)
    commands.set_cart_line(owner_id=me, sku_id=cast.tea, quantity=3, at=AT, add=True)
    assert wants(me) == [5]
    assert commands.set_cart_line(owner_id=me, sku_id=cast.tea, quantity=999, at=AT, add=True) == 999
    commands.set_cart_line(owner_id=me, sku_id=cast.tea, quantity=0, at=AT)
    assert wants(me) == []


@pytest.mark.parametrize("quantity", [-1, 1000, "3", None])
def test_odd_quantities_are_refused_and_nothing_changes(cast, quantity):
    commands.set_cart_line(owner_id=cast.buyer, sku_id=cast.tea, quantity=2, at=AT)
    with pytest.raises(Refusal) as refused:
        commands.set_cart_line(owner_id=cast.buyer, sku_id=cast.tea, quantity=quantity, at=AT)
    assert refused.value.code == "quantity_invalid" and wants(cast.buyer) == [2]


def test_a_hundred_kinds_and_no_more(cast):
    me = new_id()
    commands.fill_cart(owner_id=me, lines=[(new_id(), 1) for _ in range(100)], at=AT)
    with pytest.raises(Refusal) as refused:
        commands.set_cart_line(owner_id=me, sku_id=cast.tea, quantity=1, at=AT)
    assert refused.value.code == "cart_full"
    for lines in ([], [(new_id(), 1)] * 101):
        with pytest.raises(Refusal):
            commands.fill_cart(owner_id=new_id(), lines=lines, at=AT)


def test_at_sign_in_the_browsers_wishes_join_the_members_once(cast):
    browser = new_id()
    commands.set_cart_line(owner_id=browser, sku_id=cast.tea, quantity=2, at=AT)
    commands.set_cart_line(owner_id=browser, sku_id=cast.rice, quantity=1, at=AT)
    commands.set_cart_line(owner_id=cast.buyer, sku_id=cast.tea, quantity=1, at=AT)
    assert commands.join_cart(visitor_id=browser, member_id=cast.buyer, at=AT) == 2
    assert commands.join_cart(visitor_id=browser, member_id=cast.buyer, at=AT) == 0
    assert wants(cast.buyer) == [1, 3] and wants(browser) == []


def test_a_cart_becomes_an_order_once(cast):
    me = new_id()
    commands.fill_cart(owner_id=me, lines=[(cast.tea, 1), (cast.tea, 2), (cast.rice, 1)], at=AT)
    assert sorted(commands.take_cart(owner_id=me)) == sorted([(cast.tea, 3), (cast.rice, 1)])
    assert commands.take_cart(owner_id=me) == []
