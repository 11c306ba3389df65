"""The counterparty over real HTTP: signatures, fixed numbers, honest and dishonest behaviour."""

import httpx
import pytest

from tongzhou.payments.providers import PROVIDERS
from tongzhou.payments.providers.sandbox import signed
from tongzhou.sandbox.testing import running


@pytest.fixture
def bank(tmp_path, settings):
    with running(tmp_path, settings.SANDBOX_SECRET) as (url, notifier):
        settings.SANDBOX_URL = url
        yield url, notifier


def pay(choice, amount=9300):
    url = PROVIDERS["sandbox"].redirect_url(
        trade_no="P1", amount_minor=amount, currency="CNY", return_url="http://127.0.0.1:9/back", subject="TZ1"
    )
    parts = httpx.URL(url)
    assert httpx.get(url).status_code == 200
    return httpx.post(f"{parts.scheme}://{parts.host}:{parts.port}/pay", data={**dict(parts.params), "choice": choice})


def test_a_payment_is_known_and_refunded_once_under_its_number(bank):
    assert pay("silent").status_code == 302
    said = PROVIDERS["sandbox"].query("P1")
    assert said.amount_minor == 9300 and said.payer.startswith("acct_"), "the bank names the account that paid"
    first = PROVIDERS["sandbox"].refund(trade_no="P1", refund_no="R1", amount_minor=4000)
    assert first.status == "succeeded"
    assert PROVIDERS["sandbox"].refund(trade_no="P1", refund_no="R1", amount_minor=4000) == first
    assert PROVIDERS["sandbox"].refund(trade_no="P1", refund_no="R1", amount_minor=4001).status == "failed"
    assert PROVIDERS["sandbox"].refund(trade_no="P1", refund_no="R2", amount_minor=5301).status == "failed"
    assert PROVIDERS["sandbox"].query_refund("R1").status == "succeeded"
    assert PROVIDERS["sandbox"].query_refund("R9") is None


def test_unsigned_and_tampered_requests_are_refused(bank):
    url, _n = bank
    assert httpx.post(url + "/v1/refunds", json={}).status_code == 401
    good = PROVIDERS["sandbox"].redirect_url(
        trade_no="P1", amount_minor=9300, currency="CNY", return_url="http://x/", subject="TZ1"
    )
    assert httpx.get(good.replace("amount=9300", "amount=1")).status_code == 403


@pytest.mark.parametrize(("account", "status"), [("62220001", "paid"), ("62220000", "failed"), ("62229999", "pending")])
def test_payouts_behave_by_account(bank, account, status):
    body = {"bill_no": "b" * 32, "amount": 100, "name": "林", "account": account, "currency": "CNY"}
    assert signed("POST", "/v1/payouts", body).json()["status"] == status
    assert signed("POST", "/v1/payouts", {**body, "amount": 101}).status_code == 409
    assert signed("GET", f"/v1/payouts/{'b' * 32}").json()["status"] == status


def test_production_refuses_the_sandbox(bank, settings):
    from tongzhou.kit.refusals import Refusal

    settings.TONGZHOU_ENV = "production"
    with pytest.raises(Refusal) as caught:
        signed("GET", "/v1/payments/x")
    assert caught.value.code == "sandbox_in_production"
