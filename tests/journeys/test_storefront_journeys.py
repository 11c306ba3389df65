"""The storefront in a real browser: every behaviour of the bank, a return after payout, keyboard, accessibility.

Pictures of the pages land in ``var/journeys`` (or where TONGZHOU_SHOTS says).
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.test_main_story import ROOT, console, fill_address, sign_in, tongzhou

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SHOTS = Path(os.environ.get("TONGZHOU_SHOTS", ROOT / "var" / "journeys"))


def shot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


def order(page, slug, *, first=False):
    """Buys one of a product as whoever is signed in, up to the bank's own page; returns the order's number."""
    page.goto(f"/products/{slug}#pick")
    page.click("#pick button[name=buy]")
    page.wait_for_url("**/checkout?sku=*")
    if first:
        fill_address(page, "航行者")
    page.click("#checkout button.btn--primary")
    page.wait_for_url(re.compile(r"/orders/TZ\d+/pay$"))
    no = re.search(r"TZ\d+", page.url)[0]
    page.click("form[action$='/payments'] button.btn--primary")
    page.wait_for_url(re.compile(r"/pay\?"))
    return no


def choose(page, behaviour):
    page.click(f"button[value={behaviour}]")
    page.wait_for_url(re.compile(r"/orders/TZ\d+/paid"))


def settled(page, *, tries=60):
    """Waits until the page back from the bank knows."""
    for _ in range(tries):
        if not page.locator("[data-poll]").count():
            return
        page.wait_for_timeout(500)
    pytest.fail("the payment was never confirmed")


def newcomer(phone, number, name="航行者"):
    page = phone("zh-CN")
    sign_in(page, number, name)
    page.wait_for_url(re.compile(r"/me$"), wait_until="commit")
    return page


def test_every_behaviour_of_the_bank_ends_in_a_page_that_says_so(phone, mall):
    page = newcomer(phone, "13710005001")
    no = order(page, "honey", first=True)
    choose(page, "fail")
    settled(page)
    assert "没有付成" in page.inner_text("h1")
    shot(page, "pay-failed")
    page.click("a[href$='/pay']")
    page.click("form[action$='/payments'] button.btn--primary")
    page.wait_for_url(re.compile(r"/pay\?"))
    choose(page, "twice")
    settled(page)
    assert "付好了" in page.inner_text("h1") and "你的钱在哪" in page.inner_text("main")
    shot(page, "pay-succeeded")
    page.goto(f"/orders/{no}")
    assert page.locator("text=已付款 ¥").count() == 1, "three notifications are one payment"

    order(page, "honey")
    choose(page, "late")
    assert "正在确认付款" in page.inner_text("h1")
    shot(page, "pay-waiting")
    settled(page, tries=100)
    assert "付好了" in page.inner_text("h1"), "the page asked by itself"

    wrong = order(page, "honey")
    choose(page, "wrong")
    page.wait_for_timeout(3000)
    page.goto(f"/orders/{wrong}")
    assert "等你付款" in page.inner_text("h1"), "one cent too little pays nothing"
    assert page.locator("text=已付款 ¥").count() == 0
    proof = json.loads(tongzhou(mall, "ledger", "verify", "--json").stdout)
    assert proof["ok"], proof["problems"]


def later(mall, days):
    """What time does by itself: windows pass, and what was held becomes available."""
    code = (
        "import os,django;os.environ.setdefault('DJANGO_SETTINGS_MODULE','tongzhou.config.settings');django.setup();"
        "from datetime import timedelta;from tongzhou.kit import clock;from tongzhou.rewards import commands;"
        f"print(commands.mature_due(at=clock.now()+timedelta(days={days})))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=mall[1], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]


def deliver(desk, buyer, no):
    desk.goto(f"/console/orders/{no}")
    desk.fill("#f-carrier", "韵达")
    desk.fill("#f-tracking_no", f"YD{no[-10:]}")
    desk.click("button[value=ship]")
    desk.wait_for_load_state()
    buyer.goto(f"/orders/{no}")
    shot(buyer, "order-on-the-way")
    buyer.click("form[action$='/receive'] button")
    buyer.wait_for_load_state()


def purse(page, stage, *, until, tries=60):
    """The figure of one stop of the river, waited for."""
    stops = {"expected": 0, "held": 1, "available": 2, "paid": 3}
    for _ in range(tries):
        page.goto("/earn")
        figure = page.locator(".river__stop b").nth(stops[stage]).inner_text()
        if until(figure):
            return figure
        page.wait_for_timeout(400)
    pytest.fail(f"{stage} stayed {figure}")


def release(first, second, payout, net):
    """Two people, two keys; the second writes what is paid."""
    first.goto(f"/console/payouts/release?id={payout}")
    first.click("button[value=release]")
    first.wait_for_load_state()
    second.goto(f"/console/payouts/release?id={payout}")
    second.fill("#f-net", net)
    second.click("button[value=release]")
    second.wait_for_load_state()


def test_a_return_after_the_payout_becomes_a_receivable_and_is_netted(phone, chromium, mall):
    sharer, friend = newcomer(phone, "13710004001", "顾小舟"), phone("zh-CN")
    sharer.goto("/products/desk-lamp/share")
    sharer.fill("#words", "光很柔，晚上看书不累。")
    sharer.click("form:has(#words) button")
    sharer.wait_for_load_state()
    shot(sharer, "share")
    assert sharer.locator(".preview .vouch").inner_text().count("光很柔") == 1
    friend.goto(sharer.input_value("#url"))
    assert "光很柔" in friend.inner_text(".vouch") and "顾小舟" in friend.inner_text(".vouch")
    shot(friend, "landing")
    friend.goto("/products/desk-lamp#pick")
    friend.click("#pick button[name=buy]")
    sign_in(friend, "13710004002", "买灯人")
    friend.wait_for_url("**/checkout?sku=*")
    fill_address(friend, "买灯人")
    shot(friend, "checkout")
    friend.click("#checkout button.btn--primary")
    friend.wait_for_url(re.compile(r"/pay$"))
    no = re.search(r"TZ\d+", friend.url)[0]
    friend.click("form[action$='/payments'] button.btn--primary")
    friend.wait_for_url(re.compile(r"/pay\?"))
    choose(friend, "pay")
    settled(friend)
    zero = "¥0.00"
    earned = purse(sharer, "expected", until=lambda x: x != zero)
    desk = console(chromium, mall, "13800000001")
    money = console(chromium, mall, "13800000002")
    deliver(desk, friend, no)
    assert purse(sharer, "held", until=lambda x: x != zero) == earned
    later(mall, 40)
    assert purse(sharer, "available", until=lambda x: x != zero) == earned
    shot(sharer, "earn-available")

    sharer.goto("/earn/payout")
    sharer.fill("#n", "顾小舟")
    sharer.fill("#a", "6222020000001234567")
    sharer.fill("#b", "1990-05-01")
    sharer.click("form:has(#n) button.btn--primary")
    sharer.fill("#amount", earned.lstrip("¥"))
    sharer.click("form:has(#amount) button.btn--primary")
    sharer.wait_for_load_state()
    shot(sharer, "payout-asked")
    money.goto("/console/payouts?view=REQUESTED")
    row = money.locator("tr:has(input[name=id])", has_text=earned).first
    payout = row.locator("input[name=id]").get_attribute("value")
    release(desk, money, payout, earned.lstrip("¥"))
    assert purse(sharer, "paid", until=lambda x: x != zero) == earned
    shot(sharer, "earn-paid")

    friend.goto(f"/orders/{no}/return")
    friend.locator("select[name^=units-]").first.select_option("1")
    friend.click("form button.btn--primary")
    friend.wait_for_url("**/returns/AS*")
    case = re.search(r"AS\d+", friend.url)[0]
    desk.goto(f"/console/cases/{case}")
    desk.click("button[value=approve]")
    friend.goto(f"/returns/{case}")
    friend.fill("#no", "YD20260715009")
    friend.click("form:has(#no) button.btn--primary")
    desk.goto(f"/console/cases/{case}")
    desk.click("button[value=sound]")
    for _ in range(60):
        sharer.goto("/earn")
        if sharer.locator(".note--wait").count():
            break
        sharer.wait_for_timeout(400)
    assert f"还差 {earned}" in sharer.inner_text(".note--wait"), "what was paid out for goods sent back is owed"
    shot(sharer, "earn-receivable")
    friend.goto(f"/returns/{case}")
    shot(friend, "case")

    friend.goto(sharer_link(sharer))
    second = order(friend, "desk-lamp")
    choose(friend, "pay")
    settled(friend)
    deliver(desk, friend, second)
    purse(sharer, "held", until=lambda x: x != zero)
    later(mall, 40)
    for _ in range(60):
        sharer.goto("/earn")
        if not sharer.locator(".note--wait").count():
            break
        sharer.wait_for_timeout(400)
    assert not sharer.locator(".note--wait").count(), "the next reward nets what was owed"
    assert sharer.inner_text(".purse__sum") == zero, "and pays it exactly"
    shot(sharer, "earn-netted")
    proof = json.loads(tongzhou(mall, "ledger", "verify", "--json").stdout)
    assert proof["ok"], proof["problems"]


def sharer_link(page):
    page.goto("/products/desk-lamp/share")
    return page.input_value("#url")


def test_the_keyboard_is_enough_to_find_choose_and_put_in(phone):
    page = phone("zh-CN")
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.goto("/products/towel#pick")
    page.focus("#pick input[name=o0]:checked")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#pick input[name=o0]:checked") == "雾粉"
    page.focus("#pick input[name=o1]:checked")
    page.keyboard.press("ArrowDown")
    assert "没有这个组合" in page.inner_text("[data-left]") and page.is_disabled("#pick button[name=add]")
    page.keyboard.press("ArrowUp")
    assert page.is_enabled("#pick button[name=add]")
    page.focus("#pick button[name=add]")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is seen"
    page.keyboard.press("Enter")
    page.wait_for_url("**/cart")
    assert "雾粉" in page.inner_text("main")


def test_the_search_field_suggests_and_obeys_the_keyboard(chromium, mall):
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN", base_url=mall[0])
    page = context.new_page()
    page.goto("/")
    field = page.locator("form[role=search] input").first
    field.press_sequentially("茶")
    page.wait_for_selector("[role=option]")
    assert field.get_attribute("aria-expanded") == "true" and serious(page, "", stay=True) == []
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true" and "茶" in chosen.inner_text()
    page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false" and field.input_value() == "茶"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/(categories|products)/"))
    page.goto("/search?q=茶")
    page.locator(".sieve label", has_text="现在有货").click()
    page.wait_for_url("**stock=1")
    page.locator(".chip[aria-current=true]").click()
    page.wait_for_url(lambda url: "stock" not in url)
    context.close()


def test_a_picture_opens_large_by_keyboard_and_without_script(chromium, mall):
    for script in (True, False):
        context = chromium.new_context(
            viewport={"width": 1280, "height": 900}, locale="zh-CN", base_url=mall[0], java_script_enabled=script
        )
        page = context.new_page()
        page.goto("/products/towel")
        page.focus("a.gallery__zoom")
        page.keyboard.press("Enter")
        assert page.locator(".zoom").first.is_visible()
        before = page.locator(".zoom img").first.bounding_box()["width"]
        page.locator(".zoom__more").first.click()
        assert page.locator(".zoom img").first.bounding_box()["width"] > 1.5 * before
        if script:
            assert serious(page, "", stay=True) == []
            page.keyboard.press("Escape")
            assert page.evaluate("document.activeElement.className") == "gallery__zoom", (
                "the focus is back where it was"
            )
        else:
            page.locator(".zoom [data-close]").first.click()
        assert not page.locator(".zoom").first.is_visible()
        context.close()


def test_filters_work_in_a_drawer_and_without_script(chromium, mall):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", base_url=mall[0], java_script_enabled=False
    )
    page = context.new_page()
    for path in ("/search?q=茶", "/categories/tea"):
        page.goto(path)
        page.locator("a.chip[href='#filter']").click()
        page.locator("#filter label", has_text="现在有货").click()
        page.locator("#filter button").click()
        page.wait_for_url("**stock=1**")
        assert page.locator(".chip[aria-current=true]", has_text="现在有货").count() == 1
    page.fill("form[role=search] input", "茶")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=**")
    context.close()


PUBLIC = ("/", "/categories/tea", "/search?q=茶", "/search?q=茶&stock=1", "/categories/tea?stock=1#filter", "/search?q=肉桂粉", "/products/towel", "/products/towel#pick", "/popular", "/new", "/sign-in",
          "/help/rewards", "/earn", "/nope")  # fmt: skip
PRIVATE = ("/me", "/orders", "/earn", "/earn/payout", "/earn/invite", "/products/wok/share", "/me/addresses", "/cart",
           "/checkout?sku={sku}&quantity=1", "{order}", "{order}/return", "{why}")  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(chromium, mall, theme):
    for size, language in (((390, 844), "zh-CN"), ((1280, 900), "en")):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, locale=language, base_url=mall[0], bypass_csp=True
        )  # fmt: skip
        page = context.new_page()
        found = [(path, *v) for path in PUBLIC for v in serious(page, path)]
        sign_in(page, "139000001" + ("10" if theme == "light" else "11") if language == "en" else "13900000112")
        page.wait_for_url(re.compile(r"/me$"), wait_until="commit")
        page.goto("/products/towel")
        named = {"sku": page.locator("#pick input[type=radio]").first.get_attribute("value")}
        page.goto("/products/honey")
        named["sku"] = page.locator("#pick [name=sku]").first.get_attribute("value")
        page.goto("/orders")
        named["order"] = page.locator("a.strip").first.get_attribute("href")
        page.goto("/earn")
        entry = page.locator("a.entry")
        named["why"] = entry.first.get_attribute("href") if entry.count() else "/earn"
        found += [(path, *v) for path in PRIVATE for v in serious(page, path.format(**named))]
        context.close()
        assert not found, found


def serious(page, path, *, stay=False):
    if not stay:
        page.goto(path)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{path} is {wide} px too wide"
    page.wait_for_timeout(400)  # what fades in has come to rest
    report = Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"][:160]) for v in report if v["impact"] in ("serious", "critical")]


def test_a_refused_field_is_not_red_any_more_once_it_is_mended(phone):
    page = newcomer(phone, "13700003911")
    page.goto("/products/honey#pick")
    page.click("#pick button[name=buy]")
    page.wait_for_url("**/checkout?sku=*")
    page.click("#checkout button.btn--primary")
    page.wait_for_selector("#errors")
    field, said = page.locator("#receiver"), page.locator("#receiver-e")
    assert field.get_attribute("aria-invalid") == "true" and said.is_visible()
    field.fill("航行者")
    assert field.get_attribute("aria-invalid") is None and not said.is_visible()
    assert page.locator("#phone").get_attribute("aria-invalid") == "true", "the others still wait"
    page.select_option("#level0", "33")
    page.wait_for_selector("#level1:visible")
    assert page.locator("select[aria-invalid]").count() == 0
    page.fill("#phone", "13700003911")
    page.fill("#detail", "竞舟路 98 号")
    assert page.locator("[aria-invalid]").count() == 0 and not page.locator("#errors").is_visible()


def test_the_cashier_says_until_when_and_counts_nothing_down(phone):
    page = newcomer(phone, "13700003912")
    page.goto("/products/honey#pick")
    page.click("#pick button[name=buy]")
    page.wait_for_url("**/checkout?sku=*")
    fill_address(page, "航行者")
    page.click("#checkout button.btn--primary")
    page.wait_for_url(re.compile(r"/pay$"))
    until = page.locator("[data-ends]")
    first = until.inner_text()
    assert re.fullmatch(r"为你留到 \d\d:\d\d", first.replace("\xa0", " ")) or "月" in first
    page.wait_for_timeout(2100)
    assert until.inner_text() == first and page.locator("[role=timer]").count() == 0
