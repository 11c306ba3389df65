"""The seven days and the worth of units, without a database."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongzhou.aftersale.models import MOVES, Status
from tongzhou.aftersale.rules import NO_REASON_EXCEPTIONS, return_until, right_of_return, worth
from tongzhou.kit.states import reachable

HOME = ZoneInfo("Asia/Shanghai")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def right(at, delivered, policy="seven_day", left=1):
    return right_of_return(delivered_at=delivered, return_policy=policy, units_left=left, at=at, zone=HOME).state


def test_every_status_is_reachable():
    assert reachable(MOVES, Status.REQUESTED) == set(Status)


def test_the_right_lasts_to_the_end_of_the_seventh_day():
    delivered = datetime(2026, 7, 1, 23, 59, tzinfo=HOME)
    last = datetime(2026, 7, 8, 23, 59, 59, tzinfo=HOME)
    assert right(last, delivered) == "open"
    assert right(last + timedelta(seconds=1), delivered) == "over"


@given(MOMENTS)
def test_the_right_is_seven_days_at_least_and_never_more_than_eight(delivered):
    length = return_until(delivered, HOME) - delivered
    assert timedelta(days=7) < length <= timedelta(days=8)


@pytest.mark.parametrize("policy", sorted(NO_REASON_EXCEPTIONS))
def test_exceptions_say_so(policy):
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert right(now, now, policy) == "excepted"
    assert right(now, None, policy) == "not_received"
    assert right(now, now, policy, left=0) == "nothing_left"


@given(st.integers(1, 10**9), st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_units_given_back_in_any_steps_add_up_to_the_cent(amount, steps):
    quantity, gone, money = sum(steps), 0, 0
    for units in steps:
        part = worth(amount_minor=amount, refunded_minor=money, quantity=quantity, refunded_quantity=gone, units=units)
        assert 0 <= part <= amount - money
        gone, money = gone + units, money + part
    assert money == amount
