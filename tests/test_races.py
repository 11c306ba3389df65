"""Real threads on PostgreSQL: what several people or workers do to one thing at once has one outcome, and nobody waits for ever."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from tests.cast import AT, assemble
from tests.life import sums
from tests.test_story import buy, pay
from tongzhou.kit import worker
from tongzhou.kit.actor import member
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.suppliers.handlers import on_supplied
from tongzhou.suppliers.values import SuppliedLine, SuppliedLines

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(*calls):
    """Run the calls together; what each answered, or its refusal's code. Anything else (a deadlock) fails the test."""
    gate = Barrier(len(calls))

    def one(call):
        try:
            gate.wait(timeout=20)
            return call()
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_paying_and_calling_off_at_once_neither_waits_for_the_other_for_ever():
    cast = assemble()
    for _ in range(15):
        placed, start = buy(cast, shared=False)
        said = at_once(
            lambda placed=placed, start=start: pay(placed, start).outcome,
            lambda placed=placed: orders.cancel(order_id=placed.order_id, by=member(cast.buyer), at=AT),
        )
        assert said in (["paid", 14_500], ["refunding", 0])  # in one order or the other
        assert sold.order_by_id(placed.order_id).status == "CANCELLED"
        have = sums(story_id=placed.order_id)
        assert (have.get("deposit.orders", 0), have["refund.in_transit"]) == (0, 14_500)
    assert books.verify().ok


def test_time_and_a_late_payment_at_once():
    cast = assemble()
    late = AT + timedelta(minutes=31)
    for _ in range(15):
        placed, start = buy(cast, shared=False)
        said = at_once(
            lambda placed=placed, start=start: pay(placed, start, late).outcome, lambda: orders.expire_due(at=late)
        )
        assert said in (["paid", 0], ["refunding", 1])
        if said[0] == "paid":
            orders.cancel(order_id=placed.order_id, by=member(cast.buyer), at=late)
    assert books.verify().ok


def test_one_notice_six_times_at_once_is_taken_once():
    cast = assemble()
    placed, start = buy(cast)
    said = at_once(*[lambda: pay(placed, start, event_id="one").outcome] * 6)
    assert sorted(said) == ["paid"] + ["repeated"] * 5
    assert sums(book_id=cast.buyer) == {"gateway.sandbox": 14_500, "deposit.orders": 14_500}


def test_defect_14_one_refund_six_times_at_once_is_given_once():
    cast = assemble()
    placed, start = buy(cast)
    pay(placed, start)
    line = sold.lines_of([placed.order_id])[placed.order_id][0]
    said = at_once(
        *[
            lambda: (
                orders.refund(
                    order_id=placed.order_id,
                    items=[RefundItem(line.id, 1)],
                    reference="r",
                    by=member(cast.buyer),
                    at=AT,
                ).repeated
            )
        ]
        * 6
    )
    assert sorted(said) == [False] + [True] * 5
    assert sums(book_id=cast.buyer)["refund.in_transit"] == line.amount_minor


def test_two_workers_with_two_snapshots_of_one_line():
    supplier = new_id()
    for _ in range(15):
        line, order = new_id(), new_id()
        facts = [SuppliedLines(order, supplier, (SuppliedLine(line, 9000, 3, n, n + 1),), AT) for n in range(3)]
        at_once(*[lambda f=f: on_supplied([f], AT) for f in facts])
        assert sums(story_id=line).get("expense.goods", 0) == 3000
    assert books.verify().ok


def test_four_workers_share_the_facts_of_many_orders():
    cast = assemble()
    placed = [buy(cast) for _ in range(4)]
    for p, start in placed:
        pay(p, start)
        orders.deliver(order_id=p.order_id, by=cast.owner, at=AT)
    lines = [x for p, _s in placed for x in sold.lines_of([p.order_id])[p.order_id]]
    for x in lines[:4]:
        orders.refund(order_id=x.order_id, items=[RefundItem(x.id, 1)], reference=str(x.id), by=cast.owner, at=AT)
    for turn in range(40):  # a worker that lost a race tries again later
        at = AT + timedelta(minutes=turn)
        at_once(*[lambda at=at: worker._run_local(at=at, limit=3, worker="w")] * 4)
    due = sum(x.amount_minor // 10 for x in lines[4:])
    have = sums(book_id=cast.sharer)
    assert (have["reward.held"], have["reward.expected"], have["expense.rewards"]) == (due, 0, due)
    assert books.verify().ok and not worker.dead_letters().exists()
