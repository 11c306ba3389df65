"""Carriers with their tracking codes (data/carriers.csv, see data/NOTICE)."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

COMMON = (
    "shunfeng",
    "zhongtong",
    "yuantong",
    "yunda",
    "shentong",
    "jd",
    "ems",
    "youzhengguonei",
    "jtexpress",
    "debangwuliu",
)


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier: the code its trackers know, and its name."""

    code: str
    name: str


@cache
def all_carriers() -> dict[str, Carrier]:
    """Every carrier by code, the common ones first."""
    path = Path(__file__).parent / "data" / "carriers.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = {r["code"].strip(): r["name"].strip() for r in csv.DictReader(file) if r["code"].strip()}
    order = [c for c in COMMON if c in found] + sorted(c for c in found if c not in COMMON)
    return {code: Carrier(code, found[code]) for code in order}


def resolve(text: str) -> Carrier | None:
    """The carrier somebody means: its code, its name, or words that only one of the common ones, or only one of all, has."""
    low = text.strip().lower()
    known = all_carriers()
    if low in known:
        return known[low]
    named = [c for c in known.values() if c.name.lower() == low]
    if named:
        return named[0]
    near = [c for c in known.values() if low and low in c.name.lower()]
    common = [c for c in near if c.code in COMMON]
    return common[0] if len(common) == 1 else near[0] if len(near) == 1 else None


def search(text: str = "", limit: int = 30) -> list[Carrier]:
    """Carriers whose name or code holds the text, the common ones first."""
    low = text.strip().lower()
    return [c for c in all_carriers().values() if low in c.name.lower() or low in c.code][:limit]
