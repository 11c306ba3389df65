"""Tax withheld from payouts to natural persons: pure arithmetic over dated tables (domain.md §6).

All amounts are fen. Every division rounds half up to the fen once, at the end.
"""

import tomllib
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tongzhou.kit.money import BP, round_half_up


@cache
def tables() -> dict[str, Any]:
    """The dated tables (tax_tables.toml)."""
    return tomllib.loads((Path(__file__).parent / "tax_tables.toml").read_text(encoding="utf-8"))


def _bracket(base: Decimal, brackets: Sequence[Sequence[int]]) -> Decimal:
    """Tax of a taxable base by a table of (upper bound or 0, rate, quick deduction)."""
    for upper, rate, quick in brackets:
        if upper == 0 or base <= upper:
            return base * rate / BP - quick
    raise ValueError("a tax table ends with an open bracket")


def due_now(
    cumulative_minor: int, months: int, withheld_minor: int, *, exempt_minor: int = 0, other_minor: int = 0
) -> int:
    """What to withhold now under the cumulative method.

    ``max(0, T(cum × 80 % − exempt − 5,000 × n − other) − withheld)``; ``cumulative_minor`` is this
    year's income from this platform including now, ``months`` the months of service so far.
    *Refuses:* ``ValueError`` for negatives. Source: 国家税务总局公告2025年第16号.
    """
    if min(cumulative_minor, months, withheld_minor, exempt_minor, other_minor) < 0:
        raise ValueError("tax takes no negative numbers")
    table = tables()["cumulative"]
    base = Decimal(cumulative_minor) * (BP - table["deduct_bp"]) / BP - exempt_minor - other_minor
    base -= table["monthly_minor"] * months
    if base <= 0:
        return 0
    return max(0, round_half_up(_bracket(base, table["brackets"])) - withheld_minor)


def cumulative(incomes_minor: Sequence[int]) -> list[int]:
    """What is withheld in each month of a year with these incomes."""
    total = withheld = 0
    out = []
    for month, income in enumerate(incomes_minor, start=1):
        if income < 0:
            raise ValueError("income is not negative")
        total += income
        now = due_now(total, month, withheld) if income else 0
        withheld += now
        out.append(now)
    return out


def one_off(income_minor: int) -> int:
    """What is withheld from one payment under the method before October 2025."""
    if income_minor < 0:
        raise ValueError("income is not negative")
    table = tables()["one_off"]
    if income_minor <= table["flat_until_minor"]:
        base = Decimal(max(0, income_minor - table["flat_minor"]))
    else:
        base = Decimal(income_minor) * (BP - table["deduct_bp"]) / BP
    return round_half_up(_bracket(base, table["brackets"]))


def vat_monthly(gross_minor: int) -> int:
    """VAT of a natural person's month where it is withheld: nothing up to 100,000 yuan net, then 1 % of net.

    A rule of its own, applied only where an operator decides so (default REVIEW).
    """
    if gross_minor < 0:
        raise ValueError("income is not negative")
    table = tables()["vat_withholding"]
    net = Decimal(gross_minor) * BP / (BP + table["rate_bp"])
    if net < table["exempt_until_minor"]:
        return 0
    return round_half_up(net * table["rate_bp"] / BP)
