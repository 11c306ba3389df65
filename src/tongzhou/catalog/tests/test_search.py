"""Search on the engine at hand: recall against the substring truth, name first, stable order."""

import csv
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongzhou.catalog import commands, queries
from tongzhou.catalog.tests.making import AT, BY, a_category, a_draft, a_product
from tongzhou.catalog.tokens import is_han
from tongzhou.catalog.values import Sieve, Suggestion

pytestmark = pytest.mark.django_db
DATA = Path(os.environ.get("TONGZHOU_SHARED_DATA", Path(__file__).parents[5] / "shared" / "data"))
NAMES = [
    "武夷肉桂岩茶 罐装", "日式和风懒人沙发", "轻奢纯棉刺绣水洗四件套", "秋冬保暖加厚澳洲羊毛被", "趣味粉彩系列记忆棉坐垫",
    "多功能人体工学转椅", "100年传世珐琅锅", "男式T恤 莫代尔", "清新趣粉系列居家地毯", "一口价茶", "茶", "岩茶岩茶",
]  # fmt: skip


def stock_shelf(names):
    for i, name in enumerate(names):
        saved = commands.save_product(draft=a_draft(f"p-{i}", title=name, title_en=""), by=BY, at=AT)
        commands.publish(product_ids=[saved.id], by=BY, at=AT + timedelta(seconds=i))


def words(names):
    """Every Chinese word of one, two and three characters that occurs in the names."""
    return {
        name[i : i + n]
        for name in names
        for n in (1, 2, 3)
        for i in range(len(name) - n + 1)
        if all(map(is_han, name[i : i + n]))
    }


def found(query, n=100):
    return [c.title for c in queries.search(query, discount_bp=0, limit=n).items]


def test_every_short_chinese_word_finds_every_name_that_contains_it():
    stock_shelf(NAMES)
    missed = {w: {n for n in NAMES if w in n} - set(found(w)) for w in words(NAMES)}
    assert {w: m for w, m in missed.items() if m} == {}


@pytest.mark.slow
def test_recall_over_a_real_chinese_catalog():
    path = DATA / "chinese_catalog" / "goods.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here (set TONGZHOU_SHARED_DATA)")
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    stock_shelf(names)
    chosen = sorted(words(names))[::7]
    missed = {}
    for word in chosen:
        truth = {n for n in names if word in n}
        result = queries.search(word, discount_bp=0, limit=100)
        if len(truth) <= 100:
            gone = truth - {c.title for c in result.items}
            if gone:
                missed[word] = gone
        else:
            assert result.count >= len(truth)
    assert len(chosen) > 300 and missed == {}


def test_the_name_comes_before_what_else_is_said_of_a_product():
    a_product("cup", title="白瓷盖碗", tags=("岩茶",))
    a_product("tea", title="武夷岩茶")
    a_product("scattered", title="岩上的茶 茶岩")
    a_product("set", title="岩茶 礼盒")
    assert found("岩茶") == ["岩茶 礼盒", "武夷岩茶", "白瓷盖碗"]
    assert found("岩茶 礼盒") == ["岩茶 礼盒"] and found("礼盒 岩茶") == ["岩茶 礼盒"]


def test_words_of_any_field_are_found_and_must_all_be_there():
    a_product("cup", title="盖碗", title_en="Gaiwan cup", brand="景德镇", subtitle="一人泡", tags=("送礼",))
    for query in ("gaiw", "GAIWAN", "景德", "人泡", "送礼", "cup-0", "Tea", "盖碗 景德镇"):
        assert found(query) == ["盖碗"], query
    assert found("盖碗 钧窑") == [] == found("iwan")


def test_the_index_follows_edits_and_status():
    saved = a_product("cup", title="盖碗")
    draft = queries.console_product(saved.id).draft
    commands.save_product(draft=replace(draft, title="茶盏"), product_id=saved.id, by=BY, at=AT)
    assert found("盖碗") == [] and found("茶盏") == ["茶盏"]
    commands.unpublish(product_ids=[saved.id], by=BY, at=AT)
    assert found("茶盏") == []


def test_counts_pages_filters_and_sorts(django_assert_max_num_queries):
    tea, cups = a_category(), a_category("cups", None, "杯壶")
    for i in range(7):
        a_product(f"tea-{i}", title="岩茶", prices=(1000 + 100 * i,), category_id=tea if i % 2 else cups)
    with django_assert_max_num_queries(5):  # two ask whether synonyms and shelves changed: every few seconds elsewhere
        result = queries.search("岩茶", discount_bp=0, limit=3, offset=3)
    assert (result.count, result.more, len(result.items)) == (7, False, 3)
    prices = [c.price_minor for c in queries.search("岩茶", discount_bp=0, sort="price").items]
    assert prices == sorted(prices) and len(prices) == 7
    assert queries.search("岩茶", discount_bp=0, sieve=Sieve(categories=(tea,))).count == 3
    assert queries.search("岩茶", discount_bp=0, sieve=Sieve(price_from_minor=1100, price_below_minor=1301)).count == 3
    assert queries.search("岩茶", discount_bp=0, limit=3, offset=99).count == 7


@pytest.mark.parametrize("query", ["", "  ", "·，！", "'", '"', "\\", "%", "\x00", "💰"])
def test_a_query_without_words_finds_nothing_and_breaks_nothing(query):
    a_product()
    result = queries.search(query, discount_bp=0)
    assert (result.count, result.items) == (0, ()) and queries.suggest(query) == []


@pytest.mark.parametrize(
    "query", ["茶' OR 1=1 --", '茶" OR title:*', "岩茶 AND NOT 茶", "NEAR(岩 茶)", "岩 & !茶", "岩:*", "𠮷" * 300]
)
def test_query_languages_of_the_engines_are_just_words(query):
    a_product()
    queries.search(query, discount_bp=0)


def test_suggestions_are_names():
    a_product("tea", title="武夷岩茶")
    a_product("cup", title="盖碗", tags=("武夷",))
    assert queries.suggest("武夷") == [Suggestion("武夷岩茶", "Wuyi Rougui", "tea")]


def test_rare_and_new_characters_are_whole_words():
    a_product("rare", title="𠮷野家 鿍 㐂 カップ한국")
    for query in ("𠮷", "𠮷野", "鿍", "㐂", "カップ", "한국"):
        assert len(found(query)) == 1, query
    assert found("野𠮷") == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=40))
def test_any_query_is_answered(query):
    queries.search(query, discount_bp=0)
    queries.suggest(query)


def test_a_word_that_ends_a_name_and_its_category_come_before_one_inside_another_word(django_assert_max_num_queries):
    tea, skin = a_category("tea", None, "茶饮"), a_category("skin", None, "护肤")
    oolong = a_category("oolong", tea, "乌龙")
    for slug, title, shelf in (
        ("both", "武夷肉桂 岩茶 100g", tea), ("bracket", "老枞水仙茶（罐装）", oolong), ("shelf", "茶叶 50g", oolong),
        ("ends", "面膜 绿茶", skin), ("inside", "山茶花护手霜", skin),
    ):  # fmt: skip
        a_product(slug, title=title, category_id=shelf)
    found("茶")
    with django_assert_max_num_queries(5):  # as above
        titles = found("茶")
    assert set(titles[:2]) == {"武夷肉桂 岩茶 100g", "老枞水仙茶（罐装）"}
    assert set(titles[2:4]) == {"茶叶 50g", "面膜 绿茶"} and titles[4] == "山茶花护手霜"
