"""One sale and its reward cost the same in a small mall and in a large one: no tree of members is walked."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay
from tongzhou.people.models import Binding, Member
from tongzhou.rewards.models import Reward

pytestmark = pytest.mark.django_db
VALUES = re.compile(r"\bs\d+_x\d+\b|'[^']*'(::\w+)?|\b[0-9a-f]{32}\b|\b\d+(\.\d+)?\b")


def grow(cast, start, until):
    """Members up to a number, each invited by an earlier one; every tenth by the sharer of the sale."""
    for low in range(start, until, 5_000):
        numbers = range(low, min(until, low + 5_000))
        Member.objects.bulk_create(
            [
                Member(id=UUID(int=n + 1), login=f"crowd-{n}", display_name="人", invite_code=f"C{n:010d}", joined_at=AT, password="!")
                for n in numbers
            ]
        )  # fmt: skip
        Binding.objects.bulk_create(
            [
                Binding(invitee_id=UUID(int=n + 1), inviter_id=cast.sharer if n % 10 == 0 else UUID(int=n // 2 + 1), source="link", at=AT)
                for n in numbers
            ]
        )  # fmt: skip
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE people_member, people_binding")


def written():
    """Rows written so far by this connection, or transaction."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        else:
            cursor.execute("SELECT total_changes()")
        return int(cursor.fetchone()[0])


def a_sale(cast, at):
    """From the opened link to the reward in the books: the statements' shapes, and how many rows were written."""
    before = written()
    with CaptureQueriesContext(connection) as caught:
        placed, start = buy(cast, at)
        assert pay(placed, start, at).outcome == "paid"
        drain(at)
    assert Reward.objects.filter(order_id=placed.order_id).count() == 2
    return [VALUES.sub("?", q["sql"]) for q in caught.captured_queries], written() - before


@pytest.mark.parametrize(
    "crowd", [20_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_a_reward_issues_the_same_statements_and_writes_the_same_rows_whatever_the_crowd(crowd):
    cast = assemble()
    a_sale(cast, AT)  # what a process remembers is remembered now
    grow(cast, 0, 1_000)
    small = a_sale(cast, AT + timedelta(hours=2))
    grow(cast, 1_000, crowd)
    large = a_sale(cast, AT + timedelta(hours=4))
    assert Member.objects.count() > crowd
    assert large[0] == small[0]
    assert large[1] == small[1] > 0
