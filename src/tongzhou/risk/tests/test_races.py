"""Real threads on a real database: a verdict, a refund, maturity and a decision meet on one reward."""

from datetime import timedelta

import pytest
from tests.cast import AT, assemble
from tests.test_story import drain

from tongzhou.catalog import commands as catalog
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as selling
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.people.tests.test_races import at_once
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards
from tongzhou.rewards.models import Reward
from tongzhou.risk import commands
from tongzhou.risk.models import Hold
from tongzhou.risk.tests.making import person, sell
from tongzhou.risk.values import Kind, Sighting

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


@pytest.fixture
def cast():
    found = assemble()
    catalog.set_stock(levels=[(found.rice, 500)], by=found.owner, at=AT)
    return found


def held(cast):
    four = [person(n, AT) for n in range(4)]
    commands.observe([Sighting(m, Kind.DEVICE, "farm") for m in four], at=AT)
    placed = sell(cast, cast.sharer, four[0], AT)
    return placed, Hold.objects.get()


def test_two_people_deciding_at_once_decide_once(cast):
    _placed, hold = held(cast)
    at = AT + 5 * DAY
    said = at_once(
        lambda: commands.refuse(hold_id=hold.id, reason="看起来不对劲", by=cast.owner, at=at),
        lambda: commands.release(hold_id=hold.id, reason="看起来没问题", by=cast.owner, at=at),
    )
    assert said == ["ok", "state_moved_on"]
    row, reward = Hold.objects.get(), Reward.objects.get()
    held_now = rewards.earnings(cast.sharer).held_minor
    assert (row.status, reward.verdict, held_now) in {("REFUSED", "refuse", 0), ("RELEASED", "pay", 500)}
    assert books.verify().ok


def test_a_refusal_a_refund_and_maturity_leave_the_books_right(cast):
    placed, hold = held(cast)
    line = sold.lines_of([placed.order_id])[placed.order_id][0]
    at = hold.until + DAY
    at_once(
        lambda: commands.refuse(hold_id=hold.id, reason="看起来不对劲", by=cast.owner, at=at),
        lambda: rewarding.mature_due(at=at),
        lambda: selling.refund(
            order_id=placed.order_id, reference="r", items=[RefundItem(line.id, 0, 2000)], by=cast.owner, at=at, reason="x"
        ),
    )  # fmt: skip
    drain(at)
    rewarding.mature_due(at=at)
    purse = rewards.earnings(cast.sharer)
    status = Hold.objects.get().status
    assert (status, purse.held_minor + purse.available_minor) in {("REFUSED", 0), ("OPEN", 300)}
    assert rewards.summary()[0].balanced and books.verify().ok, books.verify().problems
