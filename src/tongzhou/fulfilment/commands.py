"""The verbs of fulfilment: ship, receive."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tongzhou.fulfilment.carriers import Carrier, resolve, search
from tongzhou.fulfilment.models import MOVES, Parcel, ParcelLine, Status
from tongzhou.kit import audit
from tongzhou.kit.actor import SYSTEM, Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal, conflict, invalid
from tongzhou.kit.states import move
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold

log = logging.getLogger("tongzhou.fulfilment")
AUTO_RECEIPT = timedelta(days=10)
_TRACKING = re.compile(r"^[A-Za-z0-9-]{6,32}$")


def check_parcel(carrier: str, tracking_no: str) -> tuple[Carrier, str]:
    """The carrier somebody means and its number as it will be kept. *Refuses:* ``carrier_unknown``, ``tracking_invalid``."""
    known = resolve(carrier)
    if known is None:
        english = (get_language() or "").startswith("en")
        near = [c.name_en if english else c.name for c in search(carrier, 5)] if carrier.strip() else []
        raise invalid(
            "carrier_unknown", _("没有这家快递。"), field="carrier", value=carrier, rule=(", " if english else "、").join(near),
            fix=_("写全名，或者从列表里选一家。"),
        )  # fmt: skip
    number = tracking_no.strip().upper()
    if not _TRACKING.match(number):
        raise invalid(
            "tracking_invalid", _("运单号看起来不对。"), field="tracking_no", value=tracking_no,
            rule=_("6 到 32 位字母、数字或短横"),
        )  # fmt: skip
    return known, number


@transaction.atomic
def ship(
    *, order_id: UUID, carrier: str, tracking_no: str, by: Actor, at: datetime, lines: Mapping[UUID, int] | None = None
) -> UUID:  # fmt: skip
    """Hand a parcel to a carrier: the units given, or everything not shipped and not refunded yet.

    *Refuses:* ``carrier_unknown``, ``tracking_invalid``, ``nothing_to_ship``, ``order_not_shippable``,
    ``already_shipped``.
    """
    known, number = check_parcel(carrier, tracking_no)
    order = sold.order_by_id(order_id)
    units = dict(lines) if lines is not None else {
        line.id: line.quantity - line.shipped_quantity - line.refunded_quantity
        for line in sold.lines_of([order_id])[order_id]
        if line.kind == "goods" and line.quantity > line.shipped_quantity + line.refunded_quantity
        and not (line.amount_minor and line.refunded_minor >= line.amount_minor)  # paid back whole: not sent any more
    }  # fmt: skip
    if not units:
        raise conflict("nothing_to_ship", _("这个订单没有要发的商品。"), field="order", value=order.no)
    orders.mark_shipped(order_id=order_id, quantities=units, by=by, at=at)
    parcel = Parcel(
        id=new_id(), order_id=order_id, buyer_id=order.buyer_id, carrier=known.code, carrier_name=known.name[:60],
        tracking_no=number, shipped_at=at,
    )  # fmt: skip
    Parcel.objects.bulk_create([parcel])
    ParcelLine.objects.bulk_create(
        [ParcelLine(parcel_id=parcel.id, buyer_id=order.buyer_id, line_id=i, quantity=n) for i, n in units.items()]
    )
    audit.record(
        by=by, action="order.ship", subject_kind="order", subject_id=order.no, at=at, carrier=known.code,
        tracking_no=number, units=sum(units.values()),
    )  # fmt: skip
    return parcel.id


@transaction.atomic
def confirm_receipt(*, order_id: UUID, by: Actor, at: datetime, buyer_id: UUID | None = None) -> int:
    """Everything that was shipped of an order has arrived; returns how many lines were delivered now.

    Twice is once. *Refuses:* ``nothing_shipped``, ``order_not_found`` (also for somebody else's).
    """
    order = sold.order_by_id(order_id)
    if buyer_id is not None and order.buyer_id != buyer_id:
        raise conflict("nothing_shipped", _("这个订单没有在路上的包裹。"))
    parcels = Parcel.objects.filter(order_id=order_id)
    if not parcels.exists():
        raise conflict("nothing_shipped", _("还没有发货，不能确认收货。"), field="order", value=order.no)
    move(parcels, Status.RECEIVED, moves=MOVES, received_at=at, received_by=str(by)[:80])
    arrived = [
        line.id for line in sold.lines_of([order_id])[order_id]
        if line.kind == "goods" and line.shipped_quantity > 0 and line.refunded_quantity < line.quantity
        and line.shipped_quantity + line.refunded_quantity >= line.quantity
    ]  # fmt: skip
    if not arrived:
        return 0
    return orders.deliver(order_id=order_id, line_ids=arrived, by=by, at=at)


def receive_due(*, at: datetime, until: datetime | None = None, most: int = 500) -> int:
    """Time confirms what nobody did: parcels shipped ten days ago count as received.

    Each order by itself, and only when its newest parcel is due. ``until`` (default ``at``) is the moment ten days
    are counted back from: a demo looks ahead.
    """
    end = (until or at) - AUTO_RECEIPT
    under_way = Parcel.objects.filter(status=Status.SHIPPED)
    younger = under_way.filter(order_id=OuterRef("order_id"), shipped_at__gt=end)
    due = under_way.filter(~Exists(younger), shipped_at__lte=end).order_by("shipped_at")
    done = 0
    for order_id in dict.fromkeys(due.values_list("order_id", flat=True)[:most]):
        try:
            confirm_receipt(order_id=order_id, by=SYSTEM, at=at)
            done += 1
        except Refusal as refusal:  # one order that cannot be received holds up no other
            log.warning("not received by time: %s", refusal.code, extra={"order": str(order_id)})
    return done
