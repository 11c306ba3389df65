"""`ledger verify` proves every order, payable and reward from its facts; each proof is shown to bite."""

from datetime import timedelta

import pytest
from django.db.models import F

from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay, ship_and_receive
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import Transfer
from tongzhou.ledger.values import Move
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.models import Order, OrderLine
from tongzhou.orders.values import RefundItem
from tongzhou.payments.models import Payment, Refund
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards.models import Reward
from tongzhou.suppliers.models import SuppliedSeen

pytestmark = pytest.mark.django_db


@pytest.fixture
def told():
    """Four orders: paid, delivered and partly refunded, cancelled, never paid; everything heard."""
    cast = assemble()
    buy(cast)
    for n in range(3):
        placed, start = buy(cast)
        pay(placed, start, amount_minor=placed.total_minor + n)
        if n == 1:
            ship_and_receive(cast, placed, AT)
            lines = sold.lines_of([placed.order_id])[placed.order_id]
            items = [RefundItem(lines[0].id, 0, 777), RefundItem(lines[1].id, 1)]
            orders.refund(order_id=placed.order_id, items=items, reference="r", by=SYSTEM, at=AT)
        if n == 2:
            orders.cancel(order_id=placed.order_id, by=SYSTEM, at=AT)
    drain(AT)
    rewarding.mature_due(at=AT + timedelta(days=16))
    report = books.verify()
    assert report.ok, report.problems
    assert {"orders_recomputed", "suppliers_owed", "rewards_recomputed"} <= set(report.checks)
    return cast


def post(book, debit, credit, story, amount=1):
    legs = [Move(debit, credit, amount)]
    ledger.post(book_id=book, kind="t", reference=str(new_id()), story_id=story, legs=legs, by=SYSTEM, at=AT)


def delivered():
    return OrderLine.objects.exclude(delivered_at=None).order_by("position")


TAMPERED = {
    "a line says it was refunded more": ("orders_recomputed", lambda c: delivered().filter(refunded_minor=777).update(
        refunded_minor=778)),
    "a line says it was delivered": ("orders_recomputed", lambda c: OrderLine.objects.filter(
        order__status="PAID", position=0).update(delivered_at=AT)),
    "an order says it was paid": ("orders_recomputed", lambda c: Order.objects.filter(status="PLACED").update(paid_at=AT)),
    "an order says it was not": ("orders_recomputed", lambda c: Order.objects.filter(status="PAID").update(paid_at=None)),
    "a payment says more came in": ("orders_recomputed", lambda c: Payment.objects.filter(status="SUCCEEDED").update(
        captured_minor=F("captured_minor") + 1)),
    "a refund says it never arrived": ("orders_recomputed", lambda c: Refund.objects.update(status="SENT")),
    "revenue was booked twice": ("orders_recomputed", lambda c: post(
        c.buyer, "gateway.sandbox", "revenue.goods", Order.objects.filter(status="COMPLETED").first().id)),
    "a deposit of nobody's order": ("orders_recomputed", lambda c: post(
        c.buyer, "gateway.sandbox", "deposit.orders", new_id())),
    "a supplier is owed more": ("suppliers_owed", lambda c: post(
        c.supplier, "expense.goods", "payable.supplier", SuppliedSeen.objects.first().line_id)),
    "a supplied line cost less": ("suppliers_owed", lambda c: delivered().filter(refunded_quantity=0).update(cost_minor=4999)),
    "a reward's rate was raised": ("rewards_recomputed", lambda c: [Reward.objects.filter(id=r.id).update(
        rule={**r.rule, "rate_bp": 900}) for r in Reward.objects.all()]),
    "a reward says it is not mature": ("rewards_recomputed", lambda c: Reward.objects.update(matured_at=None)),
    "a reward forgot a refund": ("rewards_recomputed", lambda c: Reward.objects.filter(refunded_minor=777).update(
        refunded_minor=770)),
    "somebody was given a little more": ("rewards_recomputed", lambda c: post(
        c.sharer, "expense.rewards", "reward.held", Reward.objects.first().story_id)),
    "a reward of no sale": ("rewards_recomputed", lambda c: post(
        c.sharer, "prepaid.rewards", "reward.expected", new_id())),
    "a transfer was changed": ("balances_are_sums", lambda c: Transfer.objects.filter(debit="gateway.sandbox").update(
        amount=F("amount") + 1)),
    "a counter was set back": ("reversals", lambda c: Transfer.objects.filter(reversed__gt=0).update(reversed=0)),
    "one half of a story was told": ("stories_sum_to_zero", lambda c: post(
        c.buyer, "clearing.books", "credit.store", new_id())),
}  # fmt: skip


@pytest.mark.parametrize("what", list(TAMPERED))
def test_a_proof_bites(told, what):
    check, tamper = TAMPERED[what]
    tamper(told)
    report = books.verify()
    assert check in {p.check for p in report.problems}, report.problems


def test_both_halves_of_a_story_sum_to_zero(told):
    story = new_id()
    post(told.buyer, "clearing.books", "credit.store", story, 500)
    post(told.sharer, "opening", "clearing.books", story, 500)
    assert books.verify().ok


def test_facts_on_their_way_are_no_problem():
    cast = assemble()
    placed, start = buy(cast)
    pay(placed, start)
    orders.deliver(order_id=placed.order_id, by=SYSTEM, at=AT)
    assert books.verify().ok  # nothing was heard yet
    drain(AT)
    assert books.verify().ok
