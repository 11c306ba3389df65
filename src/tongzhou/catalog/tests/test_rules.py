"""Prices and slugs: vectors, tables and properties; no database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongzhou.catalog import rules
from tongzhou.catalog.models import MOVES, RESERVATION_MOVES, ReservationStatus, Status
from tongzhou.kit.states import reachable
from tongzhou.plans.rules import member_price as plans_member_price

prices = st.integers(0, rules.MOST_PRICE)


def test_reference_price_vectors():
    assert rules.reference_cap([199, 179, 189]) == 179
    assert rules.reference_cap([], 210) == 210
    assert rules.reference_cap([]) is None


@pytest.mark.parametrize(
    ("list_price", "deals", "last", "price", "documented", "shown"),
    [
        (299, [199, 179, 189], None, 159, False, 179),  # the lowest of the week, not the tag
        (299, [], 210, 159, False, 210),
        (299, [], None, 159, False, None),  # never sold: nothing may be crossed out
        (299, [179], None, 179, False, None),  # not higher than the price: says nothing
        (299, [], None, 159, True, 299),  # documented: the tag itself
        (150, [179], None, 120, False, 150),  # never above the tag either
    ],
)
def test_shown_reference(list_price, deals, last, price, documented, shown):
    assert rules.shown_reference(list_price, deals, price=price, last_deal=last, documented=documented) == shown


@given(prices, st.lists(prices, max_size=9), prices, st.none() | prices)
def test_an_undocumented_reference_never_exceeds_the_weeks_lowest_deal(list_price, deals, price, last):
    shown = rules.shown_reference(list_price, deals, price=price, last_deal=last)
    if shown is not None:
        assert price < shown <= list_price
        assert shown <= (min(deals) if deals else last)


@given(prices, st.none() | prices, st.integers(0, 10_000))
def test_member_price_agrees_with_the_plans_rule_and_never_exceeds_the_list_price(list_price, own, bp):
    price = rules.member_price(list_price, own, bp)
    assert price == plans_member_price(list_price, own, bp)
    assert 0 <= price <= list_price


@given(prices, prices, st.integers(0, 10_000))
def test_a_dearer_list_price_is_never_cheaper_for_members(a, b, bp):
    """What the kept bounds of a card rest on."""
    low, high = sorted((a, b))
    assert rules.member_price(low, None, bp) <= rules.member_price(high, None, bp)


@given(st.text(max_size=60))
def test_slugs_are_slugs(text):
    slug = rules.slugify(text)
    assert slug == "" or rules.SLUG.fullmatch(slug)


@given(st.text(st.characters(), max_size=60))
def test_clean_text_keeps_no_control_characters_and_is_its_own_fixed_point(text):
    once = rules.clean_text(text)
    assert not rules.has_control(once) and rules.clean_text(once) == once


def test_every_status_can_be_reached():
    assert reachable(MOVES, Status.DRAFT) == set(Status)
    assert reachable(RESERVATION_MOVES, ReservationStatus.HELD) == set(ReservationStatus)
