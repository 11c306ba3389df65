"""Chargebacks where it hurts: facts that cross, refunds under way, an end before its beginning, two payments of one order."""

from datetime import timedelta

import pytest

from tests.cast import AT, assemble
from tests.test_chargebacks import FEE, LATER, bought, line_of, proved, refund_rice, says
from tests.test_story import drain, pay
from tongzhou.aftersale import commands as aftersale
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders.values import RefundItem
from tongzhou.payments import commands as payments
from tongzhou.payments import providers
from tongzhou.payments import queries as paid
from tongzhou.payments.models import Refund
from tongzhou.payments.values import RefundOutcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return assemble()


def refund_tea(cast, placed, at):
    tea = line_of(placed, cast.tea)
    orders.refund(order_id=placed.order_id, items=[RefundItem(tea.id, 1)], reference="tea", by=cast.owner, at=at)


def ends(reference, outcome):
    payments.record_refund(Refund.objects.get(reference=reference).id, RefundOutcome(outcome, "r"), at=LATER)


def balances(cast):
    found = books.balances(cast.buyer)
    return {
        a: found.get(a, 0) for a in ("refund.in_transit", "receivable.dispute", "expense.dispute", "gateway.sandbox")
    }


class Bank:
    """A counterparty that writes down what it was asked to send."""

    def __init__(self):
        self.asked = []

    def query_refund(self, refund_no):
        return None

    def refund(self, *, trade_no, refund_no, amount_minor):
        self.asked.append(amount_minor)
        return RefundOutcome("succeeded", "r")


def test_a_refund_that_a_lost_chargeback_answered_meanwhile_is_not_sent(cast, monkeypatch):
    """The worker has read the refund; before it sends it, the chargeback is lost and has paid it."""
    placed, start = bought(cast)
    refund_rice(cast, placed, LATER)
    bank = Bank()

    def late(_name):
        if not paid.disputes():
            says(start, "lost", placed.total_minor)
        return bank

    monkeypatch.setattr(providers, "get", late)
    payments.send_refund(Refund.objects.get().id, LATER)
    assert bank.asked == []
    assert Refund.objects.get().status == "DISPUTED"
    proved()


@pytest.mark.parametrize("order", [("rice", "tea"), ("tea", "rice")])
def test_two_refunds_under_way_of_which_the_bank_had_paid_one(cast, order):
    """The bank took 95.00 because 50.00 had left already. The 50.00 is no second payment, the 95.00 is not owed twice."""
    placed, start = bought(cast)
    refund_rice(cast, placed, LATER)
    refund_tea(cast, placed, LATER)
    Refund.objects.update(status="SENT")
    says(start, "opened", 9500)
    says(start, "lost", 9500, fee=0)
    proved()
    for reference in order:
        ends(reference, "succeeded" if reference == "rice" else "failed")
        proved()
    assert balances(cast) == {
        "refund.in_transit": 0, "receivable.dispute": 0, "expense.dispute": FEE, "gateway.sandbox": -FEE,
    }  # fmt: skip
    assert {r.reference: r.status for r in Refund.objects.all()} == {"rice": "SUCCEEDED", "tea": "DISPUTED"}


def test_a_refund_the_bank_had_counted_as_paid_and_then_refused_is_still_owed(cast):
    """The bank took the rest only, and then did not pay the refund: the loss is the rest, the refund is tried again."""
    placed, start = bought(cast)
    refund_rice(cast, placed, LATER)
    Refund.objects.update(status="SENT")
    says(start, "opened", 9500)
    ends("rice", "failed")
    assert says(start, "lost", 9500, fee=0) == "lost"
    drain(LATER, refunds=False)
    proved()
    assert Refund.objects.get().status == "FAILED"
    assert balances(cast)["refund.in_transit"] == 5000
    payments.retry_refund(refund_id=Refund.objects.get().id, by=cast.owner, at=LATER)
    drain(LATER)
    proved()
    assert balances(cast) == {
        "refund.in_transit": 0, "receivable.dispute": 0, "expense.dispute": 9500 + FEE, "gateway.sandbox": -FEE,
    }  # fmt: skip


def test_both_payments_of_one_order_are_charged_back_and_the_books_are_still_proved(cast):
    placed, start = bought(cast, delivered=False)
    other = payments.open_payment(
        order_id=placed.order_id, buyer_id=cast.buyer, order_no=placed.no, amount_minor=placed.total_minor,
        provider="sandbox", return_url="http://x/", at=AT,
    )  # fmt: skip
    assert pay(placed, other).outcome == "refunding"
    says(other, "lost", placed.total_minor, fee=0)
    says(start, "lost", placed.total_minor, number="D2", fee=0)
    drain(LATER)
    assert not any(balances(cast).values())
    proved()


@pytest.mark.parametrize(
    ("end", "fee", "spent"), [("lost", 0, 14500 + FEE), ("lost", FEE, 14500 + FEE), ("won", FEE, 0), ("won", 500, 1000)]
)
@pytest.mark.parametrize("late", [False, True])
def test_the_fee_is_the_same_in_whatever_order_its_notices_come(cast, end, fee, spent, late):
    placed, start = bought(cast)
    notices = [lambda: says(start, "opened", placed.total_minor), lambda: says(start, end, placed.total_minor, fee=fee)]
    for notice in reversed(notices) if late else notices:
        notice()
    for notice in notices:
        assert notice() == "repeated"
    drain(LATER)
    assert balances(cast)["expense.dispute"] == spent
    proved()


@pytest.mark.parametrize("then", ["refunded", "granted"])
def test_a_case_about_two_lines_goes_on_when_only_one_of_them_is_gone(cast, then):
    placed, _start = bought(cast)
    at = AT + timedelta(days=2)
    rice, tea = line_of(placed, cast.rice), line_of(placed, cast.tea)
    case = aftersale.open_case(
        order_id=placed.order_id, buyer_id=cast.buyer, units={rice.id: 1, tea.id: 1}, reason="quality", at=at
    )  # fmt: skip
    refund_rice(cast, placed, at)
    drain(at)
    assert aftersale.Case.objects.get(id=case).status == "REQUESTED"
    if then == "refunded":
        refund_tea(cast, placed, at)
        drain(at)
        assert aftersale.Case.objects.get(id=case).status == "WITHDRAWN"
    else:  # what is left of it can still be granted
        aftersale.approve(case_id=case, by=cast.owner, at=at)
        aftersale.receive_back(case_id=case, by=cast.owner, at=at)
        drain(at)
        assert aftersale.Case.objects.get(id=case).status == "REFUNDED"
    assert balances(cast)["gateway.sandbox"] == 0
    proved()
