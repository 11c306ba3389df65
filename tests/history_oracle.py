"""What an import of orders.csv must lead to, worked out a second time; imports nothing of the project.

``python tests/history_oracle.py ORDERS.csv MEMBERS.csv [RATE_BP]`` prints the totals as JSON, to be compared with
``tongzhou rewards summary --by sharer --json`` after the same files went in under a ``binding_first`` plan that
pays RATE_BP (1000) of what was paid for a line.
"""

import csv
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path


@dataclass
class Line:
    """One bought line and what is left of it."""

    order: str
    at: datetime
    buyer: str
    sharer: str
    units: int
    paid: int
    back_units: int = 0
    back: int = 0


def minor(price: str, quantity: str) -> int:
    """The line in minor units, half up."""
    return int((Decimal(price) * int(quantity) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def replay(orders: Path, members: Path, rate_bp: int = 1000) -> dict[str, object]:
    """Totals of sales, refunds and rewards, and rewards by sharer (the caller's keys)."""
    inviter: dict[str, str] = {}
    with members.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["inviter"]:
                inviter.setdefault(row["member"], row["inviter"])
    documents: dict[str, list[dict[str, str]]] = {}
    with orders.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            documents.setdefault(row["order_no"], []).append(row)
    ordered = sorted(documents.values(), key=lambda d: (d[0]["placed_at"], d[0]["kind"] != "sale", d[0]["order_no"]))
    bought: dict[tuple[str, str], list[Line]] = defaultdict(list)
    lines: list[Line] = []
    unmatched = 0
    for rows in ordered:
        at = datetime.fromisoformat(rows[0]["placed_at"])
        for row in rows:
            units, buyer = int(row["quantity"]), row["buyer"]
            amount = minor(row["unit_price"], row["quantity"])
            if row["kind"] == "sale" and units > 0:
                lines.append(Line(row["order_no"], at, buyer, inviter.get(buyer, ""), units, amount))
                bought[buyer, row["sku"]].append(lines[-1])
            elif row["kind"] == "refund":
                unmatched += _refund(bought[buyer, row["sku"]] if buyer else [], at, abs(units), abs(amount))
    return _totals(lines, unmatched, rate_bp)


def _refund(candidates: list[Line], at: datetime, units: int, amount: int) -> int:
    """First in, first out, at most what was paid; returns what matched nothing."""
    for line in candidates:
        free = line.units - line.back_units
        if units == 0 or free == 0 or line.at > at:
            continue
        take = min(units, free)
        part = amount if take == units else amount * take // units
        part = min(part, line.paid - line.back)
        line.back_units, line.back = line.back_units + take, line.back + part
        units, amount = units - take, amount - part
    return amount


def _totals(lines: list[Line], unmatched: int, rate_bp: int) -> dict[str, object]:
    earned: dict[str, int] = defaultdict(int)
    left: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.sharer and line.sharer != line.buyer:
            earned[line.sharer] += line.paid * rate_bp // 10_000
            left[line.sharer] += (line.paid - line.back) * rate_bp // 10_000
    earned = {k: v for k, v in earned.items() if v}
    return {
        "sales_minor": sum(x.paid for x in lines), "refunds_minor": sum(x.back for x in lines),
        "unmatched_minor": unmatched, "earned_minor": sum(earned.values()), "left_minor": sum(left.values()),
        "sharers": {k: {"earned_minor": earned[k], "left_minor": left[k]} for k in sorted(earned)},
    }  # fmt: skip


if __name__ == "__main__":
    rate = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    json.dump(replay(Path(sys.argv[1]), Path(sys.argv[2]), rate), sys.stdout, indent=1)
