"""The seeded demo holds every state there is, and its books prove themselves."""

import pytest

from tongzhou.aftersale.models import Case
from tongzhou.aftersale.models import Status as CaseStatus
from tongzhou.catalog.models import Picture, Product
from tongzhou.demo import seed
from tongzhou.ledger import queries as books
from tongzhou.orders.models import Order, OrderLine
from tongzhou.orders.models import Status as OrderStatus
from tongzhou.payouts.models import Payout
from tongzhou.payouts.models import Status as PayoutStatus
from tongzhou.people.models import Binding, Member
from tongzhou.plans.models import PlanVersion
from tongzhou.rewards import queries as rewards
from tongzhou.risk.models import Hold

pytestmark = pytest.mark.django_db


def states(model):
    return set(model.objects.values_list("status", flat=True))


def test_every_state_is_there_and_the_books_prove_themselves():
    said = []
    seed.run(scale=60, tell=said.append)
    assert states(Order) == set(OrderStatus)
    assert states(Case) == set(CaseStatus)
    assert states(Payout) == set(PayoutStatus)
    assert PlanVersion.objects.filter(status="DRAFT").exclude(findings=[]).exists()
    lines = list(OrderLine.objects.values_list("amount_minor", "refunded_minor"))
    assert any(0 < back < amount for amount, back in lines) and any(0 < back == amount for amount, back in lines)
    assert {"APPEALED", "OPEN", "DELAYED"} <= states(Hold)  # risk has something to decide
    assert Member.objects.count() == 47 and Binding.objects.count() > 20

    found = books.verify()
    assert found.ok, found.problems
    total = rewards.summary()[0]
    assert total.balanced and min(total.expected_minor, total.held_minor, total.available_minor, total.in_payout_minor,
                                  total.paid_minor, total.receivable_minor) > 0  # fmt: skip
    rows = {r["account"]: r["balance_minor"] for r in books.trial_balance()}
    assert sum(r["debit_minor"] for r in books.trial_balance()) == sum(r["credit_minor"] for r in books.trial_balance())
    assert rows["refund.in_transit"] == 0 and rows["revenue.goods"] > rows["expense.goods"] > 0
    assert rows["prepaid.rewards"] == rows["reward.expected"]

    drawn = list(Picture.objects.values_list("path", "product_id"))
    assert len(drawn) == len({path for path, _product in drawn})  # no two goods share a drawing
    assert len({product for _path, product in drawn}) == Product.objects.count() == 60 < len(drawn)
    seed.run(scale=60, tell=said.append)
    assert "not empty" in said[-1]


def test_a_large_demo_has_names_one_can_tell_apart():
    names = [seed._pack(n) for n in range(180)]
    assert len({zh for zh, _en in names}) == len({en for _zh, en in names}) == 180
    assert Product.objects.count() == 0
