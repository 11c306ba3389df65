"""The one tokenizer of search: what goes into the index, and what a query asks of it.

Text is NFKC, lower case, without diacritics, its Traditional characters folded to Simplified one by
one. A run of Chinese (or kana, hangul) becomes its single
characters and its bigrams; a run of other letters and digits becomes one word. A query's Chinese
run asks for all its bigrams, or for the one character; a word asks for its prefix. Every name that
contains a Chinese query as a substring therefore contains all its tokens: nothing is missed, which
a trigram index cannot say of one- and two-character words.

Names are also indexed as they sound (``catalog.sounds``), under a mark of their own: a Latin word of a
query may be the beginning of a word or of a reading.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache

import opencc

MOST_TERMS = 24
MOST_WORD = 40
MOST_QUERY = 100
HEARD = "\ue000"  # begins every token of how a name sounds; a private-use character, so no text has it

_RANGES = (
    (0x3005, 0x3007), (0x3040, 0x30FF), (0x3105, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x323AF),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """One thing a document must contain: the token itself, or any token it begins; ``heard``: or any reading."""

    token: str
    prefix: bool = False
    heard: bool = False

    @property
    def ways(self) -> tuple[str, ...]:
        """The tokens any of which satisfies the term."""
        return (self.token, HEARD + self.token) if self.heard else (self.token,)


class _Simple(dict[int, str]):
    """Each Traditional character and the Simplified one it folds to, asked of OpenCC once per process."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        simple: str = _t2s().convert(char) if is_han(char) else char
        self[code] = simple if len(simple) == 1 else char
        return self[code]


@cache
def _t2s() -> "opencc.OpenCC":
    return opencc.OpenCC("t2s")


_SIMPLE = _Simple()


def normal(text: str) -> str:
    """NFKC, lower case, diacritics dropped, Traditional folded: what both sides compare."""
    flat = unicodedata.normalize("NFKC", text).casefold()
    if flat.isascii():
        return flat
    # Kana and hangul lose their voicing or fall apart under NFKD, so only the other letters are opened up.
    opened = "".join(
        c
        if is_han(c)
        else "".join(p for p in unicodedata.normalize("NFKD", c) if not unicodedata.category(p).startswith("M"))
        for c in flat
    )
    return unicodedata.normalize("NFKC", opened).casefold().translate(_SIMPLE)


def is_han(char: str) -> bool:
    """Whether a character belongs to a script written without spaces."""
    code = ord(char)
    return code >= 0x3005 and any(low <= code <= high for low, high in _RANGES)


def runs(text: str) -> list[tuple[bool, str]]:
    """The text's runs in order: (Chinese or not, letters)."""
    out: list[tuple[bool, str]] = []
    kind: bool | None = None
    start = 0
    flat = normal(text)
    for i, char in enumerate([*flat, " "]):
        now = True if is_han(char) else False if char.isalnum() else None
        if now != kind:
            if kind is not None:
                out.append((kind, flat[start:i]))
            kind, start = now, i
    return out


def index_tokens(*texts: str) -> list[str]:
    """Every token of the texts, each once, in order of first sight. Bigrams never span two texts."""
    seen: dict[str, None] = {}
    for text in texts:
        for han, run in runs(text):
            if not han:
                seen[run[:MOST_WORD]] = None
                continue
            for i, char in enumerate(run):
                seen[char] = None
                if i + 1 < len(run):
                    seen[run[i : i + 2]] = None
    return list(seen)


def _may_be_heard(word: str) -> bool:
    """Whether a word may be pinyin or initials: two Latin letters or more and nothing else."""
    return len(word) > 1 and word.isascii() and word.isalpha()


def query_terms(query: str) -> list[Term]:
    """What a document must contain, all of it; empty when the query has no letters or digits."""
    seen: dict[Term, None] = {}
    for han, run in runs(query[:MOST_QUERY]):
        if not han:
            seen[Term(run[:MOST_WORD], prefix=True, heard=_may_be_heard(run))] = None
        elif len(run) == 1:
            seen[Term(run)] = None
        else:
            for i in range(len(run) - 1):
                seen[Term(run[i : i + 2])] = None
    return list(seen)[:MOST_TERMS]
