"""The REST door: three calls make an order; every refusal is a problem; nobody sees another's order."""

import json
from uuid import uuid4

import pytest
from django.test import Client
from tests.cast import AT, assemble

from tongzhou.api import tokens
from tongzhou.orders.models import CartLine, Order
from tongzhou.payments.models import Payment

pytestmark = pytest.mark.django_db
ADDRESS = {"receiver": "苏禾", "phone": "13900000672", "code": "330106109", "detail": "竞舟路 98 号"}


@pytest.fixture
def cast():
    return assemble()


@pytest.fixture
def caller(cast):
    return Caller(tokens.issue(cast.buyer))


class Caller:
    """A machine with a token."""

    def __init__(self, token=""):
        self.client, self.token = Client(raise_request_exception=False), token

    def __call__(self, method, path, body=None, key=None, **headers):
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        data = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        response = self.client.generic(method, f"/api/v1{path}", data, "application/json", headers=headers)
        assert (response["Content-Type"] == "application/problem+json") == (response.status_code >= 400), (
            response.content
        )
        return response


def cart(caller, *lines, key=None):
    body = {"lines": [{"sku": sku, "quantity": n} for sku, n in lines]}
    return caller("POST", "/carts", body, key or uuid4().hex)


def order(caller, cart_id, key=None, **more):
    return caller("POST", "/orders", {"cart": cart_id, "address": ADDRESS, **more}, key or uuid4().hex)


def test_an_order_takes_three_calls(caller, cast):
    made = cart(caller, ("ROUGUI", 2), (str(cast.rice), 1))
    assert made.status_code == 201
    body = made.json()
    assert (body["goods_minor"], body["freight_minor"], body["total_minor"]) == (24000, 0, 24000)
    placed = order(caller, body["id"], expected_minor=24000)
    assert placed.status_code == 201 and placed.json()["status"] == "PLACED", placed.content
    no = placed.json()["no"]
    paying = caller("POST", f"/orders/{no}/payments", {"provider": "sandbox"}, uuid4().hex)
    assert paying.status_code == 201 and paying.json()["redirect_url"].startswith("http")
    read = caller("GET", f"/orders/{no}").json()
    assert read["total_minor"] == 24000 and [x["sku"] for x in read["lines"]] == ["ROUGUI", "RICE"]
    assert [o["no"] for o in caller("GET", "/orders").json()["items"]] == [no]


def test_a_sharers_code_earns(caller, cast):
    from tongzhou.people import queries as people

    code = people.card(cast.sharer).invite_code
    placed = order(caller, cart(caller, ("ROUGUI", 1)).json()["id"], sharer_code=code)
    assert Order.objects.get(no=placed.json()["no"]).sharer_id == cast.sharer
    assert order(caller, cart(caller, ("ROUGUI", 1)).json()["id"], sharer_code="NOBODY").status_code == 422


def test_the_same_key_is_the_same_request(caller, cast):
    first, again = (cart(caller, ("ROUGUI", 1), key="k-12345678") for _ in range(2))
    assert first.json() == again.json() and CartLine.objects.count() == 1
    other = cart(caller, ("ROUGUI", 2), key="k-12345678")
    assert other.status_code == 409 and other.json()["code"] == "idempotency_key_reused"
    one, two = (order(caller, first.json()["id"], key="o-12345678") for _ in range(2))
    assert one.json() == two.json() and Order.objects.count() == 1
    no = one.json()["no"]
    pay = [caller("POST", f"/orders/{no}/payments", {"provider": "sandbox"}, "p-12345678").json() for _ in range(2)]
    assert pay[0] == pay[1] and Payment.objects.count() == 1
    # Another member's key of the same name is another key.
    assert cart(Caller(tokens.issue(cast.sharer)), ("ROUGUI", 3), key="k-12345678").status_code == 201


@pytest.mark.parametrize("key", [None, "", "short", "k" * 101, "mit leer zeichen"])
def test_without_a_key_nothing_is_written(caller, key):
    refused = caller("POST", "/carts", {"lines": [{"sku": "ROUGUI", "quantity": 1}]}, key)
    assert refused.status_code == 422 and not CartLine.objects.exists()
    assert "Idempotency-Key" in str(refused.json()["errors"])


@pytest.mark.parametrize("body", [
    "", "{", b"\xff\xfe", "[]", "null", {}, {"lines": []}, {"lines": [{"sku": "ROUGUI"}]},
    {"lines": [{"sku": "ROUGUI", "quantity": 0}]}, {"lines": [{"sku": "ROUGUI", "quantity": 10**30}]},
    {"lines": [{"sku": "ROUGUI", "quantity": 1.5}]}, {"lines": [{"sku": "ROUGUI", "quantity": "1"}]},
    {"lines": [{"sku": "NO-SUCH", "quantity": 1}]}, {"lines": [{"sku": str(uuid4()), "quantity": 1}]},
    {"lines": [{"sku": "A\x00B", "quantity": 1}]}, {"lines": [{"sku": "ROUGUI", "quantity": 1}], "price_minor": 1},
    {"lines": [{"sku": "ROUGUI", "quantity": 1}] * 101},
])  # fmt: skip
def test_bodies_that_make_no_cart(caller, body):
    refused = caller("POST", "/carts", body, uuid4().hex)
    assert refused.status_code in (400, 422), refused.content
    said = refused.json()
    assert said["status"] == refused.status_code and said["code"] and said["title"] and "Traceback" not in str(said)
    assert not CartLine.objects.exists()


def test_what_an_order_refuses(caller, cast):
    mine = cart(caller, ("ROUGUI", 1)).json()["id"]
    assert order(caller, str(uuid4())).json()["code"] == "cart_not_found"
    assert order(caller, mine, expected_minor=1).json()["code"] == "price_changed"
    for wrong in ({"phone": "1"}, {"code": "1"}, {"detail": ""}, {"receiver": ""}):
        assert order(caller, mine, address={**ADDRESS, **wrong}).status_code == 422
    much = cart(caller, ("ROUGUI", 999)).json()
    assert much["lines"][0]["problem"] == "too_many" and order(caller, much["id"]).json()["code"] == "out_of_stock"
    assert not Order.objects.exists()


def test_nobody_reaches_anothers_cart_order_or_payment(caller, cast):
    mine = cart(caller, ("ROUGUI", 1)).json()["id"]
    no = order(caller, cart(caller, ("RICE", 1)).json()["id"]).json()["no"]
    stranger = Caller(tokens.issue(cast.sharer))
    assert order(stranger, mine).status_code == 404
    assert stranger("GET", f"/orders/{no}").status_code == 404
    assert stranger("POST", f"/orders/{no}/payments", {"provider": "sandbox"}, uuid4().hex).status_code == 404
    assert stranger("GET", "/orders").json()["items"] == [] and not Payment.objects.exists()


def test_only_an_open_order_is_paid_and_only_by_a_known_provider(caller, cast):
    from tongzhou.kit.actor import member
    from tongzhou.orders import commands

    no = order(caller, cart(caller, ("RICE", 1)).json()["id"]).json()["no"]
    assert caller("POST", f"/orders/{no}/payments", {"provider": "gold"}, uuid4().hex).status_code == 422
    commands.cancel(order_id=Order.objects.get(no=no).id, by=member(cast.buyer), at=AT)
    refused = caller("POST", f"/orders/{no}/payments", {"provider": "sandbox"}, uuid4().hex)
    assert refused.status_code == 409 and refused.json()["code"] == "order_not_open"


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c"])
def test_without_a_token_there_is_no_door(cast, token):
    refused = Caller(token)("GET", "/orders")
    assert refused.status_code == 401 and refused["WWW-Authenticate"] == "Bearer"
    assert refused.json()["code"] == "token_invalid"


def test_signing_out_everywhere_and_closing_end_a_token(caller, cast):
    from tongzhou.kit.actor import member
    from tongzhou.people import commands
    from tongzhou.people.models import Member

    assert caller("GET", "/orders").status_code == 200
    commands.sign_out_everywhere(member_id=cast.buyer, by=member(cast.buyer), at=AT)
    assert caller("GET", "/orders").status_code == 401
    later = Caller(tokens.issue(cast.buyer))
    Member.objects.filter(id=cast.buyer).update(is_active=False)
    assert later("GET", "/orders").status_code == 401


def test_even_wrong_addresses_and_methods_answer_in_problems(caller):
    assert caller("GET", "/nowhere").json()["code"] == "not_found"
    wrong = caller("DELETE", "/carts")
    assert wrong.status_code == 405 and wrong.json()["code"] == "method_not_allowed"
    assert caller("POST", "/openapi.json").status_code == 405


def test_a_crash_is_a_problem_too(caller, monkeypatch):
    from tongzhou.api import service

    monkeypatch.setattr(service.goods, "cards", lambda **_: 1 / 0)
    broken = caller("GET", "/products")
    assert broken.status_code == 500 and broken.json()["code"] == "server_error" and broken.json()["retryable"]


def test_products_are_public_searched_and_paged(cast):
    anyone = Caller()
    page = anyone("GET", "/products?limit=1").json()
    rest = anyone("GET", f"/products?limit=1&after={page['next']}").json()
    assert {page["items"][0]["slug"], rest["items"][0]["slug"]} == {"rougui", "rice"} and rest["next"] == ""
    found = anyone("GET", "/products?q=肉桂").json()
    assert [x["slug"] for x in found["items"]] == ["rougui"] and found["items"][0]["price_minor"] == 9500
    for wrong in (
        "limit=0",
        "limit=101",
        "limit=x",
        "after=rubbish",
        "after=²",
        "after='",
        "q=茶&after=²",
        "q=茶&after=x",
        "q=" + "茶" * 101,
        "q=%00",
    ):
        assert anyone("GET", f"/products?{wrong}").status_code == 422, wrong
    assert anyone("GET", "/products?after=²").json()["code"] == "cursor_invalid"


def test_an_order_that_is_not_there_is_said_in_a_sentence(caller):
    said = caller("GET", "/orders/TZ0")
    assert said.status_code == 404 and said.json()["code"] == "order_not_found"
    assert said.json()["title"] == said.json()["message"] == "没有这个订单。"


def test_orders_come_in_pages(caller, cast):
    numbers = [order(caller, cart(caller, ("RICE", 1)).json()["id"]).json()["no"] for _ in range(3)]
    seen, after = [], ""
    while True:
        page = caller("GET", f"/orders?limit=2&after={after}").json()
        seen += [o["no"] for o in page["items"]]
        after = page["next"]
        if not after:
            break
    assert seen == numbers[::-1]


def test_too_many_calls_are_told_when_to_come_back(caller, settings):
    settings.API_PER_MINUTE = 2
    answers = [caller("GET", "/products") for _ in range(3)]
    assert [a["RateLimit-Remaining"] for a in answers] == ["1", "0", "0"]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "too_many_requests" and 0 < int(answers[2]["Retry-After"]) <= 60


def test_the_description_names_every_call(client):
    schema = client.get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    calls = {(m.upper(), p) for p, ops in schema["paths"].items() for m in ops}
    assert calls == {("POST", "/api/v1/carts"), ("POST", "/api/v1/orders"), ("POST", "/api/v1/orders/{no}/payments"),
                     ("GET", "/api/v1/orders"), ("GET", "/api/v1/orders/{no}"), ("GET", "/api/v1/products")}  # fmt: skip
    for ops in schema["paths"].values():
        for operation in ops.values():
            assert "application/problem+json" in operation["responses"]["422"]["content"]
