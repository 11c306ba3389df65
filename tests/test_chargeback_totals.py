"""What everybody has in the end is the same in whatever order refund, maturity, payout and chargeback come."""

from contextlib import suppress
from datetime import timedelta
from itertools import permutations

import pytest

from tests.cast import assemble
from tests.test_chargebacks import LATER, bought, paid_out, refund_rice, says
from tests.test_story import drain
from tongzhou.aftersale import commands as aftersale
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.payments.models import Payment, Refund
from tongzhou.payments.values import RefundOutcome
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db
STEPS = ("refund", "mature", "payout", "open", "end")


@pytest.mark.parametrize("end", ["won", "lost"])
def test_totals_do_not_depend_on_the_order_of_refund_maturity_payout_and_chargeback(end):
    """What each has in the end is the same in every order in which these facts can come."""
    from django.db import transaction

    found: dict[str, list[str]] = {}
    for order in permutations(STEPS):
        if order.index("open") > order.index("end"):
            continue
        with transaction.atomic():
            key = str(_ends(assemble(), order, end))
            transaction.set_rollback(True)
        found.setdefault(key, []).append(">".join(order))
    assert len(found) == 1, {k: v[:3] for k, v in found.items()}


def _ends(cast, order, end):
    placed, start = bought(cast)
    taken = 0
    for step in order:
        if step == "refund":
            with suppress(Refusal):  # after a loss there is nothing left to refund
                refund_rice(cast, placed, LATER)
        elif step == "mature":
            rewarding.mature_due(at=LATER)
        elif step == "payout":
            purse = rewards.earnings(cast.sharer)
            if purse.payable_minor >= 100:
                taken = purse.payable_minor
                paid_out(cast, taken, LATER)
        elif step == "open":
            drain(LATER)  # what was refunded by now has reached the buyer: the bank takes the rest
            rows = Payment.objects.filter(trade_no=start.trade_no)
            done = sum(Refund.objects.filter(status="SUCCEEDED").values_list("amount_minor", flat=True))
            amount = rows.get().captured_minor - done
            says(start, "opened", amount, fee=0)
        else:
            says(start, end, amount, fee=0)
        drain(LATER, refunds=not paid.open_disputes())  # while the bank decides nothing is sent
    rewarding.mature_due(at=LATER + timedelta(days=30))
    for row in Refund.objects.filter(status="REQUESTED"):
        payments.record_refund(row.id, RefundOutcome("succeeded", "r"), at=LATER)
    drain(LATER)
    report = books.verify()
    assert report.ok, (order, report.problems)
    buyer, sharer = books.balances(cast.buyer), books.balances(cast.sharer)
    earned = sharer.get("reward.available", 0) + taken - sharer.get("receivable.clawback.reward", 0)
    lost = buyer.get("expense.dispute", 0) - buyer.get("revenue.goods", 0)  # a refund lowers revenue or the loss
    return (
        earned,
        sharer.get("expense.rewards", 0),
        buyer.get("gateway.sandbox", 0),
        lost,
        aftersale.Case.objects.count(),
    )
