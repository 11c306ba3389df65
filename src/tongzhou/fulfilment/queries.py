"""Reads of fulfilment."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tongzhou.fulfilment.carriers import Carrier, resolve, search, shown
from tongzhou.fulfilment.commands import AUTO_RECEIPT
from tongzhou.fulfilment.models import Parcel

__all__ = ["Carrier", "resolve", "search", "shown"]


def parcels_of(order_ids: Sequence[UUID]) -> dict[UUID, list[Parcel]]:
    """Parcels of orders, oldest first."""
    out: dict[UUID, list[Parcel]] = {o: [] for o in order_ids}
    for row in Parcel.objects.filter(order_id__in=order_ids).order_by("shipped_at", "id"):
        out[row.order_id].append(row)
    return out


def received_by_itself_at(order_id: UUID) -> datetime | None:
    """When time will confirm receipt of an order's newest parcel under way; None when none is."""
    newest = Parcel.objects.filter(order_id=order_id, status="SHIPPED").order_by("-shipped_at").first()
    return newest.shipped_at + AUTO_RECEIPT if newest else None
