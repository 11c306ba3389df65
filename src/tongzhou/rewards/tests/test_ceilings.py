"""Ceilings are decided once, at accrual; maturity walks on behind what must wait."""

from datetime import timedelta

import pytest
from tests.cast import AT, PLAN, assemble
from tests.test_story import buy, drain, pay, ship_and_receive

from tongzhou.aftersale import commands as aftersale
from tongzhou.kit import worker
from tongzhou.ledger import queries as books
from tongzhou.plans import commands as plans
from tongzhou.rewards import commands, queries
from tongzhou.rewards.models import Reward

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    found = assemble()
    # a monthly ceiling of one yuan more than the first order earns; in force for what is ordered from now on
    text = PLAN + "per_month_minor = 1550\n"
    later = AT + timedelta(days=8)
    dates = f'[dates]\npublished_at = "{AT.isoformat()}"\neffective_at = "{later.isoformat()}"\n'
    plans.import_plan(text=text + dates, by=found.owner, at=AT)
    plans.activate(code="share-10", by=found.owner, at=AT)
    return found


def test_a_line_that_the_months_ceiling_left_nothing_stays_so_when_room_comes_back(cast):
    at = AT + timedelta(days=8)
    first, start = buy(cast, at)
    pay(first, start, at)
    drain(at)
    assert queries.earnings(cast.sharer).expected_minor == 1450
    second, start = buy(cast, at + timedelta(hours=1))
    pay(second, start, at + timedelta(hours=1))
    drain(at + timedelta(hours=1))
    assert queries.earnings(cast.sharer).expected_minor == 1550, "one yuan was left of the month"
    third, start = buy(cast, at + timedelta(hours=2))
    pay(third, start, at + timedelta(hours=2))
    drain(at + timedelta(hours=2))
    assert queries.earnings(cast.sharer).expected_minor == 1550
    nothing = Reward.objects.filter(order_id=third.order_id)
    assert {r.accrued_minor for r in nothing} == {0}, "kept as decisions, so that they can be explained"
    from tongzhou.orders import commands as orders

    orders.cancel(order_id=first.order_id, by=cast.owner, at=at + timedelta(hours=3), reason="changed my mind")
    drain(at + timedelta(hours=3))
    assert queries.earnings(cast.sharer).expected_minor == 100
    ship_and_receive(cast, third, at + timedelta(days=1))
    assert queries.earnings(cast.sharer).held_minor == 0, "room that came back is for later accruals only"
    fourth, start = buy(cast, at + timedelta(days=2))
    pay(fourth, start, at + timedelta(days=2))
    drain(at + timedelta(days=2))
    assert queries.earnings(cast.sharer).expected_minor == 1550
    assert books.verify().ok


def test_rewards_that_wait_hold_up_no_other(cast):
    waiting, start = buy(cast)
    pay(waiting, start)
    drain(AT)
    ship_and_receive(cast, waiting, AT + timedelta(days=1))
    for line in Reward.objects.filter(order_id=waiting.order_id).values_list("line_id", flat=True):
        aftersale.open_case(
            order_id=waiting.order_id,
            buyer_id=cast.buyer,
            units={line: 1},
            reason="quality",
            at=AT + timedelta(days=16),
        )
    free, start = buy(cast, AT + timedelta(hours=1))
    pay(free, start, AT + timedelta(hours=1))
    drain(AT + timedelta(hours=1))
    ship_and_receive(cast, free, AT + timedelta(days=1, hours=1))
    at = AT + timedelta(days=17)
    assert commands.mature_due(at=at, most=1) == 2, "the two that may, behind the two that must wait"
    assert queries.earnings(cast.sharer).available_minor == 1450
    assert worker.backlog() == 0 and books.verify().ok
