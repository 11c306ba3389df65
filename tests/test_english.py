"""English pages are English: every page of the shop as a guest, a buyer and a sharer, but for what people are called.

And what English readers are offered beside the Chinese: carriers, places.
"""

import re

import pytest
from django.test import Client

from tests.cast import AT, PASSWORD, Cast, assemble
from tests.test_story import buy, drain, pay
from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale import queries as cases
from tongzhou.fulfilment import carriers
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.orders import queries as sold
from tongzhou.people import divisions
from tongzhou.people.models import Member
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import commands as sharing

BACKEND = "tongzhou.people.backends.MemberBackend"
CALLED = {
    "林小满",
    "苏禾",
    "切换到中文",
    "舟",
    "满",
    "禾",
    "林",
    "苏",
}  # people, their first characters, the other language
ADDRESS = re.compile("浙江省杭州市西湖区\\S*|竞舟路|号|幢")  # what the carrier reads stays as it was written
GUEST = (
    "/", "/categories", "/categories/tea", "/categories/tea?sort=price", "/search?q=rougui", "/search?q=zzzz",
    "/search?q=rougui zzzz", "/search?q=rougiu", "/search?q=rougui&stock=1", "/categories/tea?price=-9000&stock=1",
    "/new", "/popular", "/products/rougui", "/cart", "/earn", "/sign-in", "/nowhere",
    *(f"/help/{t}" for t in ("delivery", "returns", "sharing", "rewards", "tax", "privacy", "about", "terms")),
)  # fmt: skip


def english(who=None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if who:
        client.force_login(Member.objects.get(id=who), backend=BACKEND)
    return client


def chinese(html: str) -> set[str]:
    """Chinese left in what a reader sees or hears: text, labels, placeholders, alternatives."""
    body = re.sub(r"(?s)<(script|option|textarea)\b.*?</\1>", "", html)
    heard = " ".join(re.findall(r'(?:alt|aria-label|placeholder|title|content|data-\w+)="([^"]*)"', body))
    text = ADDRESS.sub(" ", re.sub(r"<[^>]+>", " ", body) + " " + heard)
    return set(re.findall(r"[\u4e00-\u9fff]+", text)) - CALLED


@pytest.fixture
def world(db) -> tuple[Cast, object, object]:
    cast = assemble()
    placed, start = buy(cast)
    waiting, _ = buy(cast, shared=False)
    pay(placed, start)
    drain(AT)
    fulfilment.ship(order_id=placed.order_id, carrier="SF Express", tracking_no="SF20260714001", by=cast.owner, at=AT)
    fulfilment.confirm_receipt(order_id=placed.order_id, by=cast.owner, at=AT)
    drain(AT)
    return cast, placed, waiting


def left_on(client: Client, paths) -> dict[str, set[str]]:
    found = {}
    for path in paths:
        answer = client.get(path)
        assert answer.status_code in (200, 404) or path == "/sign-in", (path, answer.status_code)
        html = answer.content.decode()
        found[path] = chinese(html) | set(re.findall(r"\b1 items\b|\b(?!1 )\d+ item\b", html))
    return {path: words for path, words in found.items() if words}


def test_english_pages_of_a_guest(world):
    assert left_on(english(), GUEST) == {}


def test_english_pages_of_a_buyer(world):
    cast, placed, waiting = world
    line = sold.lines_of([placed.order_id])[placed.order_id][0]
    aftersale.open_case(order_id=placed.order_id, buyer_id=cast.buyer, units={line.id: 1}, reason="quality", at=AT)
    case = cases.cases_of_order(placed.order_id)[0]
    aftersale.approve(case_id=case.id, by=cast.owner, at=AT)
    client = english(cast.buyer)
    asked = client.get(f"/returns/{case.no}").content.decode()
    assert '<option value="shunfeng">SF Express</option>' in asked
    aftersale.send_back(case_id=case.id, buyer_id=cast.buyer, carrier="shunfeng", tracking_no="SF20260715001", at=AT)
    client.post("/cart/lines", {"sku": cast.tea, "quantity": "1"})
    paths = (
        *GUEST, "/me", "/me/addresses", "/me/safety", "/orders", "/orders?tab=pay", f"/orders/{placed.no}", f"/orders/{placed.no}/why",
        f"/orders/{placed.no}/return", f"/orders/{placed.no}/paid", f"/orders/{waiting.no}", f"/orders/{waiting.no}/pay",
        f"/orders/{waiting.no}/paid", f"/returns/{case.no}", "/checkout", f"/checkout?sku={cast.tea}&quantity=1",
    )  # fmt: skip
    assert left_on(client, paths) == {}
    assert "SF Express SF20260715001" in client.get(f"/returns/{case.no}").content.decode()
    assert "SF Express" in client.get(f"/orders/{placed.no}").content.decode()
    desk = english()
    assert desk.post("/console/sign-in", {"phone": "13800000001", "password": PASSWORD}).status_code == 302
    for path in (f"/console/orders/{placed.no}", f"/console/cases/{case.no}", "/console/orders/ship"):
        assert "SF Express" in desk.get(path).content.decode(), path
    assert "1 item<" in client.get(f"/checkout?sku={cast.tea}&quantity=1").content.decode()


def test_english_pages_of_a_sharer(world):
    cast, _placed, _waiting = world
    sharing.make_link(member_id=cast.sharer, product_id=None, at=AT)
    reward = rewards.rewards_of(cast.sharer)[0]
    paths = (
        *GUEST, "/me", "/earn", "/earn/links", "/earn/invite", "/earn/payout", "/earn/tax",
        f"/earn/why/{reward.id}", "/products/rougui/share", "/me/safety",
    )  # fmt: skip
    client = english(cast.sharer)
    links = sorted(set(re.findall(r'href="(/earn/links/[^"?]+)', client.get("/earn/links").content.decode())))
    assert links
    assert left_on(client, (*paths, *links)) == {}


def test_every_carrier_has_an_english_name_and_answers_to_it():
    for code in carriers.COMMON:
        carrier = carriers.all_carriers()[code]
        assert carrier.name_en.isascii() and carriers.resolve(carrier.name_en) == carrier
    assert set(carriers.ENGLISH) <= set(carriers.all_carriers())
    assert carriers.shown("xinfengwuliu").name_en == "Xinfengwuliu 信丰物流"
    assert carriers.shown("a cart and a horse").name_en == "a cart and a horse"
    assert all(c.name_en for c in carriers.all_carriers().values())


def test_places_are_offered_in_both_languages_and_kept_in_one(world):
    asked = english().get("/divisions/33").json()["items"]
    assert {"code": "3301", "name": "杭州市 Hangzhou"} in asked
    assert {"code": "3301", "name": "杭州市"} in Client(headers={"accept-language": "zh-CN"}).get(
        "/divisions/33"
    ).json()["items"]
    cast, _placed, _waiting = world
    page = english(cast.buyer).get("/me/addresses").content.decode()
    assert '<option value="33">浙江省 Zhejiang</option>' in page
    known = {d.name: d.name_en for code in ("", "14", "61", "65", "2224", "31") for d in divisions.children(code)}
    assert (
        known["陕西省"] == "Shaanxi"
        and known["山西省"] == "Shanxi"
        and known["西安市"] == "Xi'an"
        and known["长治市"] == "Changzhi"
    )
    assert (
        known["伊犁哈萨克自治州"] == "Ili Prefecture"
        and known["闵行区"] == "Minhang District"
        and known["珲春市"] == "Hunchun"
    )
    assert all(
        d.name_en.isascii() or "ü" in d.name_en or "ê" in d.name_en
        for c in divisions.children()
        for d in divisions.children(c.code)
    )
