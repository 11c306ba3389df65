"""The commission of a history, computed again from its files alone: imports nothing of the project.

    python benchmarks/recompute.py ORDERS.csv MEMBERS.csv --rate-bp 500 [--deep-bp 0] [--sample N]

Rules (interfaces.md, money.md): the line's amount is price × quantity rounded half up; a sale of a known
buyer earns the buyer's inviter ⌊amount × rate⌋ a line; a refund is matched first in first out over the
buyer's earlier unrefunded lines of that article, at most what was paid; the reward of a line is then
⌊what still stands × rate⌋. Prints one JSON document: sharer → [earned, reversed] in minor units.
"""

import argparse
import csv
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


@dataclass
class Line:
    """One line that was sold."""

    at: str
    sharers: list[str]
    quantity: int
    amount: int
    refunded_quantity: int = 0
    refunded: int = 0


def minor(price: str, quantity: int) -> int:
    """Price × quantity in minor units, half away from zero."""
    return int((Decimal(price) * quantity * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def documents(path: str) -> list[list[dict[str, str]]]:
    """The rows of each order number, sorted by time, sales before refunds of the same moment."""
    groups: dict[str, list[dict[str, str]]] = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            groups.setdefault(row["order_no"], []).append({k: v.strip() for k, v in row.items()})
    return sorted(groups.values(), key=lambda g: (g[0]["placed_at"], g[0]["kind"] != "sale", g[0]["order_no"]))


def uplines(path: str, depth: int) -> dict[str, list[str]]:
    """member → the inviters above, nearest first."""
    with open(path, encoding="utf-8", newline="") as file:
        parent = {r["member"]: r["inviter"] for r in csv.DictReader(file) if r["inviter"]}
    out: dict[str, list[str]] = {}
    for member in parent:
        chain, here = [], member
        while here in parent and len(chain) < depth:
            here = parent[here]
            chain.append(here)
        out[member] = chain
    return out


def replay(orders: str, members: str, depth: int) -> list[Line]:
    """Every line somebody earned from, with what was refunded of it."""
    above = uplines(members, depth)
    sold: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for rows in documents(orders):
        kind, buyer, at = rows[0]["kind"], rows[0]["buyer"], rows[0]["placed_at"]
        for row in rows:
            quantity = int(row["quantity"])
            if not buyer or kind == "adjustment" or (kind == "sale" and (quantity <= 0 or not row["sku"])):
                continue
            if kind == "sale":
                line = Line(at, above.get(buyer, []), quantity, minor(row["unit_price"], quantity))
                sold[buyer, row["sku"]].append(line)
                continue
            take_back(sold[buyer, row["sku"]], at, abs(quantity), abs(minor(row["unit_price"], quantity)))
    return [line for lines in sold.values() for line in lines if line.sharers]


def take_back(lines: list[Line], at: str, units: int, left: int) -> None:
    """First in, first out, and never more than was paid."""
    for line in lines:
        take = min(units, line.quantity - line.refunded_quantity)
        if units <= 0 or line.at > at or take <= 0:
            continue
        room = line.amount - line.refunded
        share = min(room, left * take // units if take < units else left)
        line.refunded_quantity += take
        line.refunded += share
        units, left = units - take, left - share


def main() -> None:
    """Parse, replay, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("orders")
    parser.add_argument("members")
    parser.add_argument("--rate-bp", type=int, default=500)
    parser.add_argument("--deep-bp", type=int, default=0)
    given = parser.parse_args()
    rates = [given.rate_bp, given.deep_bp] if given.deep_bp else [given.rate_bp]
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for line in replay(given.orders, given.members, len(rates)):
        for who, rate in zip(line.sharers, rates, strict=False):
            earned = line.amount * rate // 10_000
            stands = (line.amount - line.refunded) * rate // 10_000
            sums[who][0] += earned
            sums[who][1] += earned - stands
    json.dump({who: sums[who] for who in sorted(sums) if sums[who][0]}, sys.stdout)


if __name__ == "__main__":
    main()
