"""Cells: how a text of a spreadsheet becomes a value, without harm on the way in or out."""

import hashlib
import re
from decimal import Decimal

from tongzhou.catalog.rules import MOST_PRICE, clean_text, slugify
from tongzhou.kit.money import parse_major

_FORMULA = re.compile(r"\s*(?:=|@\w*\(|[+\-](?![\d\s.,])|\|)")
_AMOUNT = re.compile(r"[¥$€£]?\s*(?:\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.\d{1,9})?", re.ASCII)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run this cell instead of showing it."""
    return bool(_FORMULA.match(text))


def text(cell: str, *, most: int, lines: bool = False) -> tuple[str, bool]:
    """A cell as plain text of at most ``most`` characters, and whether it had to be changed.

    One leading apostrophe is a spreadsheet's way to say "text" and goes without a word; the beginning
    of a formula goes too, and that is told.
    """
    value = cell.strip()
    value = (value[1:] if value.startswith("'") else value).strip()
    safe = value
    while is_formula(safe):
        safe = safe.lstrip().lstrip("=@+-|")
    out = clean_text(safe, lines=lines)
    while is_formula(out):  # a control character had hidden it
        out = out.lstrip("=@+-| ")
    return out[:most].strip(), safe != value or len(out) > most


def amount(cell: str, currency: str) -> int | None:
    """A price in minor units, or None for anything that is not one: words, too many decimals, 9,99, below zero."""
    value = unguarded(cell.strip()).strip()
    if not _AMOUNT.fullmatch(value):
        return None
    try:
        minor = parse_major(re.sub(r"\s", "", value), currency)
    except ValueError:
        return None
    return minor if 0 <= minor <= MOST_PRICE else None


def whole(cell: str) -> int | None:
    """A whole number (``3``, ``3.0``, ``-2``), or None."""
    value = unguarded(cell.strip()).strip()
    if not re.fullmatch(r"-?\d{1,12}(?:\.\d{1,6})?", value, re.ASCII):
        return None
    number = Decimal(value)
    return int(number) if number == number.to_integral_value() else None


def guarded(value: str) -> str:
    """A cell for a CSV of ours: what a spreadsheet might run, or read as an apostrophe, gets one in front."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r", "'", "|"} else value


def unguarded(cell: str) -> str:
    """The cell that :func:`guarded` wrote."""
    return cell[1:] if cell.startswith("'") else cell


def slug_of(handle: str) -> str:
    """A slug for any handle: itself when it is one, else its ASCII words and a short mark of what was lost."""
    slug = slugify(handle)
    if slug and slug == handle.strip().lower().replace(" ", "-"):
        return slug
    mark = hashlib.sha256(handle.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{slug or 'p'}-{mark}"


def code_of(handle: str, options: tuple[str, ...]) -> str:
    """The same SKU code each time for a variant that has none: handle and options, marked where letters were lost."""
    said = "-".join([handle, *options])
    code = slugify(said, most=200)
    if code == said.lower().replace(" ", "-") and len(code) <= 60:
        return code
    mark = hashlib.sha256("\x1f".join([handle, *options]).encode("utf-8", "replace")).hexdigest()[:8]
    return f"{code[:50].strip('-') or 'sku'}-{mark}"
