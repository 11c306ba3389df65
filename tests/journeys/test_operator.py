"""A morning of the operator in a real browser: goods come in, parcels go out, an unlawful plan does not."""

import re
from pathlib import Path

import pytest

from tests.journeys.test_main_story import console, fill_address, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
CASES = Path(__file__).resolve().parents[2] / "src" / "tongzhou" / "compliance" / "tests" / "cases"
SHEET = """Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src
moon-lamp,Moon Lamp,<p>Warm light.<script>alert(1)</script></p>,Lakeside,Lamps,home,TRUE,Size,Small,ML-S,5,128.00,
moon-lamp,,,,,,,,Large,ML-L,3,168.00,
bad-lamp,Bad Lamp,,Lakeside,Lamps,,TRUE,Title,Default Title,BL-1,1,twelve,
"""


def test_goods_come_in_are_priced_and_published(phone, chromium, mall, tmp_path):
    file = tmp_path / "lamps.csv"
    file.write_text(SHEET, encoding="utf-8")
    desk = console(chromium, mall, "13800000001")
    desk.goto("/console/products/import")
    desk.set_input_files("#f-file", str(file))
    desk.click("button[name=dry]")
    desk.wait_for_selector("#notes")
    row = desk.locator("table.list tr", has_text="twelve").first.inner_text()
    assert "Variant Price" in row and "4" in row, row
    desk.goto("/console/products?view=draft")
    assert "Moon Lamp" not in desk.content(), "trying wrote nothing"
    desk.goto("/console/products/import")
    desk.set_input_files("#f-file", str(file))
    desk.click("button[name=dry]")
    desk.click("button[name=go]")
    desk.click("a.btn--primary")
    desk.wait_for_url("**/products?view=draft")
    desk.click("text=Moon Lamp")

    assert desk.inner_text("[data-said]") in ("没有改动", "改动会写进审计。")
    desk.fill("input[name='sku-0-member']", "999")
    assert "1 处没存" in desk.inner_text("[data-said]")
    desk.click("button[name=publish]")
    desk.wait_for_selector(".errors")
    assert desk.evaluate("document.activeElement.className") == "errors", "focus goes to what is wrong"
    assert desk.input_value("input[name='sku-0-member']") == "999"
    desk.click(".errors a")
    assert desk.evaluate("document.activeElement.name") in ("sku-0-member", "") or "#f-skus-0-member" in desk.url
    desk.fill("input[name='sku-0-member']", "118.00")
    desk.fill("input[name='title_en']", "Moon Lamp")
    desk.fill("input[name='title']", "月亮灯")
    desk.click("button[name=publish]")
    desk.wait_for_selector(".note--trust")
    assert "在售" in desk.inner_text("h1")
    page = phone("zh-CN")
    page.goto("/products/moon-lamp")
    assert "月亮灯" in page.inner_text("h1") and "118" in page.content() and "alert(1)" not in page.content()


def test_parcels_go_out_by_the_sheet(phone, chromium, mall):
    friend = phone("zh-CN")
    friend.goto("/products/towel")
    friend.click(".actionbar a.btn--primary")
    friend.click("#pick button[name=buy]")
    sign_in(friend, "13710003001", "毛巾")
    friend.wait_for_url("**/checkout?sku=*")
    fill_address(friend, "毛巾")
    friend.click("#checkout button.btn--primary")
    friend.wait_for_url("**/pay")
    friend.click("button.btn--primary")
    friend.wait_for_url(re.compile(r"/pay\?"))
    friend.click("button[value=pay]")
    friend.wait_for_url(re.compile(r"/orders/TZ\d+/paid"))
    no = re.search(r"TZ\d+", friend.url)[0]
    friend.wait_for_function("!document.querySelector('[data-poll]')")

    desk = console(chromium, mall, "13800000001")
    assert desk.locator(".decide").count(), "it is among today's decisions"
    desk.keyboard.press("/")
    desk.keyboard.type(no)
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/orders/{no}")
    desk.goto("/console/orders")
    desk.locator(f"input[value='{no}']").check()
    assert "已选 1 单" in desk.inner_text(".bulk")
    desk.click(".bulk button")
    desk.wait_for_url("**/orders/ship?**")
    desk.fill("#f-sheet", f"{no},飞毯,YD2026090001")
    desk.click("button:has-text('先看看')")
    assert "没有这家快递" in desk.content() and "飞毯" in desk.input_value("#f-sheet")
    desk.fill("#f-sheet", f"{no},韵达,YD2026090001\nTZ000,韵达,YD2026090002")
    desk.click("button:has-text('先看看')")
    assert "会发生这些" in desk.inner_text("h1") and "没有这个订单" in desk.content()
    desk.click("button[name=go]")
    desk.goto(f"/console/orders/{no}")
    assert "在路上" in desk.inner_text("h1") and "YD2026090001" in desk.content()
    assert desk.locator("#post ~ *, table.list--wide tr").count() > 2, "the money of the order is shown"


def test_unlawful_plans_from_the_form_and_from_a_file_are_refused_with_citations(chromium, mall):
    desk = console(chromium, mall, "13800000001")
    desk.goto("/console/plans/new")
    desk.fill("#f-code", "eight-by-hand")
    for depth in range(4):  # the form grows by two rows with each save
        desk.fill(f"input[name='row-{depth}-rate']", "2")
        desk.fill(f"input[name='row-{depth}-depth']", str(depth + 1))
        desk.select_option(f"select[name='row-{depth}-scope']", "all")
        desk.fill(f"input[name='row-{depth}-key']", "")
    desk.click("button[name=check]")
    assert "CN-DEPTH" in desk.inner_text(".verdict ~ *, .finding >> nth=0") or "CN-DEPTH" in desk.content()
    for rows in (6, 8):
        desk.click("button[name=save]")
        desk.click("a[href*='/plans/new?from=']")
        for depth in range(rows - 2, rows):
            desk.fill(f"input[name='row-{depth}-rate']", "2")
            desk.fill(f"input[name='row-{depth}-depth']", str(depth + 1))
    desk.click("button[name=save]")
    assert desk.locator("table tbody tr td.num:has-text('8')").count(), "eight levels are written down"
    desk.locator("button[value=activate]").click(force=True)
    desk.wait_for_selector(".errors")
    refused = desk.inner_text(".errors")
    assert "禁止传销条例" in refused and refused.count("怎么改") >= 7

    desk.goto("/console/plans/file")
    desk.fill("#f-toml", (CASES / "yearly-fee.toml").read_text(encoding="utf-8"))
    desk.click("button[name=check]")
    assert "不能启用" in desk.inner_text(".verdict") and "CN-FEE" in desk.content() and "CN-HEAD" in desk.content()
    desk.click("button[name=save]")
    desk.wait_for_selector("button[value=activate]")
    desk.locator("button[value=activate]").click(force=True)
    desk.wait_for_selector(".errors")
    assert "草稿" in desk.inner_text("h1")
