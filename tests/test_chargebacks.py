"""Chargebacks (拒付): what the bank takes back, gives back or keeps, in whatever order its notices come."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay, ship_and_receive
from tongzhou.aftersale import commands as aftersale
from tongzhou.catalog import queries as goods
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import audit
from tongzhou.kit.actor import member
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.payments.models import Payment, Refund
from tongzhou.payments.values import Notice, RefundOutcome
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.values import RailOutcome
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db
FEE = 1500
LATER = AT + timedelta(days=20)


@pytest.fixture
def cast():
    return assemble()


def bought(cast, *, delivered=True):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    if delivered:
        ship_and_receive(cast, placed, AT + timedelta(days=1))
    return placed, start


def says(start, outcome, amount, *, number="D1", fee=FEE, at=LATER):
    notice = Notice(
        "sandbox", str(new_id()), start.trade_no, f"dispute_{outcome}", amount, "CNY", dispute_no=number, fee_minor=fee
    )
    return orders.settle(notice, at=at).outcome


def line_of(placed, sku):
    return next(x for x in sold.lines_of([placed.order_id])[placed.order_id] if x.sku_id == sku)


def sums(cast):
    """The buyer's, the sharer's and the supplier's balances that are not zero."""
    return [{k: v for k, v in books.balances(who).items() if v} for who in (cast.buyer, cast.sharer, cast.supplier)]


def proved():
    report = books.verify()
    assert report.ok, report.problems


def paid_out(cast, amount, at):
    payouts.register_payee(
        member_id=cast.sharer, legal_name="林小满", account="6222020000001234", born="1995-05-05", by=member(cast.sharer), at=at
    )  # fmt: skip
    number = payouts.request(member_id=cast.sharer, amount_minor=amount, at=at)
    payouts.release(payout_id=number, by=cast.owner, at=at)
    payouts.release(payout_id=number, by=cast.finance, at=at)
    payouts.move(payouts.Payout.objects.filter(id=number), payouts.Status.SENT, moves=payouts.MOVES)
    payouts.record(number, RailOutcome("paid", "x"), at=at)


def test_a_lost_chargeback_of_delivered_goods_is_a_loss_and_nobody_earns_from_it(cast):
    placed, start = bought(cast)
    assert says(start, "opened", placed.total_minor) == "opened"
    drain(LATER)
    buyer = books.balances(cast.buyer)
    assert (buyer["receivable.dispute"], buyer["gateway.sandbox"], buyer["expense.dispute"]) == (14500, -FEE, FEE)
    assert rewarding.mature_due(at=LATER + timedelta(days=9)) == 0  # nothing is paid while somebody decides
    proved()
    assert says(start, "lost", placed.total_minor, fee=0) == "lost"
    drain(LATER)
    buyer = books.balances(cast.buyer)
    assert (buyer["receivable.dispute"], buyer["expense.dispute"], buyer["revenue.goods"]) == (0, 14500 + FEE, 14500)
    assert books.balances(cast.supplier)["payable.supplier"] == 8000  # the supplier delivered
    purse = rewards.earnings(cast.sharer)
    assert (purse.held_minor, purse.available_minor, purse.receivable_minor) == (0, 0, 0)
    proved()
    assert rewards.summary()[0].balanced
    with pytest.raises(Refusal) as no:  # the bank gave it all back: no refund pays it a second time
        orders.refund(
            order_id=placed.order_id, items=[RefundItem(line_of(placed, cast.rice).id, 1)], reference="again",
            by=cast.owner, at=LATER,
        )  # fmt: skip
    assert no.value.code == "charged_back"
    with pytest.raises(Refusal) as no:
        aftersale.open_case(
            order_id=placed.order_id, buyer_id=cast.buyer, units={line_of(placed, cast.rice).id: 1}, reason="quality",
            at=LATER,
        )  # fmt: skip
    assert no.value.code == "charged_back"


def test_a_chargeback_that_is_won_leaves_everything_as_it_was(cast):
    placed, start = bought(cast)
    rewarding.mature_due(at=LATER)
    before = sums(cast)
    says(start, "opened", placed.total_minor)
    drain(LATER)
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.held_minor) == (0, 1450)  # held back while somebody decides
    proved()
    assert says(start, "won", placed.total_minor) == "won"
    drain(LATER)
    assert sums(cast) == before
    proved()


def test_what_was_paid_out_is_not_held_and_what_is_lost_becomes_a_receivable(cast):
    placed, start = bought(cast)
    rewarding.mature_due(at=LATER)
    paid_out(cast, 1200, LATER)
    says(start, "opened", placed.total_minor)
    drain(LATER)
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.held_minor, purse.receivable_minor) == (0, 250, 0)
    proved()
    says(start, "lost", placed.total_minor, fee=0)
    drain(LATER)
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.held_minor, purse.receivable_minor) == (0, 0, 1200)
    proved()


def test_everything_was_paid_out_before_the_chargeback(cast):
    placed, start = bought(cast)
    rewarding.mature_due(at=LATER)
    paid_out(cast, 1450, LATER)
    says(start, "opened", placed.total_minor)
    drain(LATER)  # there is nothing to hold back: no posting without a transfer stays
    proved()
    says(start, "won", placed.total_minor)
    drain(LATER)
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.held_minor, purse.receivable_minor) == (0, 0, 0)
    proved()


def test_goods_that_were_not_sent_stay_and_their_deposit_answers(cast):
    placed, start = bought(cast, delivered=False)
    left = goods.available([cast.tea])[cast.tea]
    says(start, "opened", placed.total_minor)
    with pytest.raises(Refusal) as no:
        fulfilment.ship(order_id=placed.order_id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=LATER)
    assert no.value.code == "order_disputed"
    says(start, "lost", placed.total_minor, fee=0)
    drain(LATER)
    assert goods.available([cast.tea])[cast.tea] == left + 1
    assert sold.order_by_id(placed.order_id).status == "CANCELLED"
    assert books.balances(cast.buyer)["deposit.orders"] == 0
    assert books.balances(cast.buyer)["expense.dispute"] == FEE
    assert rewards.earnings(cast.sharer).expected_minor == 0
    proved()
    assert not any(books.money_in_flight().values())


def refund_rice(cast, placed, at):
    rice = line_of(placed, cast.rice)
    orders.refund(order_id=placed.order_id, items=[RefundItem(rice.id, 1)], reference="rice", by=cast.owner, at=at)


def test_refunds_wait_while_the_bank_has_the_money(cast):
    placed, start = bought(cast)
    says(start, "opened", placed.total_minor)
    refund_rice(cast, placed, LATER)
    drain(LATER, refunds=False)
    for row in Refund.objects.all():
        payments.send_refund(row.id, LATER)  # asks nobody: it waits
    assert books.balances(cast.buyer)["refund.in_transit"] == 5000
    assert Refund.objects.get().status == "REQUESTED"
    proved()
    says(start, "won", placed.total_minor)
    drain(LATER)  # now it is sent
    assert books.balances(cast.buyer)["gateway.sandbox"] == 9500
    assert Refund.objects.get().status == "SUCCEEDED"
    proved()


def test_a_waiting_refund_is_paid_by_the_chargeback_that_is_lost(cast):
    placed, start = bought(cast)
    refund_rice(cast, placed, LATER)
    says(start, "opened", placed.total_minor)
    says(start, "lost", placed.total_minor, fee=0)
    drain(LATER)
    assert Refund.objects.get().status == "DISPUTED"
    buyer = books.balances(cast.buyer)
    assert (buyer["refund.in_transit"], buyer["receivable.dispute"], buyer["expense.dispute"]) == (0, 0, 9500 + FEE)
    assert buyer["gateway.sandbox"] == -FEE
    proved()


@pytest.mark.parametrize("end", ["succeeded", "failed"])
@pytest.mark.parametrize("when", ["while open", "after the loss"])
def test_a_refund_under_way_when_the_bank_took_the_money(cast, end, when):
    placed, start = bought(cast)
    refund_rice(cast, placed, LATER)
    row = Refund.objects.get()
    Refund.objects.filter(id=row.id).update(status="SENT")
    says(start, "opened", placed.total_minor)
    if when == "while open":
        payments.record_refund(row.id, RefundOutcome(end, "r"), at=LATER)
        proved()
    says(start, "lost", placed.total_minor, fee=0)
    proved()
    if when == "after the loss":
        assert books.balances(cast.buyer)["receivable.dispute"] == 5000
        payments.record_refund(row.id, RefundOutcome(end, "r"), at=LATER)
    drain(LATER, refunds=False)
    buyer = books.balances(cast.buyer)
    twice = 5000 if end == "succeeded" else 0  # the buyer has it from the mall and from the bank
    assert (buyer["refund.in_transit"], buyer["receivable.dispute"]) == (0, 0)
    assert (buyer["expense.dispute"], buyer["gateway.sandbox"]) == (9500 + FEE + twice, -FEE - twice)
    assert Refund.objects.get().status == ("SUCCEEDED" if twice else "DISPUTED")
    proved()


def test_notices_come_twice_late_and_the_wrong_way_round(cast):
    placed, start = bought(cast)
    assert says(start, "lost", placed.total_minor) == "lost"  # its beginning was never heard of
    assert says(start, "lost", placed.total_minor) == "repeated"
    assert says(start, "opened", placed.total_minor) == "repeated"
    assert says(start, "won", placed.total_minor) == "repeated"  # decided is decided
    drain(LATER)
    buyer = books.balances(cast.buyer)
    assert (buyer["receivable.dispute"], buyer["expense.dispute"]) == (0, 14500 + FEE)
    assert [d.status for d in paid.disputes_of([placed.order_id])[placed.order_id]] == ["LOST"]
    proved()


def test_another_chargeback_after_one_was_won(cast):
    placed, start = bought(cast)
    says(start, "opened", placed.total_minor)
    says(start, "won", placed.total_minor)
    assert says(start, "opened", placed.total_minor, number="D2", fee=0) == "opened"
    says(start, "lost", placed.total_minor, number="D2", fee=0)
    drain(LATER)
    assert books.balances(cast.buyer)["expense.dispute"] == 14500
    proved()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": 14499}, "dispute_amount_mismatch"),
        ({"amount_minor": 14501}, "dispute_amount_mismatch"),
        ({"dispute_no": ""}, "dispute_unnamed"),
        ({"trade_no": "unknown"}, "trade_unknown"),
        ({"currency": "USD"}, "currency_mismatch"),
    ],
)
def test_a_chargeback_that_does_not_fit_changes_nothing(cast, changes, code):
    placed, start = bought(cast)
    before = sums(cast)
    fields = {
        "provider": "sandbox", "event_id": "e", "trade_no": start.trade_no, "outcome": "dispute_opened",
        "amount_minor": placed.total_minor, "currency": "CNY", "dispute_no": "D1", "fee_minor": FEE,
    }  # fmt: skip
    with pytest.raises(Refusal) as no:
        orders.settle(Notice(**{**fields, **changes}), at=LATER)
    assert no.value.code == code
    assert sums(cast) == before
    assert paid.disputes() == []


def test_a_word_about_a_payment_nobody_knows_is_not_noted(cast):
    placed, start = bought(cast)
    said = Notice("sandbox", "e1", start.trade_no, "dispute_opened", 1, "CNY", dispute_no="D1")
    orders.note_refused(replace(said, trade_no="unknown"), code="trade_unknown", at=LATER)
    orders.note_refused(said, code="dispute_amount_mismatch", at=LATER)
    orders.note_refused(said, code="dispute_amount_mismatch", at=LATER)
    assert [e.action for e in audit.trail("order", placed.no)].count("dispute.refused") == 1
    assert not audit.trail("order", "unknown")


def test_one_open_chargeback_a_payment_and_no_more_fee_back_than_was_taken(cast):
    placed, start = bought(cast)
    says(start, "opened", placed.total_minor)
    with pytest.raises(Refusal) as no:
        says(start, "opened", placed.total_minor, number="D2")
    assert no.value.code == "dispute_open"
    with pytest.raises(Refusal) as no:
        says(start, "won", placed.total_minor, fee=FEE + 1)
    assert no.value.code == "dispute_fee_mismatch"
    proved()


def test_a_second_payment_that_was_not_owed_touches_no_line(cast):
    placed, _start = bought(cast)
    other = payments.open_payment(
        order_id=placed.order_id, buyer_id=cast.buyer, order_no=placed.no, amount_minor=placed.total_minor,
        provider="sandbox", return_url="http://x/", at=AT,
    )  # fmt: skip
    assert pay(placed, other).outcome == "refunding"
    says(other, "opened", placed.total_minor, fee=0)
    says(other, "lost", placed.total_minor, fee=0)
    drain(LATER)
    assert Refund.objects.get().status == "DISPUTED"
    assert {x.disputed for x in sold.lines_of([placed.order_id])[placed.order_id]} == {""}
    assert rewards.earnings(cast.sharer).held_minor == 1450
    assert not books.balances(cast.buyer).get("expense.dispute")
    assert Payment.objects.filter(status="SUCCEEDED").count() == 2
    proved()


def test_a_case_that_the_chargeback_answered_ends_by_itself(cast):
    placed, start = bought(cast)
    at = AT + timedelta(days=2)
    case = aftersale.open_case(
        order_id=placed.order_id, buyer_id=cast.buyer, units={line_of(placed, cast.rice).id: 1}, reason="no_reason", at=at
    )  # fmt: skip
    says(start, "lost", placed.total_minor, at=at)
    drain(at)
    row = aftersale.Case.objects.get(id=case)
    assert (row.status, row.ended_at) == ("WITHDRAWN", at)
    assert aftersale.time_out(at=LATER) == (0, 0)
    proved()


def test_a_partial_case_of_an_order_cancelled_whole_ends_by_itself(cast):
    placed, _start = bought(cast, delivered=False)
    case = aftersale.open_case(
        order_id=placed.order_id, buyer_id=cast.buyer, units={line_of(placed, cast.rice).id: 1}, reason="late", at=AT,
        amount_minor=100,
    )  # fmt: skip
    orders.cancel(order_id=placed.order_id, by=member(cast.buyer), buyer_id=cast.buyer, at=AT)
    drain(AT)
    assert aftersale.Case.objects.get(id=case).status == "WITHDRAWN"
    proved()
