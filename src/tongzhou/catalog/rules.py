"""Prices, options and slugs: pure functions, integers only."""

import re
import unicodedata
from collections.abc import Sequence

BP = 10_000
MOST_PRICE = 10**11  # a billion major units: beyond any goods, and safe in every sum of a 64-bit column
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MOST_OPTIONS = 3
MOST_SKUS = 200


def member_price(list_price_minor: int, member_price_minor: int | None, discount_bp: int) -> int:
    """What a member pays: the SKU's own member price, else list − ⌊list × discount⌋; never above list.

    Example: list 7900, no own price, 500 bp → 7900 − 395 = 7505.
    """
    if member_price_minor is not None:
        return min(member_price_minor, list_price_minor)
    return list_price_minor - list_price_minor * discount_bp // BP


def reference_cap(deals_7d: Sequence[int], last_deal: int | None = None) -> int | None:
    """The most an undocumented reference price may say: the lowest deal of the previous 7 days, else the last deal.

    Source: domain.md §5 (规范促销行为暂行规定 art. 20 gives "original price" this meaning). None: there
    was never a deal, so nothing may be crossed out. Example: 199, 179, 189 → 179; none, last 210 → 210.
    """
    return min(deals_7d) if deals_7d else last_deal


def shown_reference(
    list_price: int, deals: Sequence[int], *, price: int, last_deal: int | None = None, documented: bool = False
) -> int | None:
    """The crossed-out price beside ``price``, or None where none may be shown.

    A documented list price (its basis is written on the product) is shown as it is; an undocumented
    one at most at the cap. Crossing out what is not higher than the price says nothing, so it is left out.
    """
    cap = list_price if documented else reference_cap(deals, last_deal)
    if cap is None:
        return None
    shown = min(list_price, cap)
    return shown if shown > price else None


def slugify(text: str, *, most: int = 80) -> str:
    """Lower-case ASCII words joined by hyphens; empty when nothing of the text is ASCII."""
    flat = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", flat).strip("-")[:most].strip("-")


def option_text(values: Sequence[str]) -> str:
    """How a SKU's options read in one line: 罐装 · 中足火."""
    return " · ".join(v for v in values if v)


def has_control(text: str) -> bool:
    """Whether a text holds characters that no database column or CSV cell should (NUL, escapes, lone surrogates)."""
    return any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" for c in text)


def clean_text(text: str, *, lines: bool = False) -> str:
    """A text without control characters, spaces squeezed; ``lines`` keeps line breaks."""
    kept = "".join(
        c if unicodedata.category(c) not in {"Cc", "Cs"} or (c == "\n" and lines) else " "
        for c in text.replace("\r\n", "\n")
    )
    if lines:
        return "\n".join(re.sub(r"[^\S\n]+", " ", line).strip() for line in kept.split("\n")).strip()
    return re.sub(r"\s+", " ", kept).strip()
