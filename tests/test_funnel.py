"""The funnel in exact numbers: two visitors, repeats, machines, carts without orders, an order refunded; for sharer and mall."""

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client

from tests.cast import assemble
from tests.test_pages import client
from tests.test_story import drain, pay
from tests.test_why import desk, page
from tongzhou.kit import clock
from tongzhou.kit.actor import member as actor
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.payments import commands as payments
from tongzhou.people import commands as people
from tongzhou.plans.values import Attribution as Policy
from tongzhou.sharing import commands as sharing
from tongzhou.sharing import queries as shared
from tongzhou.sharing.models import FunnelMark, LinkDay

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone) Mobile"
ADDRESS = {"address": "new", "receiver": "苏禾", "phone": "13900000672", "code": "330106109", "detail": "竞舟路 98 号"}


@pytest.fixture
def cast():
    return assemble()


@pytest.fixture
def link(cast):
    return sharing.make_link(member_id=cast.sharer, product_id=product_of(cast), at=clock.now())


def product_of(cast):
    from tongzhou.catalog import queries as goods

    return goods.skus([cast.tea], 0)[cast.tea].product_id


def browser(who=None):
    c = client(who) if who else Client()
    c.defaults["HTTP_USER_AGENT"] = PHONE
    return c


def order(c, sku, buyer, *, paid=True):
    key = f"k{sku}{buyer}"
    assert c.post("/checkout", {"sku": str(sku), "quantity": "1", "key": key[:60], **ADDRESS}).status_code == 302
    row = sold.orders_of(buyer)[0]
    if paid:
        start = payments.open_payment(
            order_id=row.id, buyer_id=buyer, order_no=row.no, amount_minor=row.total_minor, provider="sandbox",
            return_url="http://x/", at=clock.now(),
        )  # fmt: skip

        class Placed:
            order_id, no, total_minor = row.id, row.no, row.total_minor

        pay(Placed, start, clock.now())
        drain(clock.now())
    return row


def figures(cast, link):
    (f,) = [f for f in shared.links_of(cast.sharer) if f.link.id == link.id]
    return f.views, f.visitors, f.carts, f.orders, f.bots


def test_two_visitors_a_repeat_a_machine_and_a_cart_without_an_order(cast, link):
    first, second, machine = browser(), browser(), Client(headers={"user-agent": "Googlebot/2.1"})
    for c in (first, first, second, machine):
        assert c.get(link.url_path).status_code == 302
    assert figures(cast, link) == (3, 2, 0, 0, 1), "a repeat is a view and no visitor; a machine is neither"
    for _again in range(2):
        assert first.post("/cart/lines", {"sku": str(cast.tea), "quantity": "1"}).status_code == 302
    assert figures(cast, link) == (3, 2, 1, 0, 1), "the same person fills the cart once a day"
    machine.post("/cart/lines", {"sku": str(cast.tea), "quantity": "1"})
    Client().post("/cart/lines", {"sku": str(cast.tea), "quantity": "1"})
    assert figures(cast, link) == (3, 2, 1, 0, 1), "neither a machine's cart nor one that no link led to"
    second.post("/cart/lines", {"sku": str(cast.rice), "quantity": "1"})
    assert figures(cast, link) == (3, 2, 2, 0, 1), "what is bought need not be what was shared"
    assert set(FunnelMark._meta.get_fields()) and {f.name for f in FunnelMark._meta.get_fields()} == {
        "id", "link_id", "day", "visitor_id", "kind", "product_id"}, "a mark knows nobody"  # fmt: skip


def test_a_day_later_the_same_browser_is_a_visitor_of_that_day_too_and_one_of_the_window(cast, link):
    at, visitor = clock.now(), link.id
    for days in (0, 1):
        sharing.touch(code=link.code, visitor_id=visitor, plan_version_id=None, at=at + timedelta(days=days))
    assert [r.visitors for r in LinkDay.objects.order_by("day")] == [1, 1]
    assert figures(cast, link)[:2] == (2, 1)
    said = {"visitor_id": visitor, "member_id": None, "product_id": None, "policy": Policy()}
    assert sharing.carted(**said, at=at + timedelta(days=1))
    assert not sharing.carted(**said, at=at + timedelta(days=1, minutes=1))
    assert not sharing.carted(**said, at=at + timedelta(days=9)), "what is outside the window led to nothing"
    assert [r.carts for r in LinkDay.objects.order_by("day")] == [0, 1]


def test_ones_own_link_fills_no_cart(cast, link):
    c = browser(cast.sharer)
    c.get(link.url_path)
    c.post("/cart/lines", {"sku": str(cast.tea), "quantity": "1"})
    assert figures(cast, link) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_from_the_door_to_the_money_for_the_sharer_and_the_mall(cast, link, language):
    other = people.register_member(phone="+8613900000801", display_name="周野", at=clock.now())
    kept, back, unpaid = browser(cast.buyer), browser(other), browser()
    for c in (kept, back, unpaid):
        c.get(link.url_path)
        c.post("/cart/lines", {"sku": str(cast.tea), "quantity": "1"})
    order(kept, cast.tea, cast.buyer)
    gone = order(back, cast.tea, other)
    late = browser(cast.buyer)
    late.get(link.url_path)
    order(late, cast.rice, cast.buyer, paid=False)
    orders.cancel(order_id=gone.id, buyer_id=other, by=actor(other), at=clock.now(), reason="buyer")
    drain(clock.now())
    assert figures(cast, link) == (4, 4, 3, 3, 0)

    mine = page(client(cast.sharer, language), "/earn/links", most=13)
    assert f'href="/earn/links/{link.code}"' in mine and "¥9.50" in mine, "the refunded order left nothing"
    html = page(client(cast.sharer, language), f"/earn/links/{link.code}", most=18)
    assert "苏禾" not in html and "周野" not in html and "苏**" in html
    assert ("还没有付款" if language != "en" else "not paid yet") in html
    assert client(other).get(f"/earn/links/{link.code}").status_code == 404, "a funnel is its sharer's"
    assert client().get("/earn/links")["Location"].startswith("/sign-in")

    html = desk(language=language).get("/console/sharing").content.decode()
    assert "林小满" in html and "¥9.50" in html and "苏禾" not in html
    for table, first in (
        ("days", clock.mall_day(clock.now()).isoformat()),
        ("links", link.code),
        ("products", "rougui"),
    ):
        rows = list(csv.DictReader(io.StringIO(desk().get(f"/console/sharing?csv={table}").content.decode())))
        assert len(rows) == 1 and first in rows[0].values(), (table, rows)
        want = {"views": "4", "visitors": "4", "carts": "3", "orders": "3", "paid": "2", "earned": "9.50", "bots": "0"}
        if table == "products":
            want |= {"orders": "2"}  # the rice was ordered by the same link, but it is another product
        assert {k: rows[0][k] for k in want} == want, table


def test_too_many_days_and_a_day_nobody_can_read_are_refused_with_the_way_out(cast):
    for query in ("from=2026-01-01&to=2026-12-31", "from=2026-05-02&to=2026-05-01", "from=soon"):
        answer = desk().get(f"/console/sharing?{query}")
        assert answer.status_code == 422, query
