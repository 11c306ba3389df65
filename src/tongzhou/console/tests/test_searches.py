"""What people did not find, and what the operator does about it."""

from datetime import timedelta

import pytest
from django.core.signals import request_finished
from django.test import Client

from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.models import SearchDay
from tongzhou.console.tests.desk import open_desk, shopper, sign_in
from tongzhou.kit import audit, clock
from tongzhou.storefront import searched

pytestmark = pytest.mark.django_db


def test_a_search_in_the_shop_is_counted_without_a_name_and_seen_here():
    desk = open_desk()
    for client in (Client(), Client(), shopper(desk.cast.buyer)):
        assert client.get("/search", {"q": "  Hammock "}).status_code == 200
    Client().get("/search", {"q": "肉桂"})
    for query, more in (("肉桂", {"sort": "price"}), ("hammock", {"from": "24"}), ("", {}), ("13900000672", {}),
                        ("lin@example.com", {})):  # fmt: skip
        Client().get("/search", {"q": query, **more})
    rows = {(r.query, r.times, r.found) for r in SearchDay.objects.all()}
    assert rows == {("hammock", 3, 0), ("肉桂", 1, 1)}
    assert {f.name for f in SearchDay._meta.get_fields()} == {"id", "day", "query", "times", "found"}
    client = sign_in("operator")
    nothing = client.get("/console/search").content.decode()
    assert "hammock" in nothing and "肉桂" not in nothing and "words=hammock" in nothing
    assert "肉桂" in client.get("/console/search?view=all&days=7").content.decode()


def test_the_page_shows_how_often_on_how_many_days_and_when_last():
    open_desk()
    at = clock.now()
    for ago, times in ((40, 5), (3, 2), (1, 4)):
        for _ in range(times):
            catalog.remember_search(query="吊床", found=0, at=at - timedelta(days=ago))
    today = clock.mall_day(at)
    [row] = goods.searched(today - timedelta(days=29))
    assert (row.query, row.times, row.days, row.last, row.found) == ("吊床", 6, 2, today - timedelta(days=1), 0)
    assert goods.searched(today - timedelta(days=89))[0].times == 11
    html = sign_in("owner").get("/console/search?days=90").content.decode()
    assert ">11<" in html and ">3<" in html and f"{today - timedelta(days=1)}" in html


def test_synonyms_are_added_and_taken_away_with_an_entry_in_the_trail():
    desk = open_desk()
    client = sign_in("operator")
    assert not goods.search("桂皮茶", discount_bp=0).items
    assert client.post("/console/search/synonyms", {"act": "add", "words": "桂皮茶，肉桂"}).status_code == 302
    assert goods.search("桂皮茶", discount_bp=0).items, "at once, without indexing anew"
    for words, why in (
        ("肉桂、岩茶", "已经在别的组里"),
        ("独一个", "用逗号隔开"),
        ("", "用逗号隔开"),
        ("。，！", "用逗号隔开"),
    ):
        again = client.post("/console/search/synonyms", {"act": "add", "words": words})
        assert again.status_code == 422 and why in again.content.decode(), words
    [(group, words)] = goods.synonym_groups()
    assert words == ["桂皮茶", "肉桂"]
    gone = {"act": "drop", "group": str(group)}
    assert client.post("/console/search/synonyms", gone).status_code == 302
    assert client.post("/console/search/synonyms", gone).status_code == 404
    assert client.post("/console/search/synonyms", {"act": "drop", "group": "x"}).status_code == 422
    assert not goods.synonym_groups() and not goods.search("桂皮茶", discount_bp=0).items
    told = [(e.action, e.detail["words"], e.actor_name) for e in audit.trail("catalog", "synonyms")]
    assert told == [
        ("search.synonyms.removed", "桂皮茶, 肉桂", "operator"),
        ("search.synonyms.added", "桂皮茶, 肉桂", "operator"),
    ]
    assert sign_in("finance").get("/console/search").status_code == 403 and desk


def test_the_page_itself_writes_nothing_it_is_counted_when_it_has_gone_out():
    open_desk()
    request_finished.disconnect(dispatch_uid="storefront.searched")
    try:
        assert Client().get("/search", {"q": "吊床"}).status_code == 200
        assert not SearchDay.objects.exists()
    finally:
        request_finished.connect(searched.write_down, dispatch_uid="storefront.searched")
    Client().get("/help/about")
    assert SearchDay.objects.get().times == 1


def test_an_uncountable_search_still_shows_its_page(monkeypatch):
    from django.db import DatabaseError

    def broken(**_kw):
        raise DatabaseError("locked")

    monkeypatch.setattr(catalog, "remember_search", broken)
    open_desk()
    assert Client().get("/search", {"q": "吊床"}).status_code == 200 and not SearchDay.objects.exists()
