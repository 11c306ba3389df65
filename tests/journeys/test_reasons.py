"""Every figure leads to its reason, in a browser: sharer, buyer, operator and finance; a chargeback; a binding put right."""

import json
import re

import pytest

from tests.journeys.test_main_story import console, fill_address, sign_in, tongzhou
from tests.journeys.test_storefront_journeys import choose, deliver, newcomer, purse, settled, shot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ZERO = "¥0.00"


def shared_sale(phone, sharer, slug, number, name):
    """Somebody shares, a stranger opens the link, signs up and pays; (the friend's page, order number, link code)."""
    sharer.goto(f"/products/{slug}/share")
    link = sharer.input_value("#url")
    friend = phone("zh-CN")
    friend.goto(link)
    friend.goto(f"/products/{slug}#pick")
    friend.click("#pick button[name=buy]")
    sign_in(friend, number, name)
    friend.wait_for_url("**/checkout?sku=*")
    fill_address(friend, name)
    friend.click("#checkout button.btn--primary")
    friend.wait_for_url(re.compile(r"/pay$"))
    no = re.search(r"TZ\d+", friend.url)[0]
    friend.click("form[action$='/payments'] button.btn--primary")
    friend.wait_for_url(re.compile(r"/pay\?"))
    choose(friend, "pay")
    settled(friend)
    return friend, no, link.rsplit("/", 1)[-1]


def until(page, address, holds, tries=80):
    """Opens an address until what the worker does by itself shows there."""
    for _ in range(tries):
        page.goto(address)
        if holds(page):
            return
        page.wait_for_timeout(400)
    pytest.fail(f"{address} never showed it")


def test_one_sale_is_explained_to_whoever_may_ask(phone, chromium, mall):
    sharer = newcomer(phone, "13710005001", "问为舟")
    friend, no, code = shared_sale(phone, sharer, "desk-lamp", "13710005002", "好奇者")
    earned = purse(sharer, "expected", until=lambda x: x != ZERO)

    sharer.goto(f"/earn/links/{code}")
    shot(sharer, "funnel")
    row = sharer.locator("table tbody tr").first.locator("td").all_inner_texts()
    assert int(row[1]) >= 1 and row[2] == "1" and row[4] == "1", ("one person opened it and ordered", row)
    sharer.locator("a.entry").first.click()
    sharer.wait_for_url("**/earn/why/*")
    shot(sharer, "why-sharer")
    said = sharer.inner_text("main")
    assert earned in sharer.inner_text("h1") and no in said and "13710005002" not in said
    assert sharer.locator("ol.reason a[href^='/earn/links/'], ol.reason a[href^='/help/']").count() >= 2

    friend.goto(f"/orders/{no}/why")
    shot(friend, "why-buyer")
    said = friend.inner_text("main")
    assert earned in said and "13710005001" not in said

    desk = console(chromium, mall, "13800000001")
    desk.goto(f"/console/orders/{no}/why")
    shot(desk, "why-operator")
    said = desk.inner_text("main")
    assert earned in said and "最后" in said
    assert desk.locator("table tbody tr").count() >= 2, "candidates and postings"
    desk.goto("/console/sharing")
    assert desk.locator("h1").count() == 1
    money = console(chromium, mall, "13800000002")
    money.goto("/console/ledger/accounts/reward.expected")
    money.locator("table a").first.click()
    money.wait_for_load_state()
    assert money.locator("h1").count() == 1 and "reward.expected" in money.content()


def test_a_chargeback_from_the_bank_to_the_reward(phone, chromium, mall):
    sharer = newcomer(phone, "13710005011", "守约舟")
    friend, no, _code = shared_sale(phone, sharer, "desk-lamp", "13710005012", "反悔者")
    desk = console(chromium, mall, "13800000003")
    deliver(desk, friend, no)
    earned = purse(sharer, "held", until=lambda x: x != ZERO)

    bank = phone("zh-CN")
    bank.goto(f"http://127.0.0.1:{mall[1]['TONGZHOU_SANDBOX_PORT']}/records")
    bank.locator("tr", has_text=no).locator("button[value=open]").click()
    until(desk, "/console/disputes", lambda p: no in p.inner_text("main"))
    shot(desk, "disputes")
    until(sharer, "/earn", lambda p: p.locator("a.entry").count() > 0)
    sharer.locator("a.entry").first.click()
    until(sharer, sharer.url, lambda p: "等银行核实" in p.inner_text("main"))
    shot(sharer, "why-disputed")
    friend.goto(f"/orders/{no}")
    assert "你的银行正在核实" in friend.inner_text("main")

    bank.goto(f"http://127.0.0.1:{mall[1]['TONGZHOU_SANDBOX_PORT']}/records")
    bank.locator("tr:has(button[value=lost])").first.locator("button[value=lost]").click()  # the newest stands first
    until(desk, f"/console/orders/{no}", lambda p: "买家赢" in p.inner_text("main"))
    shot(desk, "order-disputed")
    until(sharer, sharer.url, lambda p: "付款被银行退回给买家" in p.inner_text("main"))
    assert purse(sharer, "held", until=lambda x: x == ZERO) != earned
    proof = json.loads(tongzhou(mall, "ledger", "verify", "--json").stdout)
    assert proof["ok"], proof["problems"]


def test_an_inviter_is_put_right_by_two_people(phone, chromium, mall):
    newcomer(phone, "13710005021", "邀请的舟")
    newcomer(phone, "13710005022", "被邀的人")
    first, second = console(chromium, mall, "13800000001"), console(chromium, mall, "13800000003")
    first.goto("/console/members?q=13710005022")
    first.locator("a[href^='/console/members/']", has_text="被邀的人").first.click()
    first.wait_for_url(re.compile(r"/console/members/[0-9a-f-]{36}"))
    member = first.url
    first.goto(f"{member}/rebind")
    first.fill("#f-inviter", "13710005021")
    first.fill("#f-reason", "他是邀请的舟带来的，注册时没有填码。")
    first.click("form.panel button.btn--primary")
    first.goto("/console/sharing/bindings")
    mine = first.locator("section.panel", has_text="注册时没有填码")
    assert mine.locator("button[value=confirm]").count() == 0, "nobody confirms their own"
    second.goto("/console/sharing/bindings")
    second.locator("section.panel", has_text="注册时没有填码").locator("button[value=confirm]").click()
    second.wait_for_load_state()
    shot(second, "bindings")
    second.goto(f"{member}/rebind")
    assert "邀请的舟" in second.inner_text("main")
    assert second.locator("ol.timeline li").count() >= 2, "both steps are in the audit"
