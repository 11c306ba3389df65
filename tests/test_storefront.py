"""What the storefront's pages promise: weight, statements, choosing, help when nothing is found, the sharer's words."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.core.signals import request_finished
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from tests.cast import AT, assemble
from tests.test_pages import client
from tests.test_story import buy, drain, pay, ship_and_receive
from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.models import Product
from tongzhou.catalog.values import ProductDraft, SkuDraft
from tongzhou.kit import clock
from tongzhou.kit.refusals import Refusal
from tongzhou.orders import commands as sold
from tongzhou.orders import queries as orders
from tongzhou.orders.models import Order, OrderLine
from tongzhou.people import queries as people
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import commands as sharing
from tongzhou.storefront import searched
from tongzhou.suppliers import queries as suppliers

pytestmark = pytest.mark.django_db
MOST_STATEMENTS = 13


@pytest.fixture
def cast():
    return assemble()


def socks(cast):
    """A product with two options, one combination missing and one sold out."""
    at, shelf = clock.now(), goods.category("tea").id
    made = [("35–39", "素色", 5), ("35–39", "五色", 0), ("40–44", "素色", 7)]
    skus = tuple(
        SkuDraft(code=f"SOCKS-{i}", list_price_minor=3000 + 500 * i, option_values=(size, colour), on_hand=n)
        for i, (size, colour, n) in enumerate(made)
    )
    saved = catalog.save_product(
        draft=ProductDraft(slug="socks", title="中筒袜", title_en="Socks", supplier_id=cast.supplier, category_id=shelf,
                           option_names=("尺码", "颜色"), option_names_en=("Size", "Colour"), skus=skus),
        by=cast.owner, at=at,
    )  # fmt: skip
    catalog.publish(product_ids=[saved.id], by=cast.owner, at=at)
    return goods.product_page("socks", 0)


def test_each_option_is_chosen_by_itself_and_the_server_finds_the_variant(cast):
    item, c = socks(cast), client()
    html = c.get("/products/socks").content.decode()
    assert html.count('name="o0"') == 2 and html.count('name="o1"') == 2
    done = c.post("/cart/lines", {"product": "socks", "o0": "40–44", "o1": "素色", "quantity": "2", "add": "1"})
    assert done.status_code == 302
    wanted = next(s for s in item.skus if s.values == ("40–44", "素色"))
    assert str(wanted.id) in c.get("/cart").content.decode()


@pytest.mark.parametrize(
    ("chosen", "status", "said"),
    [
        ({"o0": "40–44"}, 422, "颜色"),
        ({"o0": "40–44", "o1": "紫色"}, 422, "素色 | 五色"),
        ({"o0": "40–44", "o1": "五色"}, 409, "40–44 · 五色"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused_and_nothing_is_put_in(cast, chosen, status, said):
    socks(cast)
    c = client()
    answer = c.post("/cart/lines", {"product": "socks", "quantity": "1", **chosen})
    assert answer.status_code == status and said in answer.content.decode()
    assert c.session.get("cart", 0) == 0


def test_a_product_with_nothing_to_choose_asks_nothing(cast):
    html = client().get("/products/rougui").content.decode()
    assert 'type="radio"' not in html and "ROUGUI" not in re.sub(r"(?s)<script.*?</script>", "", html)


def test_home_shows_what_people_really_bought(cast):
    assert "买的人最多" not in client().get("/").content.decode()
    placed, start = buy(cast)
    pay(placed, start)
    Order.objects.filter(id=placed.order_id).update(paid_at=clock.now())
    cache.clear()
    html = client().get("/").content.decode()
    assert "买的人最多" in html and "1 人买过" in html
    OrderLine.objects.filter(order_id=placed.order_id).update(refunded_quantity=F("quantity"))
    cache.clear()
    assert "买的人最多" not in client().get("/").content.decode(), "what was sent back does not count"


def test_nothing_found_offers_the_closest_wording(cast):
    html = client().get("/search?q=肉桂粉").content.decode()
    assert "没有“肉桂粉”" in html and 'href="?q=%E8%82%89%E6%A1%82"' in html and "武夷肉桂" in html
    assert client().get("/search").status_code == 200
    assert client().get("/search?q=茶&from=x").status_code == 422


def test_filters_are_counted_kept_and_taken_off_one_by_one(cast):
    for path, most in (("/search?q=肉桂&", 1), ("/categories/tea?", 1)):
        html = client().get(f"{path}stock=1&price=5000-10000").content.decode()
        assert "武夷肉桂" in html and html.count('name="stock" value="1" checked') == most
        chips = re.findall(
            r'<a class="chip" href="([^"]+)" aria-current="true">',
            re.findall(r"<div class=\"chips\">.*?</div>", html, re.S)[-1],
        )
        assert (
            len(chips) == 2
            and "price=5000-10000" in chips[1] + chips[0]
            and not any("stock" in c and "price" in c for c in chips)
        )
        sorts = re.search(r'href="([^"]+sort=price[^"]*)"', html)[1]
        assert "stock=1" in sorts and "price=5000-10000" in sorts
        nothing = client().get(f"{path}price=1-2")
        assert nothing.status_code == 200 and "没有同时满足这些条件的" in nothing.content.decode()
        for wrong in ("price=x", "price=-", "cat=nowhere", "by=nobody"):
            refused = client().get(path + wrong)
            assert refused.status_code == 422, (path, wrong)


def test_a_corrected_search_says_so_and_can_be_insisted_on(cast):
    html = client().get("/search?q=rougiu").content.decode()
    assert (
        "没有“rougiu”，这是按“rougui”找到的。" in html and 'href="?q=rougiu&amp;exact=1"' in html and "武夷肉桂" in html
    )
    assert "没有“rougiu”" in client().get("/search?q=rougiu&exact=1").content.decode()


def test_suggestions_come_by_name_reading_and_shelf(cast):
    for typed in ("肉", "rou", "rg"):
        answer = client().get("/search/suggestions", {"q": typed})
        assert {"text": "武夷肉桂 岩茶", "note": "", "url": "/products/rougui"} in answer.json()["items"], typed
    shelves = client().get("/search/suggestions?q=茶").json()["items"]
    assert shelves[0]["url"] == "/categories/tea" and shelves[0]["note"] == "分类"
    for odd in ("", "%00", "%3Cb%3E", "a" * 500):
        assert client().get(f"/search/suggestions?q={odd}").status_code in {200, 422}
    for n in range(3):
        catalog.remember_search(query="肉桂茶", found=1 + n, at=clock.now())
    cache.clear()
    assert (
        client().get("/search/suggestions?q=肉桂").json()["items"][0]["url"] == "/search?q=%E8%82%89%E6%A1%82%E8%8C%B6"
    )
    assert "肉桂茶" in client().get("/search?q=zzzz").content.decode()


def test_bought_together_is_shown_only_when_two_people_did(cast):
    def together(buyer):
        placed, start = buy(replace(cast, buyer=buyer), shared=False)
        pay(placed, start)
        Order.objects.filter(id=placed.order_id).update(paid_at=clock.now())
        return placed.order_id

    placed = [together(cast.buyer), together(cast.buyer)]
    assert sold.pair_up(at=clock.now()) == 0, "one person twice is no pair"
    assert "常一起买" not in client().get("/products/rougui").content.decode()
    placed.append(together(cast.sharer))
    assert sold.pair_up(at=clock.now()) == 2
    cache.clear()
    html = client().get("/products/rougui").content.decode()
    assert "常一起买" in html and "2 人一起买过" in html and 'href="/products/rice"' in html
    OrderLine.objects.filter(order_id=placed[-1], sku_id=cast.rice).update(refunded_quantity=1)
    assert sold.pair_up(at=clock.now()) == 0, "what was sent back does not count"
    assert sold.pair_up(at=clock.now() + timedelta(days=91)) == 0


def test_a_supplier_has_a_page_of_its_goods_and_a_product_its_kind(cast):
    seller = suppliers.supplier(cast.supplier)
    html = client().get("/products/rougui").content.decode()
    assert f'href="/suppliers/{seller.code}"' in html and html.count('class="zoom"') == 1
    page = client().get(f"/suppliers/{seller.code}")
    assert page.status_code == 200 and seller.name in page.content.decode() and "武夷肉桂" in page.content.decode()
    assert client().get("/suppliers/nobody").status_code == 404


def test_structured_data_and_previews_are_whole(cast):
    html = client().get("/products/rougui").content.decode()
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', html)[1])
    assert data["@type"] == "Product" and data["offers"]["price"] == "95.00"
    assert data["offers"]["availability"].endswith("InStock")
    for name in ("og:image", "og:url", "og:title"):
        found = re.search(rf'property="{name}" content="([^"]+)"', html)
        assert found, name
        assert name == "og:title" or found[1].startswith("http"), found[1]
    assert '<link rel="canonical"' in html and "noindex" not in html


def test_private_pages_are_not_indexed(cast):
    c = client(cast.buyer)
    for path in ("/cart", "/me", "/orders", "/earn", "/earn/payout", "/products/rougui/share", "/search?q=茶"):
        assert '<meta name="robots" content="noindex">' in c.get(path).content.decode(), path


def test_a_title_cannot_break_out_of_the_structured_data(cast):
    at = clock.now()
    saved = catalog.save_product(
        draft=ProductDraft(slug="odd", title="</script><b>x", supplier_id=cast.supplier, category_id=goods.category("tea").id,
                           skus=(SkuDraft(code="ODD", list_price_minor=100),)),
        by=cast.owner, at=at,
    )  # fmt: skip
    catalog.publish(product_ids=[saved.id], by=cast.owner, at=at)
    html = client().get("/products/odd").content.decode()
    assert "</script><b>x" not in html


def test_the_friend_reads_the_sharers_words(cast):
    at, product = clock.now(), goods.product_page("rougui", 0).id
    link = sharing.say(member_id=cast.sharer, product_id=product, words="第三泡最甜", at=at)
    c = client()
    c.get(f"/s/{link.code}")
    assert "第三泡最甜" in c.get("/products/rougui").content.decode()
    for words, code in (("字" * 41, "words_too_long"), ("跟我一起躺赚", "words_promise")):
        with pytest.raises(Refusal) as refused:
            sharing.say(member_id=cast.sharer, product_id=product, words=words, at=at)
        assert refused.value.code == code and refused.value.fix
    assert sharing.make_link(member_id=cast.sharer, product_id=product, at=at).words == "第三泡最甜"


@pytest.fixture
def uncounted():
    """Searches are counted after their page has gone out; what the page itself asks is measured without it."""
    request_finished.disconnect(dispatch_uid="storefront.searched")
    yield
    request_finished.connect(searched.write_down, dispatch_uid="storefront.searched")
    searched.write_down()


def test_pages_ask_the_database_little(cast, uncounted):
    placed, start = buy(cast)
    pay(placed, start)
    c, guest = client(cast.buyer), client()
    for who, path in (
        *((guest, p) for p in ("/", "/categories/tea", "/search?q=茶", "/search?q=肉桂粉", "/products/rougui", "/cart",
                             "/search?q=茶&stock=1&cat=tea", "/categories/tea?stock=1&price=-9000", "/search/suggestions?q=茶")),
        *((c, p) for p in ("/", "/me", "/orders", f"/orders/{placed.no}", "/earn", "/earn/payout", "/products/rougui",
                           "/products/rougui/share", "/earn/invite", "/me/addresses")),
    ):  # fmt: skip
        who.get(path)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert who.get(path).status_code == 200, path
        assert len(seen) <= MOST_STATEMENTS, (path, len(seen), [q["sql"][:90] for q in seen])


def test_the_first_page_is_light(cast):
    html = client().get("/").content.decode()
    linked = re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js))"', html)
    assert len(linked) >= 5
    total = len(html.encode()) + sum(len(Path(finders.find(p)).read_bytes()) for p in linked)
    assert total < 100_000, total


def test_first_pictures_are_loaded_at_once_and_the_rest_late(cast):
    for i in range(10):
        saved = catalog.save_product(
            draft=ProductDraft(slug=f"p{i}", title=f"茶 {i}", supplier_id=cast.supplier,
                               category_id=goods.category("tea").id, skus=(SkuDraft(code=f"P{i}", list_price_minor=100),)),
            by=cast.owner, at=clock.now(),
        )  # fmt: skip
        catalog.publish(product_ids=[saved.id], by=cast.owner, at=clock.now())
    for path in ("/", "/categories/tea", "/search?q=茶", "/products/rougui"):
        pictures = re.findall(r"<main.*?</main>", client().get(path).content.decode(), re.S)[0]
        found = re.findall(r"<img [^>]+>", pictures)
        assert all('width="' in p and 'height="' in p for p in found), path
        assert 'loading="lazy"' not in found[0], path
    assert 'loading="lazy"' in found[-1] or len(found) < 8


def test_a_sharer_sees_the_own_reward_and_nothing_of_the_malls_costs(cast):
    product = goods.product_page("rougui", 0).id
    sharing.make_link(member_id=cast.sharer, product_id=product, at=clock.now())
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    ship_and_receive(cast, placed, AT)
    reward = rewards.rewards_of(cast.sharer)[0]
    html = client(cast.sharer).get(f"/earn/why/{reward.id}").content.decode().replace("<wbr>", "")
    assert "reward.held" in html and "payable.supplier" not in html and "expense.goods" not in html


def test_the_order_form_keeps_what_was_typed_and_writes_nothing_when_refused(cast):
    c = client(cast.buyer)
    form = {"sku": str(cast.tea), "quantity": "1", "address": "new", "receiver": "苏禾", "phone": "13900000672",
            "code": "330106109", "detail": "竞舟路 98 号", "note": "放门口"}  # fmt: skip
    for wrong, said in (
        ({"receiver": ""}, "请写收货人的名字"),
        ({"phone": "123"}, "收货手机号看起来不对"),
        ({"code": "33"}, "请把省、市、区县、街道选完整"),
        ({"detail": ""}, "请写详细地址"),
        ({"sharer_code": "NOSUCH99"}, "分享码"),
    ):
        answer = c.post("/checkout", {**form, **wrong})
        html = answer.content.decode()
        assert answer.status_code == 422 and said in html and 'aria-invalid="true"' in html, wrong
        assert ("放门口" in html and "竞舟路" in html) or wrong == {"detail": ""}
        assert not orders.orders_of(cast.buyer) and not people.addresses(cast.buyer), "nothing is written"
    assert c.post("/checkout", form).status_code == 302
    assert len(people.addresses(cast.buyer)) == 1


def test_goods_without_the_seven_day_right_are_ticked_by_the_buyer(cast):
    Product.objects.filter(slug="rougui").update(return_policy="ticked")
    c = client(cast.buyer)
    page = c.get(f"/checkout?sku={cast.tea}&quantity=1").content.decode()
    assert 'name="no_return"' in page and "checked" not in page.split('name="no_return"')[1][:40]
    form = {"sku": str(cast.tea), "quantity": "1", "address": "new", "receiver": "苏禾", "phone": "13900000672",
            "code": "330106109", "detail": "竞舟路 98 号"}  # fmt: skip
    refused = c.post("/checkout", form)
    assert refused.status_code == 422 and "不会替你勾" in refused.content.decode() and not orders.orders_of(cast.buyer)
    assert c.post("/checkout", {**form, "no_return": "1"}).status_code == 302


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("/earn/payout", {"legal_name": "林小满", "account": "", "born": "1990-01-01"}, "林小满"),
        ("/earn/payout", {"amount": "一百"}, "写成 12.90 这样"),
        ("/products/rougui/share", {"words": "跟我一起躺赚"}, "躺赚"),
        ("/earn/invite", {"words": "字" * 50}, "最多 40 个字"),
        ("/me/addresses", {"address": "new", "receiver": "苏", "phone": "1", "code": "", "detail": "三号楼"}, "三号楼"),
    ],
)
def test_each_form_refuses_in_place_and_keeps_the_words(cast, path, data, said):
    answer = client(cast.sharer).post(path, data)
    html = answer.content.decode()
    assert answer.status_code == 422 and said in html and 'role="alert"' in html
    assert not people.addresses(cast.sharer)


def test_a_return_form_keeps_what_was_chosen(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    ship_and_receive(cast, placed, AT)
    line = orders.lines_of([placed.order_id])[placed.order_id][0]
    form = {f"units-{line.id}": "1", "reason": "damaged", "note": "罐口压扁", "amount": "十块"}
    answer = client(cast.buyer).post(f"/orders/{placed.no}/return", form)
    html = answer.content.decode()
    assert answer.status_code == 422 and "罐口压扁" in html and "十块" in html and "写成 12.90" in html
    assert 'value="damaged" checked' in html and "<option selected>1</option>" in html


def test_a_buyer_who_paid_another_amount_is_told_and_may_pay_again(cast):
    placed, start = buy(cast, clock.now())
    pay(placed, start, clock.now(), amount_minor=placed.total_minor - 1)
    c = client(cast.buyer)
    page = c.get(f"/orders/{placed.no}/paid").content.decode()
    assert "付的金额不对" in page and "¥144.99" in page and "data-poll" not in page
    assert c.get(f"/orders/{placed.no}/paid", headers={"Accept": "application/json"}).json() == {"final": True}
    assert "¥144.99 不是这单要付的" in c.get(f"/orders/{placed.no}").content.decode()


def test_a_return_that_was_agreed_to_says_where_to_send_it(cast, settings):
    from tongzhou.aftersale import commands as aftersale

    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    ship_and_receive(cast, placed, AT)
    line = next(x for x in orders.lines_of([placed.order_id])[placed.order_id] if x.kind == "goods")
    case = aftersale.open_case(
        order_id=placed.order_id, buyer_id=cast.buyer, units={line.id: 1}, reason="quality", at=AT
    )
    aftersale.approve(case_id=case, by=cast.owner, at=AT)
    no = aftersale.Case.objects.get(id=case).no
    settings.RETURN_ADDRESS = "北仓 3 号库"
    assert "北仓 3 号库" in client(cast.buyer).get(f"/returns/{no}").content.decode()
    settings.RETURN_ADDRESS = ""
    assert "看商城的答复" in client(cast.buyer).get(f"/returns/{no}").content.decode()
