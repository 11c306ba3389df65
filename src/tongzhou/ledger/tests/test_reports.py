"""Reports are sums of rows: they agree with the trial balance, and the rows behind a figure add up to it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.ledger import commands, queries
from tongzhou.ledger.values import Move

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


def post(debit, credit, amount, *, book, days_ago=0):
    commands.post(
        book_id=book, kind="test", reference=str(new_id()), story_id=new_id(), legs=[Move(debit, credit, amount)],
        by=SYSTEM, at=AT, effective_at=AT - timedelta(days=days_ago),
    )  # fmt: skip


def test_profit_is_of_what_was_delivered_in_the_period():
    book = new_id()
    post("gateway.sandbox", "deposit.orders", 10_000, book=book, days_ago=40)
    post("deposit.orders", "revenue.goods", 6_000, book=book, days_ago=3)
    post("deposit.orders", "revenue.goods", 1_000, book=book, days_ago=31)
    post("expense.goods", "payable.supplier", 3_500, book=book, days_ago=3)
    post("revenue.goods", "refund.in_transit", 500, book=book, days_ago=2)
    found = queries.profit_and_loss(AT - timedelta(days=30), AT)
    assert found.income == (("revenue.goods", 5_500),) and found.expense == (("expense.goods", 3_500),)
    assert found.profit_minor == 2_000
    assert queries.profit_and_loss(AT - timedelta(days=60), AT + timedelta(seconds=1)).profit_minor == 3_000


def test_what_is_left_is_the_newest():
    book, other = new_id(), new_id()
    post("expense.rewards", "reward.held", 300, book=book, days_ago=100)
    post("expense.rewards", "reward.held", 200, book=book, days_ago=20)
    post("expense.rewards", "reward.held", 50, book=book, days_ago=1)
    post("reward.held", "reward.available", 320, book=book)
    post("expense.rewards", "reward.held", 70, book=other, days_ago=95)
    assert queries.ages("reward.held", AT).by_age == (50, 180, 0, 70)
    by_account = {a.account: a.total_minor for a in queries.owed_by_age(AT)}
    assert by_account == {"reward.available": 320, "reward.held": 300}


@given(st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 200), st.integers(0, 100)), min_size=1, max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_ages_always_add_up_to_the_balance(steps):
    from django.db import transaction

    with transaction.atomic():
        book = new_id()
        for grow, days, share in steps:
            post("expense.compensation", "credit.store", grow, book=book, days_ago=days)
            spend = queries.balances(book)["credit.store"] * share // 100
            if spend:
                post("credit.store", "deposit.orders", spend, book=book, days_ago=days)
        aged = queries.ages("credit.store", AT + timedelta(seconds=1))
        assert aged.total_minor == queries.total("credit.store") and min(aged.by_age) >= 0
        transaction.set_rollback(True)


def test_the_rows_behind_a_figure_add_up_to_it():
    book = new_id()
    for n in range(1, 8):
        post("gateway.sandbox", "deposit.orders", n * 100, book=book, days_ago=n)
    post("deposit.orders", "revenue.goods", 900, book=book)
    rows, before = [], None
    while page := queries.behind("deposit.orders", before=before, limit=3):
        rows += page
        before = page[-1][1].transfer_id
    signed = sum(line.amount if line.credit == "deposit.orders" else -line.amount for _b, line in rows)
    assert len(rows) == 8 and signed == queries.total("deposit.orders") == 1_900
    week = queries.behind("deposit.orders", since=AT - timedelta(days=3, hours=1), until=AT)
    assert sum(line.amount for _b, line in week) == 600


def test_a_proof_is_kept_once_a_day_and_a_failed_one_is_told():
    from tongzhou.kit import audit
    from tongzhou.ledger import tasks
    from tongzhou.ledger.models import AccountBalance

    post("gateway.sandbox", "deposit.orders", 100, book=new_id())
    assert tasks.nightly_proof(AT).endswith("every check holds")
    assert tasks.nightly_proof(AT + timedelta(hours=1)) == "proved today already"
    AccountBalance.objects.filter(account="deposit.orders").update(credits=101)
    assert "2 problems" in tasks.nightly_proof(AT + timedelta(days=1))
    run = queries.last_proof()
    assert run.transfers == 1 and {p[0] for p in run.problems} == {"balances_are_sums", "books_balance"}
    assert [entry.action for entry in audit.entries()] == ["ledger.proof_failed"]
    assert len(queries.proofs()) == 2
