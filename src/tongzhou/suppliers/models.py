"""Suppliers: reference data, few rows, read by every page."""

from enum import StrEnum
from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class Status(StrEnum):
    """A paused supplier's goods stay visible to operators and cannot be published."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


MOVES = {Status.ACTIVE: frozenset({Status.PAUSED}), Status.PAUSED: frozenset({Status.ACTIVE})}


class Supplier(models.Model):
    """Who owns goods and ships them; its id is also its book's id in the ledger."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True, default="")
    contact = models.CharField(max_length=200, blank=True, default="")
    status = models.CharField(max_length=8, choices=[(s, s) for s in Status], default=Status.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "suppliers_supplier"


class SuppliedSeen(models.Model):
    """The newest snapshot of an order line that was booked for its supplier; older ones are ignored."""

    placement: ClassVar[str] = "book"
    line_id = models.UUIDField(primary_key=True)
    supplier_id = models.UUIDField()
    version = models.PositiveIntegerField()

    class Meta:
        db_table = "suppliers_seen"
