"""Parcels."""

from enum import StrEnum
from typing import ClassVar

from django.db import models

from tongzhou.fulfilment import carriers
from tongzhou.kit.ids import new_id


class Status(StrEnum):
    """A parcel's life."""

    SHIPPED = "SHIPPED"
    RECEIVED = "RECEIVED"


MOVES = {Status.SHIPPED: frozenset({Status.RECEIVED}), Status.RECEIVED: frozenset[Status]()}


class Parcel(models.Model):
    """One parcel of one order with its carrier and tracking number."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order_id = models.UUIDField(db_index=True)
    buyer_id = models.UUIDField()
    carrier = models.CharField(max_length=40)
    carrier_name = models.CharField(max_length=60)
    tracking_no = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.SHIPPED)
    shipped_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True)
    received_by = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        db_table = "fulfilment_parcel"
        indexes = [models.Index(fields=["shipped_at"], name="fulfilment_due", condition=models.Q(status="SHIPPED"))]

    @property
    def carrier_name_en(self) -> str:
        """The carrier's English name."""
        return carriers.shown(self.carrier, self.carrier_name).name_en


class ParcelLine(models.Model):
    """How many units of an order line travel in a parcel."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, related_name="+")
    buyer_id = models.UUIDField()
    line_id = models.UUIDField(db_index=True)
    quantity = models.PositiveIntegerField()

    class Meta:
        db_table = "fulfilment_parcel_line"
