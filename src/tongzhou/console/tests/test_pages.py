"""Every page in both languages: whole, readable, within its statements."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tongzhou.console.tests.desk import open_desk, sign_in

pytestmark = pytest.mark.django_db
# statements each page may take, with something in it; three of them are the session's and the roles', four the side list's
MOST = {
    "": 35, "products": 15, "risk": 14, "risk/settings": 9, "products/new": 12, "products/import": 11, "products/<str:identity>": 20, "orders": 16,
    "orders/ship": 10, "orders/<str:no>": 28, "orders/<str:no>/why": 12, "orders/<str:no>/refund": 12, "search": 9, "search/synonyms": 9, "cases": 15, "disputes": 12, "cases/<str:no>": 18, "payouts": 18, "payouts/files": 11,
    "payouts/settings": 13, "tax": 18, "tax/members/<str:identity>": 11, "plans": 11, "plans/new": 14,
    "plans/file": 8, "plans/law": 11, "plans/<str:identity>": 18, "ledger": 14, "ledger/balance": 13, "ledger/reports": 26, "ledger/accounts/<str:code>": 12,
    "ledger/<str:identity>": 16, "members": 11, "members/<str:identity>": 24, "members/<str:identity>/rebind": 13, "sharing": 30, "sharing/bindings": 9, "audit": 9, "system": 16,
}  # fmt: skip
NAMES = {"武夷肉桂", "岩茶", "五常稻花香", "北田粮仓", "林小满", "沈岚", "顾川", "苏禾", "分享", "两层", "茶饮", "中文", "浙江省杭州市西湖区",
         "竞舟路", "街道", "付款", "快递", "速递", "速运", "物流", "德邦"}  # fmt: skip


def sound(html, path):
    assert len(re.findall(r"<h1[ >]", html)) == 1, path
    assert not re.search(r'\sstyle="', html), path
    assert all("alt=" in img for img in re.findall(r"<img[^>]*>", html)), path
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids)), (path, sorted({i for i in ids if ids.count(i) > 1}))
    for label in re.findall(r'<label[^>]*for="([^"]+)"', html):
        assert label in ids, (path, label)
    for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", html):
        if 'type="hidden"' in tag:
            continue
        named = re.search(r'\sid="([^"]+)"', tag)
        assert "aria-label" in tag or (named and f'for="{named[1]}"' in html) or 'type="checkbox"' in tag, (path, tag)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_is_whole_in_both_languages(language):
    desk, client = open_desk(), sign_in("owner", language)
    for pattern in MOST:
        path = desk.address(pattern)
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        html = answer.content.decode()
        sound(html, path)
        assert len(html) < 150_000, path
        if language == "en":
            text = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|head|option|datalist|textarea|pre).*?</\1>", "", html))
            left = {w for w in re.findall(r"[\u4e00-\u9fff]{2,}", text) if not any(n in w or w in n for n in NAMES)}
            assert not left, (path, left)


def test_pages_stay_within_their_statements():
    desk, client = open_desk(), sign_in("owner")
    over = {}
    for pattern, most in MOST.items():
        client.get(desk.address(pattern))
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.get(desk.address(pattern))
        if len(caught) > most:
            over[pattern] = (len(caught), most)
        for query in caught.captured_queries:
            sql = query["sql"]
            if "COUNT(" in sql and "GROUP BY" not in sql and "LIMIT" not in sql:
                assert re.search(r'(_at|at|day|id)" (>=|=|IN)', sql), (pattern, sql)
    assert not over


def test_a_search_finds_where_the_words_belong():
    desk, client = open_desk(), sign_in("owner")
    for query, where in ((desk.paid, f"/console/orders/{desk.paid}"), (desk.case.lower(), f"/console/cases/{desk.case}"),
                         ("13900000672", "/console/members?q=13900000672"), ("肉桂", "/console/products?q=")):  # fmt: skip
        assert client.get("/console/find", {"q": query})["Location"].startswith(where)
