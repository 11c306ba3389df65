"""A sheet of parcels: read, checked line by line against the orders, and then sent off, each line by itself."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from tongzhou.fulfilment import commands as fulfilment
from tongzhou.fulfilment.queries import Carrier
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import Refusal, conflict, invalid
from tongzhou.orders import queries as orders

if TYPE_CHECKING:
    from tongzhou.orders.models import Order

MOST_LINES = 500
_HEADS = {"order_no", "order", "no", "订单号", "单号"}


@dataclass(frozen=True, slots=True)
class Parcel:
    """One line of the sheet: what it says, the order it means, and why it cannot go when it cannot."""

    line: int
    no: str
    carrier: str
    tracking_no: str
    order: "Order | None" = None
    known: Carrier | None = None
    units: int = 0
    refusal: Refusal | None = None
    done: bool = False


def read(text: str) -> list[Parcel]:
    """Lines of ``order_no, carrier, tracking_no`` (comma, tab or semicolon; a head line is skipped).

    *Refuses:* ``sheet_empty``, ``sheet_too_long``.
    """
    clean = text.replace("\ufeff", "").replace("，", ",").replace("\t", ",").replace(";", ",")
    found = []
    for number, cells in enumerate(csv.reader(StringIO(clean)), start=1):
        parts = [c.strip() for c in cells]
        if not any(parts) or parts[0].lower() in _HEADS:
            continue
        no, carrier, tracking = (*parts, "", "", "")[:3]
        found.append(Parcel(number, no.upper(), carrier, tracking))
    if not found:
        raise invalid("sheet_empty", _("发货单是空的。"), field="sheet", fix=_("每行写：订单号,快递,运单号。"))
    if len(found) > MOST_LINES:
        raise invalid("sheet_too_long", _("一次最多 500 行。"), field="sheet", value=len(found), fix=_("分成几次发。"))
    return found


def preview(sheet: Iterable[Parcel]) -> list[Parcel]:
    """The same lines with what would happen to each; two queries, nothing is changed."""
    rows = list(sheet)
    found = orders.orders_by_no([r.no for r in rows])
    lines = orders.lines_of([o.id for o in found.values()])
    seen: set[str] = set()
    out = []
    for row in rows:
        order = found.get(row.no)
        try:
            known, number = fulfilment.check_parcel(row.carrier, row.tracking_no)
            units = _units(row, order, lines, seen)
            out.append(replace(row, order=order, known=known, tracking_no=number, units=units))
        except Refusal as refusal:
            out.append(replace(row, order=order, refusal=refusal))
        seen.add(row.no)
    return out


def _units(row: Parcel, order: "Order | None", lines: dict[Any, list[Any]], seen: set[str]) -> int:
    if order is None:
        raise invalid("order_not_found", _("没有这个订单。"), field="order", value=row.no)
    if row.no in seen:
        raise conflict("order_twice", _("这个订单在上面已经有一行。"), field="order", value=row.no)
    if order.status not in ("PAID", "SHIPPED"):
        raise conflict("order_not_shippable", _("这个订单现在不能发货。"), field="order", value=order.status)
    units: int = sum(
        line.quantity - line.shipped_quantity - line.refunded_quantity
        for line in lines[order.id]
        if line.kind == "goods"
    )
    if units <= 0:
        raise conflict("nothing_to_ship", _("这个订单没有要发的商品。"), field="order", value=row.no)
    return units


def send(sheet: Iterable[Parcel], *, by: Actor, at: datetime) -> list[Parcel]:
    """Send off what can go; each line is a transaction of its own, so that one that fails holds up no other."""
    out = []
    for row in preview(sheet):
        if row.refusal is None and row.order is not None and row.known is not None:
            try:
                fulfilment.ship(
                    order_id=row.order.id, carrier=row.known.code, tracking_no=row.tracking_no, by=by, at=at
                )
                row = replace(row, done=True)
            except Refusal as refusal:
                row = replace(row, refusal=refusal)
        out.append(row)
    return out
