"""Orders as orders.csv: what `import orders` reads, for another mall or for the accountant.

Goods lines only: freight is not part of the format. A refund of goods and its amount is a row of its own; where only
money went back, its quantity is 1.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.conf import settings

from tongzhou.kit import audit, csvout
from tongzhou.kit.actor import Actor
from tongzhou.kit.money import digits
from tongzhou.orders.history.reading import COLUMNS
from tongzhou.orders.models import Order, OrderLine, RefundRecord
from tongzhou.people import queries as people

CHUNK = 200


def write(out: Path, *, by: Actor, at: datetime) -> int:
    """Write every paid order and its refunds; how many rows. *Refuses:* ``file_unwritable``."""
    count = csvout.write(out, COLUMNS, _rows())
    audit.record(
        by=by, action="orders.export", subject_kind="export", subject_id="orders", at=at, count=count, file=out.name
    )
    return count


def _rows() -> Iterator[tuple[object, ...]]:
    last = None
    while True:
        rows = Order.objects.exclude(paid_at=None).order_by("id")
        found = list((rows.filter(id__gt=last) if last else rows)[:CHUNK])
        if not found:
            return
        ids = [o.id for o in found]
        lines: dict[object, list[OrderLine]] = {}
        for line in OrderLine.objects.filter(order_id__in=ids, kind="goods").order_by("order_id", "position"):
            lines.setdefault(line.order_id, []).append(line)
        refunds: dict[object, list[RefundRecord]] = {}
        for record in RefundRecord.objects.filter(order_id__in=ids).order_by("at", "id"):
            refunds.setdefault(record.order_id, []).append(record)
        parties = {o.buyer_id for o in found if o.book_kind == "member"} | {o.sharer_id for o in found if o.sharer_id}
        logins = people.logins_of(parties)
        for order in found:
            buyer, sharer = logins.get(order.buyer_id, ""), logins.get(order.sharer_id, "") if order.sharer_id else ""
            for line in lines.get(order.id, []):
                yield _row(order.no, order.placed_at, buyer, "sale", "", line, line.quantity, line.amount_minor, sharer)
            for n, record in enumerate(refunds.get(order.id, []), start=1):
                yield from _refund(order, n, record, lines.get(order.id, []), buyer)
        last = found[-1].id


def _refund(
    order: Order, n: int, record: RefundRecord, lines: list[OrderLine], buyer: str
) -> Iterator[tuple[object, ...]]:
    by_id = {str(line.id): line for line in lines}
    old = record.reference.removeprefix(f"refund:{order.id}:")
    no = old if old != record.reference else f"{order.no[:34]}-R{n}"
    for item in record.items:
        line = by_id.get(str(item.get("line")))
        if line:
            units = int(item.get("quantity") or 1)
            yield _row(no, record.at, buyer, "refund", order.no, line, -units, int(item["amount"]), "")


def _row(
    no: str, at: datetime, buyer: str, kind: str, refund_of: str, line: OrderLine, quantity: int, amount_minor: int,
    sharer: str,
) -> tuple[object, ...]:  # fmt: skip
    price = Decimal(amount_minor) / (abs(quantity) * 10 ** digits(settings.CURRENCY))
    shown = format(round(price, 10).normalize(), "f")
    return (
        no, at.isoformat(), buyer, kind, refund_of, line.sku_code, csvout.guarded(line.title), quantity, shown,
        settings.CURRENCY, sharer,
    )  # fmt: skip
