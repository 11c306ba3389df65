"""Payment notifications through the real HTTP door: whatever comes, money changes only where it truly moved."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from tests.cast import AT, assemble
from tests.life import sums
from tests.test_story import buy
from tongzhou.kit import clock
from tongzhou.kit.ids import new_id
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import Transfer
from tongzhou.orders import queries as sold
from tongzhou.payments.models import Payment
from tongzhou.sandbox.signing import signer

pytestmark = pytest.mark.django_db
ADDRESS = "/pay/sandbox/notify"


@pytest.fixture
def cast():
    return assemble()


class Bank:
    """Signs as the counterparty does, or not."""

    def __init__(self, settings, placed, start):
        self.secret, self.placed, self.start = settings.SANDBOX_SECRET, placed, start

    def body(self, **changes):
        said = {"event_id": f"evt_{new_id().hex}", "trade_no": self.start.trade_no, "outcome": "succeeded",
                "amount": self.placed.total_minor, "currency": "CNY", "txn": "t", **changes}  # fmt: skip
        return {k: v for k, v in said.items() if v is not None}

    def say(self, body, *, secret=None, ago=timedelta(), address=ADDRESS, sign=True, shown=None, **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        at, number = clock.now() - ago, f"msg_{new_id().hex}"
        signed = signer(secret or self.secret).sign(number, at, text)
        head = {"webhook-id": number, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signed}
        answer = Client().post(
            address, shown or text, content_type="application/json", headers={**(head if sign else {}), **headers}
        )
        return answer.status_code, answer.json()


@pytest.fixture
def bank(cast, settings):
    placed, start = buy(cast)
    return Bank(settings, placed, start)


DEEP = "[" * 20_000 + "]" * 20_000
REFUSED = {
    "signed with another key": (403, "notice_forged", lambda b: b.say(b.body(), secret="somebody else's")),
    "not signed": (403, "notice_forged", lambda b: b.say(b.body(), sign=False)),
    "changed after it was signed": (403, "notice_forged", lambda b: b.say(b.body(amount=1), shown=json.dumps(b.body()))),
    "another number than was signed": (403, "notice_forged", lambda b: b.say(b.body(), **{"webhook-id": "msg_x"})),
    "an old one played again": (403, "notice_forged", lambda b: b.say(b.body(), ago=timedelta(minutes=6))),
    "from the future": (403, "notice_forged", lambda b: b.say(b.body(), ago=timedelta(minutes=-6))),
    "a timestamp that is none": (403, "notice_forged", lambda b: b.say(b.body(), **{"webhook-timestamp": "soon"})),
    "a timestamp beyond time": (403, "notice_forged", lambda b: b.say(b.body(), **{"webhook-timestamp": "9" * 30})),
    "a signature that is none": (403, "notice_forged", lambda b: b.say(b.body(), **{"webhook-signature": "v1,€"})),
    "a signature without version": (403, "notice_forged", lambda b: b.say(b.body(), **{"webhook-signature": "abc"})),
    "not JSON": (422, "notice_malformed", lambda b: b.say("amount=100")),
    "JSON of another shape": (422, "notice_malformed", lambda b: b.say("[1, 2]")),
    "JSON without end": (422, "notice_malformed", lambda b: b.say(DEEP)),
    "no amount": (422, "notice_malformed", lambda b: b.say(b.body(amount=None))),
    "an amount in letters": (422, "notice_malformed", lambda b: b.say(b.body(amount="14500"))),
    "an amount with a fraction": (422, "notice_malformed", lambda b: b.say(b.body(amount=14500.0))),
    "an amount that is true": (422, "notice_malformed", lambda b: b.say(b.body(amount=True))),
    "a negative amount": (422, "notice_malformed", lambda b: b.say(b.body(amount=-14500))),
    "an amount beyond all money": (422, "notice_malformed", lambda b: b.say(b.body(amount=10**30))),
    "nothing paid": (422, "amount_not_positive", lambda b: b.say(b.body(amount=0))),
    "an outcome nobody knows": (422, "notice_malformed", lambda b: b.say(b.body(outcome="perhaps"))),
    "a number too long to keep": (422, "notice_malformed", lambda b: b.say(b.body(event_id="x" * 5000))),
    "a number with a zero byte": (422, "notice_malformed", lambda b: b.say(b.body(trade_no="P\x00"))),
    "another currency": (422, "currency_mismatch", lambda b: b.say(b.body(currency="USD"))),
    "a trade nobody knows": (404, "trade_unknown", lambda b: b.say(b.body(trade_no="P0"))),
    "a provider nobody knows": (422, "provider_unknown", lambda b: b.say(b.body(), address="/pay/nobody/notify")),
    "a body too large": (413, "notice_too_large", lambda b: b.say(b.body(txn="x" * 70_000))),
}  # fmt: skip


@pytest.mark.parametrize("what", list(REFUSED))
def test_a_wrong_notice_changes_nothing(bank, cast, what):
    status, code, say = REFUSED[what]
    answer = say(bank)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert not Transfer.objects.exists() and Payment.objects.get().status == "CREATED"
    assert sold.order_by_id(bank.placed.order_id).status == "PLACED"
    assert bank.say(bank.body()) == (200, {"outcome": "paid"})  # and the right one is still taken


def test_only_post(bank):
    assert Client().get(ADDRESS).status_code == 405


def money(cast):
    return {a: n for a, n in sums(book_id=cast.buyer).items() if n}


def test_repeated_and_reordered(bank, cast):
    paid = bank.body()
    assert bank.say(bank.body(outcome="failed"))[1] == {"outcome": "failed"}
    assert bank.say(paid)[1] == {"outcome": "paid"}
    for again in (paid, bank.body(), bank.body(outcome="failed"), bank.body(amount=1), {**paid, "amount": 99}):
        status, said = bank.say(again)
        assert status == 200 and said["outcome"] in ("repeated", "failed")
    total = bank.placed.total_minor
    assert money(cast) == {"gateway.sandbox": total, "deposit.orders": total} and books.verify().ok


@pytest.mark.parametrize(("more", "status"), [(-1, "PLACED"), (1, "PAID")])
def test_another_amount(bank, cast, more, status):
    total = bank.placed.total_minor
    bank.say(bank.body(amount=total + more))
    kept = total if status == "PAID" else 0
    assert sold.order_by_id(bank.placed.order_id).status == status
    want = {"gateway.sandbox": total + more, "deposit.orders": kept, "refund.in_transit": total + more - kept}
    assert money(cast) == {a: n for a, n in want.items() if n} and books.verify().ok


def test_another_orders_trade_number_pays_that_order_with_its_own_money_only(bank, cast, settings):
    other, start = buy(cast, quantity=2)
    bank.say({**bank.body(), "trade_no": start.trade_no})  # the first order's amount, the second's number: too little
    assert sold.order_by_id(other.order_id).status == "PLACED"
    assert sold.order_by_id(bank.placed.order_id).status == "PLACED"
    assert money(cast) == {"gateway.sandbox": 14_500, "refund.in_transit": 14_500} and books.verify().ok


def test_late_for_a_cancelled_order_goes_back(bank, cast):
    from tongzhou.orders import commands as orders

    assert orders.expire_due(at=AT + timedelta(hours=1)) == 1
    assert bank.say(bank.body())[1] == {"outcome": "refunding"}
    assert money(cast) == {"gateway.sandbox": 14_500, "refund.in_transit": 14_500}


def test_a_sandbox_is_no_bank_in_production(bank, settings):
    settings.TONGZHOU_ENV = "production"
    status, said = bank.say(bank.body())
    assert (status, said["code"]) == (403, "sandbox_in_production") and not Transfer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_chargeback_through_the_banks_own_page(cast, settings, tmp_path, live_server):
    """The payer disputes at the bank, the bank decides: the mall hears it signed, and its books follow."""
    import httpx

    from tests.test_story import drain
    from tongzhou.payments import queries as paid
    from tongzhou.sandbox.testing import running

    settings.SITE_URL = live_server.url
    with running(tmp_path, settings.SANDBOX_SECRET) as (url, notifier):
        settings.SANDBOX_URL = url
        placed, start = buy(cast)
        parts = httpx.URL(start.redirect_url)
        httpx.post(f"{url}/pay", data={**dict(parts.params), "choice": "pay"})
        notifier.deliver_due()
        assert sold.order_by_id(placed.order_id).status == "PAID"
        for what, status in (("open", "OPEN"), ("open", "OPEN"), ("lost", "LOST"), ("won", "LOST"), ("open", "LOST")):
            assert httpx.post(f"{url}/disputes", data={"trade_no": start.trade_no, "do": what}).status_code == 302
            notifier.deliver_due()
            assert [d.status for d in paid.disputes()] == [status]
        assert "dispute" in httpx.get(f"{url}/records").text
    drain(AT)
    assert sold.order_by_id(placed.order_id).status == "CANCELLED"
    assert books.verify().ok


def test_a_banks_word_that_does_not_fit_is_kept_for_a_person_once(cast, bank):
    from tongzhou.kit import audit

    assert bank.say(bank.body())[0] == 200
    said = bank.body(outcome="dispute_opened", amount=1, dispute_no="D9", fee=0)
    for _again in range(2):
        status, answer = bank.say(said)
        assert (status, answer["code"]) == (422, "dispute_amount_mismatch")
    kept = [e for e in audit.trail("order", bank.placed.no) if e.action == "dispute.refused"]
    assert [(e.detail["code"], e.detail["amount_minor"]) for e in kept] == [("dispute_amount_mismatch", 1)]
