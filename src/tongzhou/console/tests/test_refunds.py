"""Money back by the mall's own will: shown before it is done, done once, refused at its field."""

import re

import pytest
from tests.test_story import drain

from tongzhou.aftersale import queries as cases
from tongzhou.console.tests.desk import open_desk, shopper, sign_in
from tongzhou.kit import clock
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return open_desk()


def form(desk, **more):
    row = orders.order(desk.paid)
    line = next(x for x in orders.lines_of([row.id])[row.id] if x.kind == "goods" and x.amount_minor > 1_000)
    return line, {"key": "k-1", "line": str(line.id), "reason": "damaged", "answer": "一罐有压痕，补偿", **more}


def test_it_is_looked_at_first_and_then_done_once(desk):
    client, path = sign_in("operator"), f"/console/orders/{desk.paid}/refund"
    assert path in client.get(f"/console/orders/{desk.paid}").content.decode()
    line, asked = form(desk, amount="9.99")
    looked = client.post(path, asked | {"look": "1"})
    html = looked.content.decode()
    assert looked.status_code == 200 and "退 ¥9.99" in html and 'value="9.99"' in html and "留在买家那里" in html
    assert orders.lines_by_id([line.id])[line.id].refunded_minor == 0
    done = client.post(path, asked | {"go": "1"})
    assert done.status_code == 302 and done["Location"].startswith("/console/cases/AS")
    again = client.post(path, asked | {"go": "1"})
    assert again["Location"] == done["Location"], "pressed twice"
    drain(clock.now())
    assert orders.lines_by_id([line.id])[line.id].refunded_minor == 999 and books.verify().ok
    case = client.get(done["Location"]).content.decode()
    assert "商城主动退" in case and "买家提出" not in case and "一罐有压痕，补偿" in case
    number = done["Location"].rpartition("/")[2]
    told = shopper(desk.cast.buyer).get(f"/returns/{number}").content.decode()
    assert "一罐有压痕，补偿" in told and "商城退给你 ¥9.99" in told and "申请退 ¥9.99" not in told


@pytest.mark.parametrize(
    ("more", "anchor"),
    [
        ({"amount": "99999"}, "amount"), ({"amount": "-1"}, "amount"), ({"amount": "abc"}, "amount"), ({}, "amount"),
        ({"amount": "0"}, "amount"), ({"units": "99"}, "units"), ({"units": "x"}, "units"),
        ({"amount": "1", "line": ""}, "line"), ({"amount": "1", "line": "x"}, "id"), ({"amount": "1", "answer": " "}, "answer"),
        ({"amount": "1", "reason": "because"}, "reason"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field_and_nothing_happens(desk, more, anchor):
    line, asked = form(desk, **more)
    before = len(cases.cases_of_order(line.order_id))
    answer = sign_in("owner").post(f"/console/orders/{desk.paid}/refund", asked | {"go": "1"})
    html = answer.content.decode()
    assert answer.status_code in (409, 422) and f'href="#f-{anchor}"' in html, re.sub(r"(?s)<nav.*?</nav>", "", html)[
        :3000
    ]
    assert orders.lines_by_id([line.id])[line.id].refunded_minor == 0
    assert len(cases.cases_of_order(line.order_id)) == before


def test_support_may_look_and_not_do_it(desk):
    client, path = sign_in("support"), f"/console/orders/{desk.paid}/refund"
    html = client.get(path).content.decode()
    assert 'name="look"' not in html and client.post(path, form(desk, amount="1")[1]).status_code == 403
