"""The seeded demo holds every state there is, and its books prove themselves."""

from datetime import timedelta

import pytest

from tongzhou.aftersale.models import Case
from tongzhou.aftersale.models import Status as CaseStatus
from tongzhou.catalog.models import Picture, Product
from tongzhou.demo import seed
from tongzhou.kit import clock, worker
from tongzhou.ledger import queries as books
from tongzhou.orders.models import Order, OrderLine
from tongzhou.orders.models import Status as OrderStatus
from tongzhou.payments.models import Payment, Refund
from tongzhou.payments.providers import get
from tongzhou.payouts import commands as paying
from tongzhou.payouts.models import Payout
from tongzhou.payouts.models import Status as PayoutStatus
from tongzhou.people.models import Binding, Member
from tongzhou.plans.models import PlanVersion
from tongzhou.rewards import queries as rewards
from tongzhou.risk.models import Hold
from tongzhou.sandbox.records import Records
from tongzhou.sandbox.testing import running

pytestmark = pytest.mark.django_db


def states(model):
    return set(model.objects.values_list("status", flat=True))


@pytest.fixture
def home(settings, tmp_path):
    settings.TONGZHOU_HOME = tmp_path
    return tmp_path


def the_bank_knows_what_happened(home, settings):
    """The real worker against the real counterparty: every delivery ends, whatever is asked is known."""
    with running(home, settings.SANDBOX_SECRET) as (address, _notifier):
        settings.SANDBOX_URL = address
        at = clock.now()
        worker.drain(at=at)
        assert worker.backlog() == 0 and not worker.dead_letters().exists()
        sent = set(Payout.objects.filter(status=PayoutStatus.SENT).values_list("id", flat=True))
        assert sent, "the bank says of these that they are under way"
        paying.query_sent(at=at + timedelta(days=30))
        assert not Payout.objects.exclude(said="").exists()
        assert sent == set(Payout.objects.filter(status=PayoutStatus.SENT).values_list("id", flat=True))
        kept = Records(home / "sandbox.sqlite3")
        captured = Payment.objects.filter(captured_minor__gt=0)
        assert len(kept.all("SELECT * FROM payment")) == captured.count()
        back = Refund.objects.filter(status="SUCCEEDED")
        assert {(r["refund_no"], r["amount"]) for r in kept.all("SELECT * FROM refund")} == {
            (r.refund_no, r.amount_minor) for r in back
        }
        left = next(p for p in captured if p.captured_minor > p.refunded_minor)
        asked = get("sandbox").refund(trade_no=left.trade_no, refund_no="later", amount_minor=1)
        assert asked.status == "succeeded", "a seeded order can be refunded"


def test_every_state_is_there_and_the_books_prove_themselves(home, settings):
    said = []
    seed.run(scale=60, tell=said.append)
    assert states(Order) == set(OrderStatus)
    assert states(Case) == set(CaseStatus)
    assert states(Payout) == set(PayoutStatus)
    assert PlanVersion.objects.filter(status="DRAFT").exclude(findings=[]).exists()
    lines = list(OrderLine.objects.values_list("amount_minor", "refunded_minor"))
    assert any(0 < back < amount for amount, back in lines) and any(0 < back == amount for amount, back in lines)
    assert {"APPEALED", "OPEN", "DELAYED"} <= states(Hold)  # risk has something to decide
    assert Member.objects.count() == 48 and Binding.objects.count() > 20

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
    the_bank_knows_what_happened(home, settings)
    assert books.verify().ok


def test_a_large_demo_has_names_one_can_tell_apart():
    names = [seed._pack(n) for n in range(180)]
    assert len({zh for zh, _en in names}) == len({en for _zh, en in names}) == 180
    assert Product.objects.count() == 0
