"""Tax withheld from payouts to natural persons: pure arithmetic over dated tables (domain.md §6).

All amounts are fen. Every division rounds half up to the fen once, at the end.
"""

import tomllib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tongzhou.kit.money import BP, round_half_up
from tongzhou.payouts.values import Before, Withholding

KINDS = ("cumulative", "one_off", "vat_withholding")


@cache
def tables() -> dict[str, list[dict[str, Any]]]:
    """The dated tables (tax_tables.toml), each kind oldest first."""
    found = tomllib.loads((Path(__file__).parent / "tax_tables.toml").read_text(encoding="utf-8"))
    return {kind: sorted(found[kind], key=lambda t: str(t["valid_from"])) for kind in KINDS}


def table(kind: str, on: date | None = None) -> dict[str, Any] | None:
    """The table of a kind in force on a day; without a day the newest. None when none covers it."""
    rows = tables()[kind]
    if on is None:
        return rows[-1]
    day = on.isoformat()
    fits = [t for t in rows if t["valid_from"] <= day <= t.get("valid_until", "9999-12-31")]
    return fits[-1] if fits else None


def rule_on(day: date) -> tuple[str, dict[str, Any]]:
    """The income-tax method of a day and its table. *Refuses:* ``ValueError`` for a day no table covers."""
    for kind in ("cumulative", "one_off"):
        found = table(kind, day)
        if found is not None:
            return kind, found
    raise ValueError(f"no table of tax_tables.toml covers {day}")


def _bracket(base: Decimal, brackets: Sequence[Sequence[int]]) -> Decimal:
    """Tax of a taxable base by a table of (upper bound or 0, rate, quick deduction)."""
    for upper, rate, quick in brackets:
        if upper == 0 or base <= upper:
            return base * rate / BP - quick
    raise ValueError("a tax table ends with an open bracket")


def due_now(
    cumulative_minor: int, months: int, withheld_minor: int, *, exempt_minor: int = 0, other_minor: int = 0,
    relief_minor: int = 0, on: date | None = None,
) -> int:  # fmt: skip
    """What to withhold now under the cumulative method.

    ``max(0, T(cum × 80 % − exempt − 5,000 × n − other) − relief − withheld)``; ``cumulative_minor`` is this
    year's income from this platform including now, ``months`` the months of service so far.
    *Refuses:* ``ValueError`` for negatives. Source: 国家税务总局公告2025年第16号.
    """
    if min(cumulative_minor, months, withheld_minor, exempt_minor, other_minor, relief_minor) < 0:
        raise ValueError("tax takes no negative numbers")
    rules = table("cumulative", on)
    if rules is None:
        raise ValueError(f"the cumulative method was not in force on {on}")
    base = Decimal(cumulative_minor) * (BP - rules["deduct_bp"]) / BP - exempt_minor - other_minor
    base -= rules["monthly_minor"] * months
    if base <= 0:
        return 0
    return max(0, round_half_up(_bracket(base, rules["brackets"])) - relief_minor - withheld_minor)


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


def one_off(income_minor: int, *, on: date | None = None) -> int:
    """What is withheld from one income ("once" = one month of it) under the method before October 2025."""
    if income_minor < 0:
        raise ValueError("income is not negative")
    rules = table("one_off", on)
    if rules is None:
        raise ValueError(f"the one-off method was not in force on {on}")
    if income_minor <= rules["flat_until_minor"]:
        base = Decimal(max(0, income_minor - rules["flat_minor"]))
    else:
        base = Decimal(income_minor) * (BP - rules["deduct_bp"]) / BP
    return round_half_up(_bracket(base, rules["brackets"]))


def vat_monthly(gross_minor: int, *, on: date | None = None) -> int:
    """VAT of a natural person's month where it is withheld: nothing up to 100,000 yuan net, then 1 % of net.

    A rule of its own, applied only where finance decides so (default REVIEW).
    """
    if gross_minor < 0:
        raise ValueError("income is not negative")
    rules = table("vat_withholding", on)
    if rules is None:
        return 0
    net = Decimal(gross_minor) * BP / (BP + rules["rate_bp"])
    if net < rules["exempt_until_minor"]:
        return 0
    return round_half_up(net * rules["rate_bp"] / BP)


def withhold(gross_minor: int, *, on: date, before: Before, vat: str = "REVIEW") -> Withholding:
    """What a payout of ``gross_minor`` released on a day has withheld, by the tables of that day.

    ``vat`` is finance's decision: ``WITHHOLD``, ``EXEMPT`` or ``REVIEW`` (none yet; where VAT would fall due,
    ``needs_decision`` says so). Income for income tax is without VAT. VAT that one payout cannot bear is
    taken from the next; both together never exceed the payout.
    """
    kind, rules = rule_on(on)
    due = max(0, vat_monthly(before.month_gross_minor + gross_minor, on=on) - before.month_vat_minor)
    needs = vat == "REVIEW" and due > 0
    value_added = min(due, gross_minor) if vat == "WITHHOLD" else 0
    income = before.gross_minor - before.vat_minor + gross_minor - value_added
    if kind == "cumulative":
        months = on.month - before.first_day.month + 1 if before.first_day else 1
        tax = due_now(income, months, before.tax_minor, on=on)
    else:
        months = 1
        tax = max(0, one_off(income, on=on) - before.tax_minor)
    return Withholding(min(tax, gross_minor - value_added), value_added, f"{kind}@{rules['valid_from']}", months, needs)
