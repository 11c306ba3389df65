"""What the mall owes suppliers: arises on delivery, in the supplier's own book, and shrinks with returns."""

from collections.abc import Sequence
from datetime import datetime

from tongzhou.kit.actor import SYSTEM
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Draw, Fill, Leg, PostingRequest
from tongzhou.suppliers.models import SuppliedSeen
from tongzhou.suppliers.values import SuppliedLine


def on_supplied(lines: Sequence[SuppliedLine], at: datetime) -> None:
    """Bring each line's payable to where its newest snapshot says: cost × units kept ÷ units sold.

    Older snapshots are ignored, the newest is booked as target − standing (money.md law 8), so facts
    may come late, twice or in any order.
    """
    newest: dict[object, SuppliedLine] = {}
    for line in lines:
        kept = newest.get(line.line_id)
        if line.cost_minor > 0 and (kept is None or line.version > kept.version):
            newest[line.line_id] = line
    if not newest:
        return
    seen = dict(SuppliedSeen.objects.filter(line_id__in=newest).values_list("line_id", "version"))
    fresh = [line for line in newest.values() if line.version > seen.get(line.line_id, 0)]
    standing = books.standing_many([(line.supplier_id, line.line_id) for line in fresh], ["expense.goods"])
    requests = []
    for line in fresh:
        kept_units = line.quantity - line.returned_units if line.delivered else 0
        target = line.cost_minor * kept_units // line.quantity
        have = standing[line.supplier_id, line.line_id].get("expense.goods", 0)
        leg: Leg | None = None
        if target > have:
            leg = Fill("expense.goods", "payable.supplier", target - have, nets="receivable.supplier")
        elif target < have:
            leg = Draw("payable.supplier", "receivable.supplier", "expense.goods", have - target)
        if leg:
            requests.append(
                PostingRequest(
                    line.supplier_id, "supply", f"supply:{line.line_id}:{line.version}", line.line_id, (leg,),
                    line.effective_at, "supplier",
                )
            )  # fmt: skip
    ledger.post_many(requests, by=SYSTEM, at=at)
    SuppliedSeen.objects.bulk_create(
        [SuppliedSeen(line_id=line.line_id, supplier_id=line.supplier_id, version=line.version) for line in fresh],
        update_conflicts=True,
        unique_fields=["line_id"],
        update_fields=["version"],
    )
