"""How a Chinese name sounds: pinyin and initials, so that ``yancha`` and ``yc`` find 岩茶.

From every character on, the syllables that follow are one token (``wuyirougui``, ``yirougui`` …), and
so are their initials (``wyrg``, ``yrg`` …). A query's word is compared with their beginnings, hence any
part of a name that starts at a character is found. Readings are pypinyin's, by phrase.
"""

from tongzhou.catalog.tokens import HEARD, MOST_WORD, is_han, normal

AHEAD = 8  # syllables of a name that one token spans


def heard_tokens(*texts: str) -> list[str]:
    """Every reading token of the texts, each once, marked."""
    seen: dict[str, None] = {}
    for text in texts:
        for run in _han_runs(normal(text)):
            for token in _of_run(run):
                seen[HEARD + token] = None
    return list(seen)


def _han_runs(text: str) -> list[str]:
    return "".join(c if is_han(c) else " " for c in text).split()


def _of_run(run: str) -> list[str]:
    from pypinyin import lazy_pinyin  # its dictionaries are large, and only the index needs them

    out = []
    syllables = [s if s.isascii() and s.isalpha() else "" for s in lazy_pinyin(run, errors=lambda _rest: " ")]
    for start in range(len(syllables)):
        ahead = syllables[start : start + AHEAD]
        if "" in ahead:
            ahead = ahead[: ahead.index("")]
        if not ahead:
            continue
        spelled = "".join(ahead)[:MOST_WORD]
        out += [spelled, "".join(s[0] for s in ahead)]
        if "v" in spelled:  # 绿 is typed lv by some and lu by others
            out.append(spelled.replace("v", "u"))
    return out
