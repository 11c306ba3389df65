"""What the mall owes suppliers: arises on delivery, in the supplier's own book, and shrinks with returns."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Draw, Fill, Leg, PostingRequest
from tongzhou.suppliers.payables import take_newest
from tongzhou.suppliers.values import SuppliedLine, SuppliedLines


@command()
def on_supplied(facts: Sequence[SuppliedLines], at: datetime) -> None:
    """Bring each line's payable to where its newest snapshot says: cost × units kept ÷ units delivered.

    Older snapshots are ignored, the newest is booked as target − standing (money.md law 8), so facts
    may come late, twice or in any order.
    """
    lines: dict[UUID, tuple[UUID, datetime, SuppliedLine]] = {}
    for fact in facts:
        for line in fact.lines:
            kept = lines.get(line.line_id)
            if line.cost_minor > 0 and (kept is None or line.version > kept[2].version):
                lines[line.line_id] = (fact.supplier_id, fact.effective_at, line)
    fresh = take_newest([(i, supplier, line.version) for i, (supplier, _a, line) in lines.items()])
    chosen = [lines[i] for i in lines if i in fresh]
    standing = books.standing_many([(supplier, line.line_id) for supplier, _a, line in chosen], ["expense.goods"])
    requests = []
    for supplier, when, line in chosen:
        have = standing[supplier, line.line_id].get("expense.goods", 0)
        leg = _leg(line, have)
        if leg:
            reference = f"supply:{line.line_id}:{line.version}"
            requests.append(PostingRequest(supplier, "supply", reference, line.line_id, (leg,), when, "supplier"))
    ledger.post_many(requests, by=SYSTEM, at=at)


def _leg(line: SuppliedLine, standing: int) -> Leg | None:
    units = line.delivered_units
    target = line.cost_minor * max(0, units - line.refunded_units) // units if units else 0
    if target > standing:
        return Fill("expense.goods", "payable.supplier", target - standing, nets="receivable.supplier")
    if target < standing:
        return Draw("payable.supplier", "receivable.supplier", "expense.goods", standing - target)
    return None
