"""What the mall does most often stays cheap: statements of an order over the API, of the list and of the product page.

The figures of docs/operating/performance.md rest on these counts; a statement more is a decision, not an accident.
"""

import json
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.cast import ADDRESS, assemble
from tongzhou.api.tokens import issue
from tongzhou.kit import clock, worker
from tongzhou.kit.refusals import conflict
from tongzhou.kit.transactions import command
from tongzhou.orders.models import CartLine, Order
from tongzhou.people import queries as people
from tongzhou.rewards.models import Reward
from tongzhou.sandbox.signing import signer

pytestmark = pytest.mark.django_db
WEB, WORKER, LIST, PRODUCT = 40, 40, 3, 8


class Shopper:
    """An API client that buys, and the bank that says so."""

    def __init__(self, cast, settings):
        self.cast, self.secret, self.client = cast, settings.SANDBOX_SECRET, Client()
        self.auth = {"authorization": f"Bearer {issue(cast.buyer)}"}

    def post(self, path, body, key=""):
        headers = {**self.auth, "idempotency-key": key or uuid.uuid4().hex}
        answer = self.client.post(path, json.dumps(body), content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    def cart(self):
        lines = [{"sku": str(s), "quantity": 1} for s in (self.cast.tea, self.cast.rice)]
        status, cart = self.post("/api/v1/carts", {"lines": lines})
        assert status == 201, cart
        return cart["id"]

    def place(self, cart, key=""):
        address = {"receiver": "苏禾", "phone": "13900000672", "code": ADDRESS.code, "detail": ADDRESS.detail}
        code = people.card(self.cast.sharer).invite_code
        return self.post("/api/v1/orders", {"cart": cart, "address": address, "sharer_code": code}, key)

    def pay(self, order):
        status, start = self.post(f"/api/v1/orders/{order['no']}/payments", {"provider": "sandbox"})
        assert status == 201, start
        now, message = clock.now(), f"ntf_{uuid.uuid4().hex}"
        body = json.dumps({"event_id": message, "trade_no": start["trade_no"], "outcome": "succeeded",
                           "amount": order["total_minor"], "currency": "CNY", "txn": "t1"})  # fmt: skip
        headers = {"webhook-id": message, "webhook-timestamp": str(int(now.timestamp())),
                   "webhook-signature": signer(self.secret).sign(message, now, body)}  # fmt: skip
        answer = self.client.post("/pay/sandbox/notify", body, content_type="application/json", headers=headers)
        assert answer.json() == {"outcome": "paid"}


@pytest.fixture
def shopper(settings):
    return Shopper(assemble(clock.now() - timedelta(days=1)), settings)


def buy(shopper):
    status, order = shopper.place(shopper.cart())
    assert status == 201, order
    shopper.pay(order)


@pytest.mark.django_db(transaction=True)
def test_an_order_over_the_api_takes_at_most_forty_statements_in_web_and_in_worker(shopper, monkeypatch):
    monkeypatch.setattr("tongzhou.plans.queries._FRESH", timedelta(minutes=5))  # asked once a second, not once an order
    buy(shopper)  # what a process learns once (plan, currency, book) is not counted
    worker.drain_local(at=clock.now())
    with CaptureQueriesContext(connection) as web:
        buy(shopper)
    with CaptureQueriesContext(connection) as work:
        worker.run_once(at=clock.now())
    assert Reward.objects.count() == 4, "the order was not attributed, so this counted too little"
    assert len(web) <= WEB, "\n".join(q["sql"][:120] for q in web.captured_queries)
    assert len(work) <= WORKER, "\n".join(q["sql"][:120] for q in work.captured_queries)


@pytest.mark.django_db(transaction=True)
def test_the_worker_books_many_orders_in_as_many_statements_as_one(shopper):
    buy(shopper)
    worker.drain_local(at=clock.now())
    for _n in range(4):
        buy(shopper)
    with CaptureQueriesContext(connection) as work:
        worker.run_once(at=clock.now())
    assert Reward.objects.count() == 10
    assert len(work) <= WORKER, "\n".join(q["sql"][:120] for q in work.captured_queries)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "most"), [("/categories/tea", LIST), ("/products/rougui", PRODUCT)])
def test_pages_for_a_visitor_with_a_session_take_few_statements(shopper, path, most):
    browser = Client()
    browser.post("/cart/lines", {"sku": str(shopper.cast.tea), "quantity": "1", "add": "1"})
    assert "tz_session" in browser.cookies
    browser.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(path).status_code == 200
    assert len(seen) <= most, "\n".join(q["sql"][:160] for q in seen.captured_queries)


def test_the_same_key_again_gives_the_first_answer_though_the_cart_is_gone(shopper):
    cart = shopper.cart()
    first = shopper.place(cart, "order-key-1")
    assert not CartLine.objects.filter(owner_id=cart).exists()
    assert shopper.place(cart, "order-key-1") == first
    status, other = shopper.place(shopper.cart(), "order-key-1")
    assert (status, other["code"]) == (409, "idempotency_key_reused")
    status, empty = shopper.place(cart, "order-key-2")
    assert (status, empty["code"]) == (422, "order_empty")
    assert Order.objects.count() == 1


def test_a_refused_order_leaves_the_cart_as_it_was_and_its_key_free(shopper):
    cart = shopper.cart()
    CartLine.objects.filter(owner_id=cart, sku_id=shopper.cast.tea).update(quantity=900)
    status, refused = shopper.place(cart, "order-key-3")
    assert (status, refused["code"]) == (409, "out_of_stock")
    assert CartLine.objects.filter(owner_id=cart).count() == 2
    CartLine.objects.filter(owner_id=cart, sku_id=shopper.cast.tea).update(quantity=1)
    assert shopper.place(cart, "order-key-3")[0] == 201


def test_a_second_payment_of_the_same_kind_is_the_first_one(shopper):
    _status, order = shopper.place(shopper.cart())
    path = f"/api/v1/orders/{order['no']}/payments"
    one, two = (shopper.post(path, {"provider": "sandbox"})[1] for _n in range(2))
    assert one["payment"] == two["payment"]
    assert one["trade_no"] == two["trade_no"]


@command()
def _inner():
    raise conflict("no", "no")


@command()
def _outer(catches):
    try:
        _inner()
    except Exception:
        if not catches:
            raise
    return CartLine.objects.count()


def test_a_command_inside_a_command_joins_it_and_a_swallowed_refusal_cannot_be_written_past():
    with CaptureQueriesContext(connection) as seen, pytest.raises(Exception, match="no"):
        _outer(catches=False)
    begun = [q for q in seen.captured_queries if q["sql"].startswith("SAVEPOINT")]
    assert len(begun) == 1, "the outer command's boundary towards the test, and no second one"
    with pytest.raises(Exception, match="atomic"):
        _outer(catches=True)
    assert CartLine.objects.count() == 0  # and the caller outside may go on
