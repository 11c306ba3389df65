"""Tenders and refunds to the cent, against the oracle's own arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import oracle

from tongzhou.kit.money import largest_remainder
from tongzhou.ledger.tenders import (
    amount_for_units,
    coupon_for_units,
    refund_parts,
    returned_so_far,
    split_tenders,
)

MONEY = st.integers(0, 10**9)


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
def test_the_largest_remainder_is_exact_and_the_oracle_agrees(total, weights):
    if not sum(weights):
        weights = [1, *weights]
    parts = largest_remainder(total, weights)
    assert sum(parts) == total and parts == oracle.largest_remainder(total, weights)
    assert all(abs(p * sum(weights) - total * w) < sum(weights) for p, w in zip(parts, weights, strict=True))


def test_the_split_of_a_known_pool():
    """Two of level one, five of two, ten of three, sharing 1000 by the shares 24, 48, 71: to the cent, ties to the first."""
    shares = largest_remainder(1000, [5] * 2 + [10] * 5 + [15] * 10)
    assert shares == [24] * 2 + [48] * 5 + [72] * 2 + [71] * 8 and sum(shares) == 1000


@st.composite
def baskets(draw):
    goods = draw(st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
    freight, left = draw(st.integers(0, 5000)), sum(goods)
    tenders = []
    for _ in range(3):
        tenders.append(draw(st.integers(0, left)))
        left -= tenders[-1]
    return goods, freight, tenders, draw(st.integers(0, left + freight))


@given(baskets())
def test_tenders_add_up_to_the_order_and_the_oracle_agrees(basket):
    goods, freight, (supplier, platform, points), credit = basket
    lines = split_tenders(
        goods, freight, supplier_coupon=supplier, platform_coupon=platform, points=points, credit=credit
    )
    want = oracle.spread(goods, freight, coupons=(supplier, platform), points=points, credit=credit)
    assert [[x.amount, x.points, x.credit, x.cash] for x in lines] == want
    assert sum(x.amount + x.coupon for x in lines) == sum(goods) + freight
    assert sum(x.points for x in lines) == points and sum(x.credit for x in lines) == credit
    assert sum(x.coupon for x in lines) == supplier + platform and all(x.cash >= 0 for x in lines)


@pytest.mark.parametrize("more", [{"points": 101}, {"supplier_coupon": 60, "platform_coupon": 41}, {"credit": 109}])
def test_no_tender_pays_more_than_there_is(more):
    with pytest.raises(ValueError, match="exceeds"):
        split_tenders([50, 50], 8, **more)


@st.composite
def refunds(draw):
    amount = draw(st.integers(1, 10**6))
    points = draw(st.integers(0, amount))
    credit = draw(st.integers(0, amount - points))
    coupon = draw(st.integers(0, 10**6))
    stops = draw(st.lists(st.integers(0, amount), max_size=10))
    return amount, points, credit, coupon, sorted([*stops, amount])


@given(refunds())
def test_any_sequence_of_partial_refunds_adds_up_to_the_cent(case):
    amount, points, credit, coupon, stops = case
    given_back, before = [0, 0, 0, 0], 0
    for stop in stops:
        part = refund_parts(amount, points, credit, coupon, before, stop)
        for i, n in enumerate((part.points, part.credit, part.cash, part.coupon)):
            assert n >= 0, "a refund takes nothing back"
            given_back[i] += n
        assert given_back[:3] == list(oracle.back_by_tender(amount, points, credit, coupon, stop)[:3])
        assert sum(given_back[:3]) == stop  # what was refunded is what was given
        before = stop
    assert given_back == [points, credit, amount - points - credit, coupon]


@given(st.integers(0, 10**7), st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_units_add_up_to_the_line_and_the_last_takes_what_is_left(amount, steps):
    quantity, before, total = sum(steps), 0, 0
    for units in steps:
        total += amount_for_units(amount, quantity, before, units)
        before += units
        assert total == amount * before // quantity
    assert total == amount and coupon_for_units(amount, quantity, quantity) == amount


def test_the_worked_example():
    """Two lines of 50, coupon 10, points 5, freight 8: cash 93; one line back is 42.50 and 2.50 in points."""
    lines = split_tenders([5000, 5000], 800, platform_coupon=1000, points=500)
    assert sum(x.cash for x in lines) == 9300
    first = lines[0]
    back = refund_parts(first.amount, first.points, first.credit, first.coupon, 0, first.amount)
    assert (back.cash, back.points, back.coupon) == (4250, 250, 500)


@pytest.mark.parametrize(
    "call",
    [
        lambda: returned_so_far(10, 0, 0, 0, 11),
        lambda: returned_so_far(10, 0, 0, 0, -1),
        lambda: amount_for_units(10, 2, 1, 2),
        lambda: amount_for_units(10, 0, 0, 0),
        lambda: largest_remainder(-1, [1]),
        lambda: largest_remainder(1, [0]),
    ],
)
def test_what_cannot_be_is_an_error(call):
    with pytest.raises(ValueError):
        call()
