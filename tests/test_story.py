"""The whole main story, through the commands, with the clock in the test's hand."""

from datetime import timedelta

import pytest

from tests.cast import AT, Cast, assemble
from tongzhou.aftersale import commands as aftersale
from tongzhou.config.wiring import periodic
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import worker
from tongzhou.kit.actor import member
from tongzhou.kit.ids import new_id
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.payments.models import Refund
from tongzhou.payments.values import Notice, RefundOutcome
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.values import RailOutcome
from tongzhou.plans import queries as plans
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import commands as sharing

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return assemble()


def buy(cast: Cast, at=AT, *, shared=True, quantity=1):
    if shared:
        visitor = new_id()
        link = sharing.make_link(member_id=cast.sharer, product_id=None, at=at)
        sharing.touch(code=link.code, visitor_id=visitor, plan_version_id=plans.in_force(at).id, at=at)
        sharing.join_visitor(visitor_id=visitor, member_id=cast.buyer, at=at)
    placed = orders.place(
        buyer_id=cast.buyer, lines=[(cast.tea, quantity), (cast.rice, 1)], address=cast.address, at=at
    )
    start = payments.open_payment(
        order_id=placed.order_id,
        buyer_id=cast.buyer,
        order_no=placed.no,
        amount_minor=placed.total_minor,
        provider="sandbox",
        return_url="http://x/",
        at=at,
    )
    return placed, start


def pay(placed, start, at=AT, **changes):
    notice = Notice(
        **{
            "provider": "sandbox",
            "event_id": str(new_id()),
            "trade_no": start.trade_no,
            "outcome": "succeeded",
            "amount_minor": placed.total_minor,
            "currency": "CNY",
            "provider_txn": "t",
            **changes,
        }
    )
    return orders.settle(notice, at=at)


def drain(at, refunds=True):
    """Local deliveries, and refunds as a counterparty that always succeeds would answer them."""
    while worker._run_local(at=at, limit=64, worker="test"):
        pass
    if refunds:
        for row in Refund.objects.filter(status="REQUESTED"):
            payments.record_refund(row.id, RefundOutcome("succeeded", "r"), at=at)
        while worker._run_local(at=at, limit=64, worker="test"):
            pass


def ship_and_receive(cast, placed, at):
    fulfilment.ship(order_id=placed.order_id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=at)
    fulfilment.confirm_receipt(order_id=placed.order_id, by=member(cast.buyer), buyer_id=cast.buyer, at=at)
    drain(at)


def test_from_share_to_payout(cast):
    placed, start = buy(cast)
    assert placed.total_minor == 9500 + 5000
    assert pay(placed, start).outcome == "paid"
    drain(AT)
    purse = rewards.earnings(cast.sharer)
    assert purse.expected_minor == 950 + 500
    ship_and_receive(cast, placed, AT + timedelta(days=2))
    assert rewards.earnings(cast.sharer).held_minor == 1450
    assert books.balances(cast.supplier)["payable.supplier"] == 8000
    later = AT + timedelta(days=2 + 16)
    assert rewarding.mature_due(at=later) == 2
    assert rewards.earnings(cast.sharer).available_minor == 1450
    payouts.register_payee(
        member_id=cast.sharer,
        legal_name="林小满",
        account="6222020000001234",
        born="1995-05-05",
        by=member(cast.sharer),
        at=later,
    )
    pid = payouts.request(member_id=cast.sharer, amount_minor=1450, at=later)
    assert payouts.release(payout_id=pid, by=cast.owner, at=later) == "CHECKED"
    assert payouts.release(payout_id=pid, by=cast.finance, at=later) == "RELEASED"
    payouts.move(payouts.Payout.objects.filter(id=pid), payouts.Status.SENT, moves=payouts.MOVES)
    payouts.record(pid, RailOutcome("paid", "x"), at=later)
    purse = rewards.earnings(cast.sharer)
    assert (purse.paid_minor, purse.available_minor, purse.in_payout_minor) == (1450, 0, 0)
    assert books.verify().ok, books.verify().problems
    assert rewards.summary()[0].balanced
    flight = {k: v for k, v in books.money_in_flight().items() if v}
    assert flight == {}


def test_a_return_within_the_window_reverses_exactly_its_part(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    at = AT + timedelta(days=2)
    ship_and_receive(cast, placed, at)
    rice = next(x for x in sold.lines_of([placed.order_id])[placed.order_id] if x.sku_id == cast.rice)
    case = aftersale.open_case(
        order_id=placed.order_id, buyer_id=cast.buyer, units={rice.id: 1}, reason="no_reason", at=at
    )
    assert rewarding.mature_due(at=at + timedelta(days=16)) == 1  # the tea; the rice waits for its case
    aftersale.approve(case_id=case, by=cast.owner, at=at)
    aftersale.send_back(case_id=case, buyer_id=cast.buyer, carrier="yunda", tracking_no="YD7654321", at=at)
    aftersale.receive_back(case_id=case, by=cast.owner, at=at)
    drain(at)
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.held_minor, purse.receivable_minor) == (950, 0, 0)
    assert books.balances(cast.supplier)["payable.supplier"] == 5000
    assert books.balances(cast.buyer)["refund.in_transit"] == 0
    assert aftersale.Case.objects.get(id=case).money_back_at is not None
    assert books.verify().ok and rewards.summary()[0].balanced


def test_defect_02_a_refund_after_the_payout_becomes_a_receivable_netted_from_the_next_earning(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    at = AT + timedelta(days=1)
    ship_and_receive(cast, placed, at)
    later = at + timedelta(days=16)
    rewarding.mature_due(at=later)
    payouts.register_payee(
        member_id=cast.sharer,
        legal_name="林小满",
        account="6222020000001234",
        born="1995-05-05",
        by=member(cast.sharer),
        at=later,
    )
    pid = payouts.request(member_id=cast.sharer, amount_minor=1450, at=later)
    payouts.release(payout_id=pid, by=cast.owner, at=later)
    payouts.release(payout_id=pid, by=cast.finance, at=later)
    payouts.move(payouts.Payout.objects.filter(id=pid), payouts.Status.SENT, moves=payouts.MOVES)
    payouts.record(pid, RailOutcome("paid", "x"), at=later)
    rice = next(x for x in sold.lines_of([placed.order_id])[placed.order_id] if x.sku_id == cast.rice)
    case = aftersale.open_case(
        order_id=placed.order_id, buyer_id=cast.buyer, units={rice.id: 1}, reason="quality", at=later
    )
    aftersale.approve(case_id=case, by=cast.owner, at=later)
    aftersale.send_back(case_id=case, buyer_id=cast.buyer, carrier="yunda", tracking_no="YD7654321", at=later)
    aftersale.receive_back(case_id=case, by=cast.owner, at=later)
    drain(later)
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.receivable_minor, purse.payable_minor) == (0, 500, 0)
    again, start = buy(cast, later)
    pay(again, start, later)
    drain(later)
    ship_and_receive(cast, again, later + timedelta(days=1))
    rewarding.mature_due(at=later + timedelta(days=20))
    purse = rewards.earnings(cast.sharer)
    assert (purse.available_minor, purse.receivable_minor) == (950, 0)
    assert books.verify().ok and rewards.summary()[0].balanced


def test_the_right_amount_only(cast):
    placed, start = buy(cast)
    assert pay(placed, start, amount_minor=placed.total_minor - 1).outcome == "refunding"
    assert sold.order_by_id(placed.order_id).status == "PLACED"
    again = payments.open_payment(
        order_id=placed.order_id,
        buyer_id=cast.buyer,
        order_no=placed.no,
        amount_minor=placed.total_minor,
        provider="sandbox",
        return_url="http://x/",
        at=AT,
    )
    assert pay(placed, again, amount_minor=placed.total_minor + 7).outcome == "paid"
    drain(AT)
    assert books.balances(cast.buyer)["deposit.orders"] == placed.total_minor
    assert books.balances(cast.buyer)["suspense.payments"] == 0
    assert books.balances(cast.buyer)["gateway.sandbox"] == placed.total_minor
    assert {p.status for p in paid.payments_of(placed.order_id)} == {"SUCCEEDED"}
    assert books.verify().ok


def test_defect_14_a_second_payment_goes_back_by_itself(cast):
    placed, first = buy(cast)
    second = payments.open_payment(
        order_id=placed.order_id,
        buyer_id=cast.buyer,
        order_no=placed.no,
        amount_minor=placed.total_minor,
        provider="sandbox",
        return_url="http://x/",
        at=AT,
    )
    assert first.trade_no == second.trade_no  # an open one is reused
    assert pay(placed, first).outcome == "paid"
    other = payments.open_payment(
        order_id=placed.order_id,
        buyer_id=cast.buyer,
        order_no=placed.no,
        amount_minor=placed.total_minor,
        provider="sandbox",
        return_url="http://x/",
        at=AT,
    )
    assert pay(placed, other).outcome == "refunding"
    drain(AT)
    assert books.balances(cast.buyer)["gateway.sandbox"] == placed.total_minor
    assert pay(placed, other).outcome == "repeated"
    assert books.verify().ok


def test_cancelling_a_paid_order_gives_everything_back(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    orders.cancel(order_id=placed.order_id, by=member(cast.buyer), buyer_id=cast.buyer, at=AT)
    drain(AT)
    purse = rewards.earnings(cast.sharer)
    assert (purse.expected_minor, purse.held_minor, purse.receivable_minor) == (0, 0, 0)
    assert all(v == 0 for v in books.balances(cast.buyer).values())
    assert not any(books.money_in_flight().values())
    assert books.verify().ok


def test_unpaid_orders_end_by_themselves(cast):
    placed, start = buy(cast)
    late = AT + timedelta(minutes=31)
    assert orders.expire_due(at=late) == 1
    assert sold.order_by_id(placed.order_id).status == "CANCELLED"
    assert pay(placed, start, late).outcome == "refunding"
    drain(late)
    assert books.balances(cast.buyer)["gateway.sandbox"] == 0
    assert books.verify().ok


def test_every_periodic_job_runs(cast):
    for job in periodic():
        assert isinstance(job.run(AT), str)


def test_defect_11_goods_sold_while_a_payment_was_under_way_are_not_sold_twice(cast):
    from tongzhou.catalog import commands as catalog

    placed, start = buy(cast, quantity=10)
    late = AT + timedelta(minutes=36)
    catalog.release_expired(at=late)
    other = orders.place(buyer_id=cast.sharer, lines=[(cast.tea, 10)], address=cast.address, at=late)
    assert other.total_minor > 0
    assert pay(placed, start, late).outcome == "refunding"
    drain(late)
    assert sold.order_by_id(placed.order_id).status == "CANCELLED"
    assert books.balances(cast.buyer)["gateway.sandbox"] == 0
    assert books.verify().ok


def test_a_shoppers_own_unpaid_order_gives_way(cast):
    first, _start = buy(cast, quantity=10)
    second = orders.place(buyer_id=cast.buyer, lines=[(cast.tea, 10)], address=cast.address, at=AT)
    assert sold.order_by_id(first.order_id).status == "CANCELLED"
    assert sold.order_by_id(second.order_id).status == "PLACED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trade_no": "unknown"}, "trade_unknown"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"amount_minor": 0}, "amount_not_positive"),
    ],
)
def test_mismatching_notices_change_nothing(cast, changes, code):
    from tongzhou.kit.refusals import Refusal

    placed, start = buy(cast)
    with pytest.raises(Refusal) as caught:
        pay(placed, start, **changes)
    assert caught.value.code == code
    assert sold.order_by_id(placed.order_id).status == "PLACED"
    assert books.balances(cast.buyer) == {}


def test_reordered_and_repeated_notices(cast):
    placed, start = buy(cast)
    assert pay(placed, start, outcome="failed", event_id="e1").outcome == "failed"
    assert pay(placed, start, event_id="e2").outcome == "paid"
    assert pay(placed, start, event_id="e2").outcome == "repeated"
    assert pay(placed, start, event_id="e3").outcome == "repeated"
    assert pay(placed, start, outcome="failed", event_id="e4").outcome in ("failed", "repeated")
    drain(AT)
    assert books.balances(cast.buyer)["gateway.sandbox"] == placed.total_minor
    assert sold.order_by_id(placed.order_id).status == "PAID"


def test_defect_01_and_08_payouts_cannot_be_taken_twice(cast):
    from tongzhou.kit.refusals import Refusal

    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    ship_and_receive(cast, placed, AT)
    later = AT + timedelta(days=16)
    rewarding.mature_due(at=later)
    payouts.register_payee(
        member_id=cast.sharer,
        legal_name="林小满",
        account="6222020000001234",
        born="1995-05-05",
        by=member(cast.sharer),
        at=later,
    )
    with pytest.raises(Refusal) as caught:
        payouts.request(member_id=cast.sharer, amount_minor=1451, at=later)
    assert caught.value.code == "amount_exceeds_available" and rewards.earnings(cast.sharer).available_minor == 1450
    pid = payouts.request(member_id=cast.sharer, amount_minor=1450, at=later)
    for by, code in ((cast.owner, None), (cast.owner, "same_person"), (member(cast.buyer), "not_allowed")):
        if code is None:
            payouts.release(payout_id=pid, by=by, at=later)
            continue
        with pytest.raises(Refusal) as caught:
            payouts.release(payout_id=pid, by=by, at=later)
        assert caught.value.code == code
    with pytest.raises(Refusal) as caught:
        payouts.request(member_id=cast.sharer, amount_minor=100, at=later)
    assert caught.value.code == "payout_open"
    payouts.reject(payout_id=pid, reason="资料不全", by=cast.finance, at=later)
    with pytest.raises(Refusal):
        payouts.reject(payout_id=pid, reason="资料不全", by=cast.finance, at=later)
    assert rewards.earnings(cast.sharer).available_minor == 1450
    assert books.verify().ok
