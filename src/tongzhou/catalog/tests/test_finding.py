"""What a query may mean besides its letters: the other script, a reading, a synonym, a slip of the finger."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongzhou.catalog import commands, queries
from tongzhou.catalog.commands import searching
from tongzhou.catalog.models import SearchDay, Synonym
from tongzhou.catalog.sounds import heard_tokens
from tongzhou.catalog.tests.making import AT, BY, a_category, a_product
from tongzhou.catalog.tokens import HEARD, index_tokens, normal
from tongzhou.catalog.values import Sieve
from tongzhou.kit.refusals import Refusal

pytestmark = pytest.mark.django_db


def found(query, **more):
    return [c.title for c in queries.search(query, discount_bp=0, **more).items]


def test_either_script_finds_the_other():
    a_product("tea", title="武夷岩茶 礼盒")
    a_product("fan", title="電風扇 靜音")
    assert found("武夷巖茶") == found("岩茶禮盒"[:2]) == ["武夷岩茶 礼盒"]
    assert found("电风扇") == found("電風扇") == found("静音") == ["電風扇 靜音"]


@pytest.mark.parametrize(
    "query", ["yancha", "YanCha", "wuyi", "wyyc", "yc", "yan cha", "wuyiyancha", "rougu", "guiyan"]
)
def test_a_name_is_found_by_how_it_sounds_from_any_character_on(query):
    a_product("tea", title="武夷肉桂岩茶" if "rou" in query or "gui" in query else "武夷岩茶", title_en="")
    a_product("cup", title="白瓷盖碗", title_en="")
    assert len(found(query)) == 1, query


def test_what_is_spelled_comes_before_what_only_sounds_so():
    a_product("door", title="木门")
    a_product("shirt", title="衬衫", title_en="Men shirt")
    a_product("later", title="铁门")
    assert found("men") == ["衬衫", "铁门", "木门"]
    assert found("m") == ["衬衫"], "a single letter is not a reading"


def test_readings_follow_the_phrase_and_stop_at_other_letters():
    assert HEARD + "chongqinghuoguo" in heard_tokens("重庆火锅") and HEARD + "cqhg" in heard_tokens("重庆火锅")
    assert HEARD + "lvcha" in heard_tokens("绿茶") and HEARD + "lucha" in heard_tokens("绿茶")
    assert not any("guihe" in t for t in heard_tokens("肉桂 盒装")), "never across a gap"
    assert heard_tokens("T-shirt 100 カップ 한국") == []


def test_synonyms_are_each_other_and_can_be_taken_back():
    a_product("tomato", title="番茄炒锅", title_en="Tomato pan")
    a_product("other", title="西红柿 五斤", title_en="Tomatoes")
    a_product("notebook", title="笔记本", title_en="Laptop computer")
    assert found("西红柿") == ["西红柿 五斤"]
    commands.set_synonyms(groups=[["番茄", "西红柿"], ["laptop", "notebook computer"]], by=BY, at=AT)
    assert found("西红柿") == ["西红柿 五斤", "番茄炒锅"] and found("番茄炒锅") == ["番茄炒锅"]
    assert found("notebook computer") == ["笔记本"]
    assert found("番茄 五斤") == ["西红柿 五斤"]
    commands.set_synonyms(groups=[], by=BY, at=AT)
    assert found("西红柿") == ["西红柿 五斤"]


@pytest.mark.parametrize(
    "groups", [[["茶"]], [["茶", "茶 "]], [["茶", "，"]], [["茶", "茗"], ["茗", "荈"]], [[f"词{i}" for i in range(13)]]]
)
def test_faulty_synonyms_are_refused_by_group_and_nothing_is_kept(groups):
    commands.set_synonyms(groups=[["番茄", "西红柿"]], by=BY, at=AT)
    with pytest.raises(Refusal) as refused:
        commands.set_synonyms(groups=groups, by=BY, at=AT)
    assert refused.value.errors[0].field == f"groups[{len(groups)}]"
    assert [s.words for s in Synonym.objects.all()] == [["番茄", "西红柿"]]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("gaiwen", "gaiwan"), ("gaiwn", "gaiwan"), ("gaaiwan", "gaiwan"), ("giawan", "gaiwan"), ("porcelian cup", "porcelain cup"),
     ("porcelqim", "porcelain")],
)  # fmt: skip
def test_a_slip_of_the_finger_is_understood_and_said(typed, meant):
    a_product("cup", title="盖碗", title_en="Gaiwan porcelain cup")
    result = queries.search(typed, discount_bp=0)
    assert (result.corrected, [c.title for c in result.items]) == (meant, ["盖碗"])
    assert result.query == typed


@pytest.mark.parametrize("typed", ["cap", "qqqqqq", "盖完", "12345"])
def test_what_is_far_or_short_is_not_guessed(typed):
    a_product("cup", title="盖碗", title_en="Gaiwan cup")
    result = queries.search(typed, discount_bp=0)
    assert (result.corrected, result.count) == ("", 0)


def test_what_is_found_as_typed_is_never_corrected():
    a_product("cup", title="盖碗", title_en="Gaiwan")
    a_product("odd", title="杯", title_en="Gaiwen")
    result = queries.search("gaiwen", discount_bp=0)
    assert (result.corrected, [c.title for c in result.items]) == ("", ["杯"])


def test_facets_say_what_the_hits_are_made_of_in_one_query(django_assert_num_queries):
    tea, cups = a_category(), a_category("cups", None, "杯壶")
    for i in range(5):
        a_product(f"t{i}", title="岩茶", prices=(1500 + 1000 * i,), category_id=tea, brand="武夷" if i < 3 else "")
    a_product("c", title="岩茶杯", prices=(30_000,), category_id=cups)
    queries.facets("岩茶", discount_bp=0)
    with django_assert_num_queries(2):  # and the stamp of the synonyms
        facets = queries.facets("岩茶", discount_bp=0)
    assert facets.categories == ((tea, 5), (cups, 1)) and facets.brands == (("武夷", 3),)
    assert facets.prices == ((0, 2_000, 1), (2_000, 5_000, 3), (5_000, 10_000, 1), (20_000, 50_000, 1))
    for low, high, count in facets.prices:
        hits = queries.search("岩茶", discount_bp=0, sieve=Sieve(price_from_minor=low, price_below_minor=high))
        assert hits.count == count, "a count is what choosing it gives"
    assert queries.search("岩茶", discount_bp=0, sieve=Sieve(brands=("武夷",))).count == 3


def test_searches_are_counted_by_day_and_nobody_is_named():
    for day, n in ((0, 2), (1, 1)):
        for _ in range(n):
            commands.remember_search(query=" 岩茶 ", found=3, at=AT + timedelta(days=day))
    commands.remember_search(query="鱼竿", found=0, at=AT)
    for private in ("13812341234", "TZ26071400001234", "，"):
        commands.remember_search(query=private, found=0, at=AT)
    since = AT.date()
    assert queries.popular_searches(since) == [("岩茶", 3)]
    assert queries.searches(since) == [("岩茶", 3, 3), ("鱼竿", 1, 0)]
    assert queries.searches(since, nothing=True) == [("鱼竿", 1, 0)]
    assert {f.name for f in SearchDay._meta.fields} == {"id", "day", "query", "times", "found"}


def test_the_index_can_be_made_anew_and_says_whether_it_must():
    a_product("tea", title="武夷岩茶")
    assert not commands.index_is_current()
    told = []
    assert commands.reindex(tell=lambda n, of: told.append((n, of)), batch=1) == 1 and told == [(1, 1)]
    assert commands.index_is_current() and found("yancha") == ["武夷岩茶"]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=30), st.text(max_size=30))
def test_folding_is_its_own_fixed_point_and_keeps_tokens_of_letters(a, b):
    assert normal(normal(a)) == normal(a)
    assert all(t.startswith(HEARD) and t[1:].isascii() and t[1:].isalpha() for t in heard_tokens(a, b))
    assert all(HEARD not in t for t in index_tokens(a, b))


def test_one_group_is_added_and_taken_away_and_what_is_wrong_changes_nothing():
    a_product("tomato", title="番茄炒锅", title_en="Tomato pan")
    group = commands.add_synonyms(words=["番茄", " 西红柿 ", "番茄"], by=BY, at=AT)
    assert queries.synonym_groups() == [(group, ["番茄", "西红柿"])] and found("西红柿") == ["番茄炒锅"]
    for words in (["西红柿", "洋柿子"], ["一个"], [], ["…", "！"], [f"词{n}" for n in range(13)]):
        with pytest.raises(Refusal) as said:
            commands.add_synonyms(words=words, by=BY, at=AT)
        assert said.value.code == "synonyms_invalid" and said.value.field == "words"
    commands.drop_synonyms(group_id=group, by=BY, at=AT)
    assert found("西红柿") == [] and not Synonym.objects.exists()
    with pytest.raises(Refusal) as said:
        commands.drop_synonyms(group_id=group, by=BY, at=AT)
    assert said.value.code == "synonyms_not_found"


def test_what_looks_like_a_person_is_not_counted():
    for text in ("13900000672", "lin@example.com", "TZ26112174470033", "。。"):
        commands.remember_search(query=text, found=0, at=AT)
    assert not SearchDay.objects.exists()


def test_a_name_is_found_by_the_shelves_above_it_and_by_their_new_names():
    top = a_category("drinks", None, "茶饮")
    leaf = a_category("puer", top, "普洱")
    a_product("cake", title="勐海七子饼", title_en="", category_id=leaf)
    a_product("green", title="绿茶", category_id=a_category("other", None, "杂货"))
    assert found("茶") == ["绿茶", "勐海七子饼"], "what is called so comes first"
    assert found("七子饼 茶") == found("drinks 普洱") == ["勐海七子饼"]
    commands.save_category(category_id=top, name="冲饮", name_en="Drinks", by=BY, at=AT)
    assert found("茶") == ["绿茶"] and found("冲饮") == ["勐海七子饼"]
    commands.save_category(category_id=leaf, name="普洱", by=BY, at=AT)
    assert found("冲饮") == [], "moved away from under it"


def test_a_large_shelf_renamed_is_written_anew_by_the_worker_in_turns(monkeypatch):
    monkeypatch.setattr(searching, "AT_ONCE", 2)
    tea = a_category()
    for i in range(5):
        a_product(f"p{i}", title=f"饼 {i}", title_en="", category_id=tea)
    commands.reindex()
    assert commands.reindex_due(at=AT) == 0
    commands.save_category(category_id=tea, name="叶子", by=BY, at=AT)
    assert not commands.index_is_current() and found("叶子") == []
    assert commands.reindex_due(at=AT, most=2, batch=2) == 2 and not commands.index_is_current()
    assert commands.reindex_due(at=AT, most=100, batch=2) == 3 and commands.index_is_current()
    assert len(found("叶子")) == 5


def test_a_turn_overtaken_by_another_name_calls_nothing_current(monkeypatch):
    monkeypatch.setattr(searching, "AT_ONCE", 0)
    tea = a_category()
    a_product("p", title="饼", title_en="", category_id=tea)
    refresh = searching.shelf.refresh

    def overtaken(ids):
        refresh(ids)
        monkeypatch.setattr(searching.shelf, "refresh", refresh)
        commands.save_category(category_id=tea, name="叶子", by=BY, at=AT)

    monkeypatch.setattr(searching.shelf, "refresh", overtaken)
    commands.reindex_due(at=AT)
    assert not commands.index_is_current()
    commands.reindex_due(at=AT)
    assert commands.index_is_current() and found("叶子") == ["饼"]
