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


def search(text: str = "", limit: int = 30) -> list[Carrier]:
    """Carriers whose name or code holds the text, the common ones first."""
    low = text.strip().lower()
    return [c for c in all_carriers().values() if low in c.name.lower() or low in c.code][:limit]
