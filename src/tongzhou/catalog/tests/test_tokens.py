"""The tokenizer: whatever stands in a name is found by it."""

from hypothesis import given
from hypothesis import strategies as st

from tongzhou.catalog.search.sqlite import spelled
from tongzhou.catalog.tokens import Term, index_tokens, is_han, normal, query_terms

han = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12)
names = st.text(st.sampled_from("武夷肉桂岩茶罐装礼盒 ABCaz019-·（）é𠮷々アー"), max_size=30)


def found(query, name):
    tokens = index_tokens(name)
    return all(any(t.startswith(q.token) if q.prefix else t == q.token for t in tokens) for q in query_terms(query))


def test_a_chinese_run_is_characters_and_bigrams():
    assert index_tokens("岩茶罐") == ["岩", "岩茶", "茶", "茶罐", "罐"]
    assert query_terms("茶") == [Term("茶")]
    assert query_terms("岩茶罐") == [Term("岩茶"), Term("茶罐")]


def test_words_and_figures_are_prefixes():
    assert query_terms("Rou 100") == [Term("rou", True, heard=True), Term("100", True)]
    assert found("roug", "Wuyi Rougui") and not found("ougui", "Wuyi Rougui")


def test_width_case_and_accents_do_not_matter():
    assert index_tokens("ＣＡＦÉ") == index_tokens("cafe") == ["cafe"]
    assert found("t恤", "纯棉Ｔ恤衫") and found("T 恤", "纯棉t恤衫")


def test_a_bigram_never_spans_two_texts_or_a_gap():
    assert "茶罐" not in index_tokens("岩茶", "罐装") and "茶罐" not in index_tokens("岩茶 罐装")


def test_nothing_to_look_for():
    assert query_terms("  ·，！ ") == [] == index_tokens("…")


@given(names, st.data())
def test_every_chinese_substring_is_found(name, data):
    flat = normal(name)
    starts = [i for i, c in enumerate(flat) if is_han(c)]
    if not starts:
        return
    start = data.draw(st.sampled_from(starts))
    end = start
    while end < len(flat) and is_han(flat[end]) and end - start < 5:
        end += 1
    word = flat[start : data.draw(st.integers(start + 1, end))]
    assert found(word, name)


@given(han, han)
def test_a_name_without_a_words_characters_is_not_found(word, name):
    if not set(word) & set(name):
        assert not found(word, name)


@given(st.text(max_size=80))
def test_tokens_are_letters_and_digits_whatever_goes_in(text):
    for token in [*index_tokens(text), *(t.token for t in query_terms(text))]:
        assert token and all(c.isalnum() or is_han(c) for c in token)
        assert "'" not in token and '"' not in token and "\\" not in token


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4), min_size=2, max_size=2))
def test_spelling_keeps_tokens_apart_and_prefixes_whole(tokens):
    a, b = tokens
    if a.isascii() == b.isascii():
        assert (spelled(a) == spelled(b)) == (a == b)
    assert spelled(a + b).startswith(spelled(a)) or (a.isascii() and b.isascii())
    assert spelled(a).isascii()
