"""A fact of one room as values of a room below it: the only place that knows both."""

from uuid import UUID

from tongzhou.orders.events import OrderFact
from tongzhou.suppliers.values import SuppliedLine, SuppliedLines


def supplied(fact: OrderFact) -> list[SuppliedLines]:
    """An order's lines, grouped by supplier, as what each supplier has delivered and got back."""
    groups: dict[UUID, list[SuppliedLine]] = {}
    for line in fact.lines:
        if line.cost_minor:
            delivered = line.quantity if line.delivered_at else 0
            groups.setdefault(line.supplier_id, []).append(
                SuppliedLine(line.line_id, line.cost_minor, delivered, line.refunded_quantity, line.version)
            )
    return [SuppliedLines(fact.order_id, s, tuple(lines), fact.happened_at) for s, lines in groups.items()]
