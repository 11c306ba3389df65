"""Payees and payouts."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tongzhou.kit.ids import new_id


class Payee(models.Model):
    """Where a member's money goes: legal name and account, encrypted; asked for before the first payout only."""

    placement: ClassVar[str] = "member"
    member_id = models.UUIDField(primary_key=True)
    sealed = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "payouts_payee"


class Status(StrEnum):
    """A payout's life."""

    REQUESTED = "REQUESTED"
    CHECKED = "CHECKED"
    RELEASED = "RELEASED"
    SENT = "SENT"
    PAID = "PAID"
    FAILED = "FAILED"
    REJECTED = "REJECTED"


MOVES = {
    Status.REQUESTED: frozenset({Status.CHECKED, Status.REJECTED}),
    Status.CHECKED: frozenset({Status.RELEASED, Status.REJECTED}),
    Status.RELEASED: frozenset({Status.SENT}),
    Status.SENT: frozenset({Status.PAID, Status.FAILED}),
    Status.PAID: frozenset[Status](),
    Status.FAILED: frozenset[Status](),
    Status.REJECTED: frozenset[Status](),
}
OPEN = (Status.REQUESTED, Status.CHECKED, Status.RELEASED, Status.SENT)


class Payout(models.Model):
    """One payout of one member. ``net + tax + fee = gross``; the bill number never changes."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member_id = models.UUIDField()
    bill_no = models.CharField(max_length=32, unique=True)
    rail = models.CharField(max_length=16)
    gross_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    tax_year = models.PositiveSmallIntegerField(null=True)
    tax_months = models.PositiveSmallIntegerField(null=True)
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.REQUESTED)
    reason = models.CharField(max_length=200, blank=True, default="")
    rail_txn = models.CharField(max_length=64, blank=True, default="")
    requested_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_payout"
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_minor__gt=0)
                & Q(tax_minor__gte=0)
                & Q(gross_minor__gte=F("tax_minor") + F("fee_minor")),
                name="payouts_amounts",
            ),
            models.UniqueConstraint(
                fields=["member_id"],
                name="payouts_one_open",
                condition=Q(status__in=["REQUESTED", "CHECKED", "RELEASED", "SENT"]),
            ),
        ]
        indexes = [
            models.Index(fields=["member_id", "-id"], name="payouts_member"),
            models.Index(fields=["status", "id"], name="payouts_queue"),
        ]

    @property
    def net_minor(self) -> int:
        """What arrives."""
        return self.gross_minor - self.tax_minor - self.fee_minor


class Release(models.Model):
    """One of the two people who let a payout go."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField()
    by_id = models.UUIDField()
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        db_table = "payouts_release"
        constraints = [
            models.UniqueConstraint(fields=["payout", "step"], name="payouts_release_step"),
            models.UniqueConstraint(fields=["payout", "by_id"], name="payouts_release_person"),
        ]
