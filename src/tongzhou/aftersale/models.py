"""After-sale cases."""

from enum import StrEnum
from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class Kind(StrEnum):
    """Money only, or goods back and money."""

    REFUND_ONLY = "refund_only"
    RETURN = "return"


class Status(StrEnum):
    """A case's life. A case that ended may be followed by another for what is left."""

    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    RETURNING = "RETURNING"
    REFUNDED = "REFUNDED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


MOVES = {
    Status.REQUESTED: frozenset({Status.APPROVED, Status.REJECTED, Status.WITHDRAWN, Status.REFUNDED}),
    Status.APPROVED: frozenset({Status.RETURNING, Status.REFUNDED, Status.WITHDRAWN}),
    Status.RETURNING: frozenset({Status.REFUNDED, Status.REJECTED, Status.WITHDRAWN}),
    Status.REFUNDED: frozenset[Status](),
    Status.REJECTED: frozenset[Status](),
    Status.WITHDRAWN: frozenset[Status](),
}
OPEN = (Status.REQUESTED, Status.APPROVED, Status.RETURNING)


class Case(models.Model):
    """One request of one buyer about one order."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    no = models.CharField(max_length=24, unique=True)
    order_id = models.UUIDField(db_index=True)
    order_no = models.CharField(max_length=40)
    buyer_id = models.UUIDField()
    kind = models.CharField(max_length=12, choices=[(k, k) for k in Kind])
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.REQUESTED)
    reason = models.CharField(max_length=40)
    note = models.CharField(max_length=400, blank=True, default="")
    amount_minor = models.BigIntegerField()
    answer = models.CharField(max_length=400, blank=True, default="")
    answered_by = models.CharField(max_length=80, blank=True, default="")
    carrier = models.CharField(max_length=40, blank=True, default="")
    tracking_no = models.CharField(max_length=40, blank=True, default="")
    opened_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    refunded_at = models.DateTimeField(null=True)
    money_back_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "aftersale_case"
        indexes = [
            models.Index(fields=["buyer_id", "-id"], name="aftersale_buyer"),
            models.Index(fields=["status", "id"], name="aftersale_queue"),
        ]


class CaseLine(models.Model):
    """What a case is about: units and money of one order line."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    buyer_id = models.UUIDField()
    line_id = models.UUIDField(db_index=True)
    quantity = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "aftersale_case_line"
