"""What a hostile reviewer found once: big integers, NULs, odd digits, copied cookies."""

import pytest
from django.db.models import F
from django.test import Client

from tests.cast import PASSWORD, assemble
from tests.test_story import buy, pay
from tongzhou.ledger import queries as books
from tongzhou.payments.models import Payment

pytestmark = pytest.mark.django_db


def test_a_large_integer_reaches_the_database_whole():
    cast = assemble()
    placed, start = buy(cast)
    pay(placed, start)
    (sum_,) = Payment.objects.annotate(z=F("refunded_minor") + 10**10).values_list("z", flat=True)
    assert sum_ == 10**10


def test_a_payment_far_beyond_what_is_owed_goes_back_whole_to_the_unit():
    cast = assemble()
    placed, start = buy(cast)
    assert pay(placed, start, amount_minor=10**12).outcome == "paid"
    row = Payment.objects.get()
    assert (row.captured_minor, row.refunded_minor) == (10**12, 10**12 - placed.total_minor)
    assert books.verify().ok


@pytest.mark.parametrize(
    ("path", "status"),
    [("/products/%00", 404), ("/s/%00", 404), ("/s/%00/poster", 404), ("/search?q=%00", 422), ("/categories/%00", 404),
     ("/help/%00", 404), ("/orders/%00", 404)],
)  # fmt: skip
def test_a_nul_in_an_address_is_told_and_never_a_crash(path, status):
    assemble()
    assert Client().get(path).status_code == status


@pytest.mark.parametrize("path", ["/sign-in", "/cart/lines"])
def test_a_nul_in_a_form_is_told_by_its_field(path):
    assemble()
    answer = Client().post(
        path, {"phone": "139\x0000000672", "sku": "\x00", "quantity": "1"}, headers={"accept-language": "en"}
    )
    assert answer.status_code == 422 and b"NUL" in answer.content


def test_a_setup_code_in_any_script_is_just_wrong():
    answer = Client().post(
        "/console/setup", {"code": "安装码", "name": "沈岚", "phone": "13800000001", "password": PASSWORD}
    )
    assert answer.status_code == 422


def test_leaving_the_console_ends_a_copied_cookie_too():
    assemble()
    desk = Client()
    desk.post("/console/sign-in", {"phone": "13800000001", "password": PASSWORD})
    copied = Client()
    copied.cookies.load({name: morsel.value for name, morsel in desk.cookies.items()})
    assert copied.get("/console/").status_code == 200
    desk.post("/console/sign-out")
    assert copied.get("/console/").status_code == 302
