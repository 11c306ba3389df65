"""What a sale leads to, whichever way its facts arrive."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from tests.cast import assemble
from tests.life import sums

from tongzhou.kit.ids import new_id
from tongzhou.ledger import queries as books
from tongzhou.orders.events import LineSnapshot, OrderPaid
from tongzhou.plans import queries as plan_queries
from tongzhou.rewards import commands
from tongzhou.rewards.models import Reward

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


@pytest.fixture
def cast():
    return assemble(AT)


def line(amount, *, version=1, delivered=None, refunded=0, identity=None):
    return LineSnapshot(
        identity or new_id(), new_id(), "S", new_id(), "s", new_id(), (), 1, amount, 0, 0, 0, amount, None, refunded,
        0, delivered, version,
    )  # fmt: skip


def fact(cast, version, lines, kind=OrderPaid, at=AT, order=None):
    return kind(
        order or new_id(), "TZ1", cast.buyer, cast.sharer, None, version.id if version else None, None, None, AT, at,
        tuple(lines),
    )  # fmt: skip


@pytest.mark.parametrize("turns", list(permutations(range(4))))
def test_any_order_of_facts_comes_to_the_same(cast, turns):
    version, order, it = plan_queries.in_force(AT), new_id(), new_id()
    told = [
        fact(cast, version, [line(9999, identity=it)], order=order),
        fact(cast, version, [line(9999, version=2, refunded=1111, identity=it)], order=order),
        fact(cast, version, [line(9999, version=3, refunded=1111, delivered=AT, identity=it)], order=order),
        fact(cast, version, [line(9999, version=4, refunded=5555, delivered=AT, identity=it)], order=order),
    ]
    for turn in turns:
        commands.apply([told[turn], told[turn]], at=AT)
        commands.apply([told[turns[0]]], at=AT)
    have = sums(story_id=it)
    assert (have["reward.held"], have["expense.rewards"], have["prepaid.rewards"]) == (444, 444, 0)
    assert books.verify().ok


def test_facts_without_a_sharer_or_of_ones_own_pass_over(cast):
    from dataclasses import replace

    mine = fact(cast, plan_queries.in_force(AT), [line(1000)])
    assert commands.apply([replace(mine, sharer_id=None), replace(mine, sharer_id=cast.buyer)], at=AT) == 0
    assert not Reward.objects.exists()
