"""Reads: exact prices, few queries, stable pages."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongzhou.catalog import commands, queries, tree
from tongzhou.catalog.queries.cards import bounds
from tongzhou.catalog.rules import member_price
from tongzhou.catalog.tests.making import AT, BY, a_category, a_draft, a_product, the_sku
from tongzhou.catalog.values import Price
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal

pytestmark = pytest.mark.django_db
BP = 500


def shelf_of(n, **more):
    ids = []
    for i in range(n):
        saved = commands.save_product(draft=a_draft(f"tea-{i}", **more), by=BY, at=AT)
        commands.publish(product_ids=[saved.id], by=BY, at=AT + timedelta(minutes=i))
        ids.append(saved.id)
    return ids


def test_24_cards_in_one_query(django_assert_num_queries):
    shelf_of(25, prices=(7900, 4500))
    with django_assert_num_queries(1):
        page = queries.cards(discount_bp=BP)
    assert len(page.items) == 24 and page.next_cursor
    card = page.items[0]
    assert (card.slug, card.price_from_minor, card.price_to_minor, card.in_stock) == ("tea-24", 4275, 7505, True)


@pytest.mark.parametrize("sort", ["newest", "price", "-price"])
def test_pages_hold_every_product_once(sort):
    made = set(shelf_of(9))
    commands.save_product(draft=a_draft("hidden"), by=BY, at=AT)
    seen, cursor = [], ""
    while True:
        page = queries.cards(discount_bp=BP, sort=sort, after=cursor, limit=4)
        seen += [c.id for c in page.items]
        if not (cursor := page.next_cursor):
            break
    assert len(seen) == 9 and set(seen) == made


def test_price_order_is_the_order_of_what_members_pay():
    listed = {"a": Price(1000), "b": Price(2000, 900), "c": Price(960), "d": Price(5000, 5000)}
    for slug, price in listed.items():
        saved = a_product(f"tea-{slug}")
        commands.set_prices(prices={the_sku(saved): price}, by=BY, at=AT)
    page = queries.cards(discount_bp=BP, sort="price")
    assert [(c.slug[-1], c.price_from_minor) for c in page.items] == [("b", 900), ("c", 912), ("a", 950), ("d", 5000)]


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.none() | st.integers(0, 10**9)), min_size=1, max_size=8),
    st.integers(0, 10_000),
)
def test_the_four_bounds_give_the_exact_lowest_and_highest_member_price(skus, bp):
    skus = [(listed, own if own is None else min(own, listed)) for listed, own in skus]
    plain = [listed for listed, own in skus if own is None]
    owned = [own for _listed, own in skus if own is not None]
    kept = (min(plain, default=None), max(plain, default=None), min(owned, default=None), max(owned, default=None))
    prices = [member_price(listed, own, bp) for listed, own in skus]
    assert bounds(*kept, bp) == (min(prices), max(prices))


@pytest.mark.parametrize(
    "cursor", ["x", "~", "2026~zz", "2026-07-14T04:00:00~" + UUID(int=7 << 76).hex, "-5~" + UUID(int=7 << 76).hex]
)
def test_a_made_up_cursor_is_refused(cursor):
    for sort in ("newest", "price"):
        with pytest.raises(Refusal, match="cursor_invalid"):
            queries.cards(discount_bp=BP, after=cursor, sort=sort)
    with pytest.raises(Refusal, match="sort_unknown"):
        queries.cards(discount_bp=BP, sort="id; drop table")
    with pytest.raises(Refusal, match="cursor_invalid"):
        queries.console_products(after=cursor)


def test_a_category_shows_what_is_below_it():
    tea = a_category()
    black = a_category("black-tea", tea, "红茶")
    a_product("keemun", category_id=black)
    a_product("cup", category_id=a_category("cups", None, "杯壶"))
    assert [c.slug for c in queries.cards(discount_bp=BP, category_id=tea).items] == ["keemun"]
    assert queries.cards(discount_bp=BP, category_id=new_id()).items == ()


def test_the_product_page_in_five_queries_with_the_tree_and_four_without(django_assert_max_num_queries):
    a_product(prices=(7900, 4500))
    tree.current()
    with django_assert_max_num_queries(5):  # inside a transaction the tree's stamp is asked too
        page = queries.product_page("rougui", BP, at=AT)
    assert (page.price_from_minor, page.price_to_minor, page.category.slug) == (4275, 7505, "tea")
    assert [g.name for g in page.options] == ["包装"] and [c.value for c in page.options[0].choices] == [
        "规格0",
        "规格1",
    ]
    assert page.in_stock and page.pictures[0].src.endswith("placeholder.svg")


def test_a_sold_out_choice_says_so():
    saved = a_product(prices=(7900, 4500))
    sku = saved.sku_ids["ROUGUI-1"]
    commands.reserve(order_id=new_id(), wants=[(sku, 5)], expires_at=AT, at=AT)
    page = queries.product_page("rougui", BP)
    assert [c.sold_out for c in page.options[0].choices] == [False, True]


def test_drafts_are_nobodys_business_and_archived_pages_sell_nothing():
    saved = a_product(published=False)
    with pytest.raises(Refusal, match="product_not_found"):
        queries.product_page("rougui", BP)
    assert queries.product_page("rougui", BP, drafts=True).status == "DRAFT"
    commands.archive(product_ids=[saved.id], by=BY, at=AT)
    assert not queries.product_page("rougui", BP).in_stock


def test_a_reference_price_is_shown_only_as_the_week_allows():
    saved = a_product()
    sku = the_sku(saved)

    def sell(price, at):
        order = new_id()
        commands.reserve(order_id=order, wants=[(sku, 1)], expires_at=at, at=at)
        commands.commit(order, at, deals={sku: price})

    def shown(at):
        return queries.product_page("rougui", BP, at=at).skus[0].reference_minor

    assert shown(AT) is None
    for days, price in ((30, 9900), (6, 7800), (3, 7600), (2, 7700)):
        sell(price, AT - timedelta(days=days))
    assert shown(AT) == 7600
    assert shown(AT + timedelta(days=20)) == 7700  # no deal for a week: the last one
    commands.set_prices(prices={sku: Price(7900, 7650)}, by=BY, at=AT)
    assert shown(AT) is None  # 7600 is not above 7650
    draft = queries.console_product(saved.id).draft
    commands.save_product(
        draft=replace(draft, list_price_basis="品牌建议零售价 2026-03"), product_id=saved.id, by=BY, at=AT
    )
    assert shown(AT) == 7900
    assert queries.cards(discount_bp=BP).items[0].reference_minor == 7900


def test_skus_for_the_cart_in_one_query(django_assert_num_queries):
    black = a_category("black-tea", a_category(), "红茶")
    saved = a_product(prices=(7900, 4500), category_id=black)
    with django_assert_num_queries(1):
        infos = queries.skus([*saved.sku_ids.values(), new_id()], BP)
    assert len(infos) == 2
    info = infos[saved.sku_ids["ROUGUI-0"]]
    assert info.category_ids == (black, a_category()) and info.sellable
    assert (info.price_minor, info.list_price_minor, info.option_text) == (7505, 7900, "规格0")
    commands.unpublish(product_ids=[saved.id], by=BY, at=AT)
    assert not any(i.sellable for i in queries.skus(saved.sku_ids.values(), BP).values())


def test_console_lists(django_assert_max_num_queries):
    ids = shelf_of(5)
    with django_assert_max_num_queries(2):
        rows, cursor = queries.console_products(limit=3)
    rest, end = queries.console_products(limit=3, after=cursor)
    assert [r.id for r in rows + rest] == list(reversed(ids)) and end == ""
    assert (rows[0].sku_count, rows[0].available) == (1, 5)
    assert [r.slug for r in queries.console_products(query="TEA-3")[0]] == ["tea-3"]
    assert queries.console_products(query="···")[0] == [] == queries.console_products(status="ARCHIVED")[0]
    assert len(queries.low_stock(at_most=5)) == 5 and queries.low_stock(at_most=4) == []
    assert queries.movements(queries.sku_ids_of(ids[0])[0])[0].delta == 5


def test_the_tree_is_read_once_and_again_when_it_changes():
    a_category()
    first = tree.current()
    assert tree.current() is first
    a_category("cups", None, "杯壶")
    assert [n.slug for n in queries.categories()] == ["tea", "cups"]


def test_visitors_browse_only_what_leads_to_goods_on_sale():
    shelf_of(1)
    cups = a_category("cups", None, "杯壶")
    assert [n.slug for n in queries.shelves().roots] == ["tea"]
    before = queries.shelves().mark
    cup = commands.save_product(draft=replace(a_draft("cup"), category_id=cups), by=BY, at=AT)
    assert [n.slug for n in queries.shelves().roots] == ["tea"]
    commands.publish(product_ids=[cup.id], by=BY, at=AT)
    assert [n.slug for n in queries.shelves().roots] == ["tea", "cups"]
    assert queries.shelves().mark != before


def test_cards_of_named_products():
    a, b = shelf_of(2)
    assert set(queries.cards_by_ids([a, b, new_id()], discount_bp=BP)) == {a, b}


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-07-14T00:00:00", "x"]
)
def test_a_page_beyond_the_calendar_is_a_cursor_that_is_refused(moment):
    for read in (
        lambda after: queries.cards(discount_bp=0, after=after),
        lambda after: queries.console_products(after=after),
    ):
        with pytest.raises(Refusal) as no:
            read(f"{moment}~{'0' * 32}")
        assert no.value.code == "cursor_invalid"
