"""Posting: what is written, what is refused, and that a refusal writes nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import commands, queries
from tongzhou.ledger.models import AccountBalance, Posting, Transfer
from tongzhou.ledger.values import Draw, Fill, Move, PostingRequest

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


def post(book, reference, *legs, story=None, **more):
    return commands.post(
        book_id=book, kind="test", reference=reference, story_id=story or new_id(), legs=legs, by=SYSTEM, at=AT, **more
    )


def counts():
    return (
        Posting.objects.count(),
        Transfer.objects.count(),
        list(
            AccountBalance.objects.order_by("book_id", "account").values_list("book_id", "account", "debits", "credits")
        ),
    )


def test_a_posting_moves_balances_and_verifies():
    book = uuid4()
    post(book, "pay", Move("gateway.sandbox", "deposit.orders", 9300))
    post(book, "deliver", Move("deposit.orders", "revenue.goods", 8500), Move("deposit.orders", "revenue.freight", 800))
    assert queries.balances(book) == {
        "gateway.sandbox": 9300,
        "deposit.orders": 0,
        "revenue.goods": 8500,
        "revenue.freight": 800,
    }
    assert queries.verify().ok


def test_four_statements_however_many_postings(django_assert_max_num_queries):
    books = [uuid4() for _ in range(50)]
    post(uuid4(), "warm", Move("bank", "opening", 1))
    requests = [
        PostingRequest(b, "t", f"r{i}", new_id(), (Move("gateway.sandbox", "deposit.orders", 5 + i),), AT)
        for i, b in enumerate(books)
    ]
    with django_assert_max_num_queries(8):  # savepoints, currency, books, postings, transfers, balances
        commands.post_many(requests, by=SYSTEM, at=AT + timedelta(days=9999))
    assert queries.verify().ok


def test_the_same_again_returns_the_first_and_writes_nothing():
    book, story = uuid4(), new_id()
    first = post(book, "pay", Move("gateway.sandbox", "deposit.orders", 9300), story=story)
    before = counts()
    again = post(book, "pay", Move("gateway.sandbox", "deposit.orders", 9300), story=story)
    assert again.repeated and again.posting_id == first.posting_id and again.transfers == first.transfers
    assert counts() == before


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ((), "empty_posting"),
        ((Move("gateway.sandbox", "nowhere", 1),), "unknown_account"),
        ((Move("gateway.sandbox", "gateway.sandbox", 1),), "same_account"),
        ((Move("gateway.sandbox", "deposit.orders", 0),), "amount_not_positive"),
        ((Move("gateway.sandbox", "deposit.orders", -5),), "amount_not_positive"),
        ((Move("gateway.sandbox", "deposit.orders", 1.5),), "amount_not_positive"),  # type: ignore[arg-type]
        ((Move("deposit.orders", "revenue.goods", 101),), "insufficient_balance"),
        ((Move("reward.available", "payout.in_transit.reward", 1),), "insufficient_balance"),
        ((Move("gateway.sandbox", "deposit.orders", 5), Move("deposit.orders", "bank", 200)), "insufficient_balance"),
    ],
)
def test_refusals_write_nothing(legs, code):
    book = uuid4()
    post(book, "start", Move("gateway.sandbox", "deposit.orders", 100))
    before = counts()
    with pytest.raises(Refusal) as caught:
        post(book, "bad", *legs)
    assert caught.value.code == code
    assert counts() == before


def test_another_body_under_a_reference_is_refused():
    book = uuid4()
    post(book, "pay", Move("gateway.sandbox", "deposit.orders", 100))
    before = counts()
    with pytest.raises(Refusal) as caught:
        post(book, "pay", Move("gateway.sandbox", "deposit.orders", 101))
    assert caught.value.code == "reference_reused"
    assert counts() == before


def test_a_citation_stops_at_the_amount_of_what_it_cites():
    book = uuid4()
    paid = post(book, "pay", Move("gateway.sandbox", "deposit.orders", 100)).transfers[0].id
    post(book, "other", Move("gateway.sandbox", "deposit.orders", 500))
    post(book, "refund-1", Move("deposit.orders", "refund.in_transit", 60, cites=paid))
    before = counts()
    with pytest.raises(Refusal) as caught:
        post(book, "refund-2", Move("deposit.orders", "refund.in_transit", 41, cites=paid))
    assert caught.value.code == "over_reversed"
    assert counts() == before
    assert queries.cited_room(paid) == 40


def test_a_draw_takes_what_is_available_and_then_owes():
    book = uuid4()
    post(book, "held", Move("expense.rewards", "reward.available", 30))
    post(book, "claw", Draw("reward.available", "receivable.clawback.reward", "expense.rewards", 50))
    assert queries.balances(book, ["reward.available", "receivable.clawback.reward"]) == {
        "reward.available": 0,
        "receivable.clawback.reward": 20,
    }
    post(book, "earn", Fill("expense.rewards", "reward.available", 25, nets="receivable.clawback.reward"))
    assert queries.balances(book)["reward.available"] == 5
    assert queries.balances(book)["receivable.clawback.reward"] == 0
    assert queries.verify().ok


def test_verify_notices_a_touched_balance_and_a_touched_transfer():
    book = uuid4()
    post(book, "pay", Move("gateway.sandbox", "deposit.orders", 100))
    AccountBalance.objects.filter(book_id=book, account="gateway.sandbox").update(debits=101)
    assert {p.check for p in queries.verify().problems} >= {"balances_are_sums", "books_balance"}
    AccountBalance.objects.filter(book_id=book, account="gateway.sandbox").update(debits=100)
    assert queries.verify().ok
    Transfer.objects.filter(book_id=book).update(amount=99)
    assert not queries.verify().ok


def test_a_sealed_day_takes_nothing_more_and_shows_tampering():
    book = uuid4()
    post(book, "pay", Move("gateway.sandbox", "deposit.orders", 100))
    later = AT + timedelta(days=3)
    assert commands.seal(through=AT.date(), by=SYSTEM, at=later)
    with pytest.raises(Refusal) as caught:
        post(book, "late", Move("gateway.sandbox", "deposit.orders", 1))
    assert caught.value.code == "sealed_day"
    assert queries.verify().ok
    Posting.objects.filter(book_id=book).update(kind="other")
    assert any(p.check == "seals" for p in queries.verify().problems)


def test_a_day_that_is_not_over_is_not_sealed():
    with pytest.raises(Refusal) as caught:
        commands.seal(through=AT.date(), by=SYSTEM, at=AT)
    assert caught.value.code == "day_not_over"
