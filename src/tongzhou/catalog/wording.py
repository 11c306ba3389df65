"""What else a query may have meant: synonyms an operator wrote down, and Latin words mistyped by a letter."""

import re
import time
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from rapidfuzz import process
from rapidfuzz.distance import OSA

from tongzhou.catalog.models import SearchWord, Stamp, Synonym
from tongzhou.catalog.tokens import is_han, normal, runs

STAMP = "synonyms"
MOST_WAYS = 8  # the query itself and what synonyms make of it
LEAST_WORD = 4  # shorter words are not corrected: nearly everything is one letter away from them
_TRUST_SECONDS = 5.0
_WORDS_SECONDS = 60.0

_groups: tuple[UUID | None, tuple[tuple[str, ...], ...]] | None = None
_groups_at = 0.0
_words: list[str] = []
_words_at = 0.0


def forget() -> None:
    """Drop what this process remembers; called when synonyms change, and by tests."""
    global _groups, _words, _words_at
    _groups, _words, _words_at = None, [], 0.0


def groups() -> tuple[tuple[str, ...], ...]:
    """The synonym groups, normalised; kept per process under a stamp."""
    global _groups, _groups_at
    now = time.monotonic()
    if _groups is not None and now - _groups_at < _TRUST_SECONDS and not connection.in_atomic_block:
        return _groups[1]
    mark = Stamp.objects.filter(name=STAMP).values_list("mark", flat=True).first()
    if _groups is None or _groups[0] != mark:
        rows = Synonym.objects.order_by("id").values_list("words", flat=True) if mark else ()
        _groups = (mark, tuple(tuple(normal(w) for w in words) for words in rows))
    _groups_at = now
    return _groups[1]


def ways(query: str) -> list[str]:
    """The query, then each variant with one word put for another of its group."""
    flat = " ".join(normal(query).split())
    out = {flat: None}
    for group in groups():
        for word in group:
            for variant in list(out):
                if len(out) >= MOST_WAYS or not _has(variant, word):
                    continue
                for other in group:
                    if other != word and len(out) < MOST_WAYS:
                        out.setdefault(_put(variant, word, other))
    return list(out)


def _has(text: str, word: str) -> bool:
    """Chinese words anywhere; Latin ones as whole words."""
    return word in text if _chinese(word) else re.search(rf"\b{re.escape(word)}\b", text) is not None


def _put(text: str, word: str, other: str) -> str:
    return text.replace(word, other) if _chinese(word) else re.sub(rf"\b{re.escape(word)}\b", lambda _m: other, text)


def _chinese(word: str) -> bool:
    return any(map(is_han, word))


def learn(tokens: Sequence[str]) -> None:
    """Remember the Latin words of what was indexed."""
    fresh = {t for t in tokens if len(t) >= LEAST_WORD and t.isascii() and t.isalpha()}
    SearchWord.objects.bulk_create([SearchWord(word=w) for w in sorted(fresh)], ignore_conflicts=True, batch_size=500)


def corrected(query: str) -> str:
    """The query with each unknown Latin word replaced by the nearest known one; empty when nothing is near.

    One letter wrong, missing, added or swapped in words of four letters and more, two from eight on.
    """
    out, changed = [], False
    vocabulary = _vocabulary()
    for han, run in runs(query):
        near = "" if han else _nearest(run, vocabulary)
        changed = changed or bool(near)
        out.append(near or run)
    return " ".join(out) if changed else ""


def _nearest(word: str, vocabulary: Sequence[str]) -> str:
    if len(word) < LEAST_WORD or not word.isascii() or not word.isalpha():
        return ""
    most = 1 if len(word) < 8 else 2
    alike = [w for w in vocabulary if abs(len(w) - len(word)) <= most]
    found = process.extract(word, alike, scorer=OSA.distance, score_cutoff=most, limit=20)
    near = sorted((distance, candidate) for candidate, distance, _i in found if distance)
    return near[0][1] if near else ""


def _vocabulary() -> list[str]:
    global _words, _words_at
    now = time.monotonic()
    if not _words or now - _words_at > _WORDS_SECONDS or connection.in_atomic_block:
        _words = list(SearchWord.objects.order_by("word").values_list("word", flat=True)[:200_000])
        _words_at = now
    return _words
