"""Chargebacks at once with what else moves the same money, on PostgreSQL: one outcome, and nothing is left standing."""

from datetime import timedelta

import pytest

from tests.cast import AT, assemble
from tests.test_chargebacks import LATER, bought, line_of, refund_rice, says
from tests.test_races import at_once
from tests.test_story import drain
from tongzhou.catalog import commands as catalog
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit.actor import member
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders.models import OrderLine
from tongzhou.orders.values import RefundItem
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.payments.models import Dispute, Refund
from tongzhou.payments.values import RefundOutcome
from tongzhou.payouts import commands as payouts
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 8


def proved():
    report = books.verify()
    assert report.ok, report.problems


def standing(cast):
    found = books.balances(cast.buyer)
    return {a: n for a in ("refund.in_transit", "receivable.dispute", "deposit.orders") if (n := found.get(a, 0))}


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_a_refund_ends_while_the_chargeback_is_lost(end):
    cast = assemble()
    for i in range(ROUNDS):
        placed, start = bought(cast)
        refund_rice(cast, placed, LATER)
        row = Refund.objects.get(order_id=placed.order_id)
        Refund.objects.filter(id=row.id).update(status="SENT")
        says(start, "opened", placed.total_minor, number=f"D{i}")
        at_once(
            lambda start=start, i=i, placed=placed: says(start, "lost", placed.total_minor, number=f"D{i}", fee=0),
            lambda row=row: payments.record_refund(row.id, RefundOutcome(end, "r"), at=LATER),
        )
        drain(LATER, refunds=False)
        assert standing(cast) == {}  # nothing waits for an end that has been heard
        assert Refund.objects.get(id=row.id).status == ("SUCCEEDED" if end == "succeeded" else "DISPUTED")
    assert not Dispute.objects.filter(unsettled_minor__gt=0).exists()
    proved()


def test_two_notices_of_one_chargeback_at_once():
    cast = assemble()
    for i in range(ROUNDS):
        placed, start = bought(cast)
        tell = [
            lambda what=what, i=i, start=start, placed=placed: says(
                start, what, placed.total_minor, number=f"D{i}", fee=0
            )
            for what in ("opened", "opened", "lost", "won")
        ]
        said = at_once(*tell)
        assert sum(x in ("lost", "won") for x in said) == 1
        assert len(paid.disputes_of([placed.order_id])[placed.order_id]) == 1
        drain(LATER)
        assert standing(cast) == {}
    proved()


def test_a_chargeback_at_once_with_refund_delivery_maturity_and_payout():
    cast = assemble()
    catalog.set_stock(levels=[(cast.tea, 100), (cast.rice, 100)], by=cast.owner, at=AT)
    payouts.register_payee(
        member_id=cast.sharer, legal_name="林小满", account="6222020000001234", born="1995-05-05", by=member(cast.sharer), at=AT
    )  # fmt: skip
    for i in range(ROUNDS):
        ripe, first = bought(cast)  # its reward is about to mature
        placed, start = bought(cast, delivered=False)
        fulfilment.ship(order_id=placed.order_id, carrier="yunda", tracking_no=f"YD765432{i}", by=cast.owner, at=AT)
        rice = line_of(placed, cast.rice)
        purse = rewards.earnings(cast.sharer)
        at_once(
            lambda i=i, first=first, ripe=ripe: says(first, "opened", ripe.total_minor, number=f"R{i}", fee=0),
            lambda i=i, start=start, placed=placed: says(start, "lost", placed.total_minor, number=f"D{i}", fee=0),
            lambda placed=placed: fulfilment.confirm_receipt(
                order_id=placed.order_id, by=member(cast.buyer), buyer_id=cast.buyer, at=LATER
            ),
            lambda i=i, placed=placed, rice=rice: orders.refund(
                order_id=placed.order_id, items=[RefundItem(rice.id, 1)], reference=f"r{i}", by=cast.owner, at=LATER
            ),
            lambda: rewarding.mature_due(at=LATER + timedelta(days=2)),
            lambda purse=purse: payouts.request(member_id=cast.sharer, amount_minor=max(100, purse.payable_minor), at=LATER),
            lambda: drain(LATER, refunds=False),
        )  # fmt: skip
        drain(LATER, refunds=False)
        says(first, ["won", "lost"][i % 2], ripe.total_minor, number=f"R{i}", fee=0)
        drain(LATER)
        rewarding.mature_due(at=LATER + timedelta(days=30))
        proved()
        assert standing(cast) == {}
    assert rewards.summary()[0].balanced
    assert not OrderLine.objects.filter(disputed="open").exists()
