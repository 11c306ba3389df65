"""Payments, what providers said, and refunds."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tongzhou.kit.ids import new_id


class Status(StrEnum):
    """A payment's life. FAILED may still become SUCCEEDED: providers' facts overtake one another."""

    CREATED = "CREATED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CLOSED = "CLOSED"


MOVES = {
    Status.CREATED: frozenset({Status.SUCCEEDED, Status.FAILED, Status.CLOSED}),
    Status.FAILED: frozenset({Status.SUCCEEDED}),
    Status.CLOSED: frozenset({Status.SUCCEEDED}),
    Status.SUCCEEDED: frozenset[Status](),
}


class RefundStatus(StrEnum):
    """A refund's life. FAILED goes back to REQUESTED when somebody decides to try again.

    DISPUTED: never sent; the payer's bank gave the money back through a chargeback that was lost.
    """

    REQUESTED = "REQUESTED"
    SENT = "SENT"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DISPUTED = "DISPUTED"


REFUND_MOVES = {
    RefundStatus.REQUESTED: frozenset(
        {RefundStatus.SENT, RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.DISPUTED}
    ),
    RefundStatus.SENT: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset({RefundStatus.REQUESTED, RefundStatus.DISPUTED}),
    RefundStatus.SUCCEEDED: frozenset[RefundStatus](),
    RefundStatus.DISPUTED: frozenset[RefundStatus](),
}


class DisputeStatus(StrEnum):
    """A chargeback's life: the provider has taken the money back, and somebody decides."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


DISPUTE_MOVES = {
    DisputeStatus.OPEN: frozenset({DisputeStatus.WON, DisputeStatus.LOST}),
    DisputeStatus.WON: frozenset[DisputeStatus](),
    DisputeStatus.LOST: frozenset[DisputeStatus](),
}


class Payment(models.Model):
    """One attempt to pay one order through one provider. The amount is the mall's, never the client's.

    ``payer_mark`` is a keyed hash of the paying account: two orders paid from one account show the same mark.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order_id = models.UUIDField(db_index=True)
    buyer_id = models.UUIDField()
    provider = models.CharField(max_length=16)
    trade_no = models.CharField(max_length=40, unique=True)
    amount_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    capture_transfer_id = models.UUIDField(null=True)
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.CREATED)
    provider_txn = models.CharField(max_length=64, blank=True, default="")
    payer_mark = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_payment"
        constraints = [
            models.UniqueConstraint(
                fields=["order_id", "provider", "amount_minor"],
                name="payments_one_open",
                condition=Q(status="CREATED"),
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_amount"),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("captured_minor")),
                name="payments_refunded",
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="payments_open", condition=Q(status="CREATED"))]


class Refund(models.Model):
    """Money on its way back to a payment's source, under one number for ever."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    order_id = models.UUIDField(db_index=True)
    buyer_id = models.UUIDField()
    book_kind = models.CharField(max_length=10, default="member")
    refund_no = models.CharField(max_length=40, unique=True)
    reference = models.CharField(max_length=100)
    amount_minor = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=[(s, s) for s in RefundStatus], default=RefundStatus.REQUESTED)
    reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_refund"
        constraints = [
            models.UniqueConstraint(fields=["payment", "reference"], name="payments_refund_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_refund_amount"),
        ]
        indexes = [models.Index(fields=["created_at"], name="payments_refund_open", condition=~Q(status="SUCCEEDED"))]


class Dispute(models.Model):
    """A payer went to the bank: the whole of what the mall still had of one payment was taken back (拒付).

    ``amount_minor`` is what the provider took, ``fee_minor`` its fee that stands. ``unsettled_minor``: after a
    loss, what refunds whose end is not known yet may still have to answer for. ``assumed_fee_minor``: the fee an end
    that overtook its beginning let assume; None once the beginning was heard.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="+")
    order_id = models.UUIDField(db_index=True)
    buyer_id = models.UUIDField()
    book_kind = models.CharField(max_length=10, default="member")
    provider = models.CharField(max_length=16)
    dispute_no = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=[(s, s) for s in DisputeStatus], default=DisputeStatus.OPEN)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    unsettled_minor = models.BigIntegerField(default=0)
    assumed_fee_minor = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=80, blank=True, default="")
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payments_dispute"
        constraints = [
            models.UniqueConstraint(fields=["provider", "dispute_no"], name="payments_dispute_once"),
            models.UniqueConstraint(fields=["payment"], name="payments_dispute_one_open", condition=Q(status="OPEN")),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0) & Q(fee_minor__gte=0) & Q(unsettled_minor__gte=0),
                name="payments_dispute_amounts",
            ),
        ]
        indexes = [
            models.Index(fields=["-opened_at", "-id"], name="payments_dispute_new"),
            models.Index(fields=["opened_at"], name="payments_dispute_waits", condition=Q(status="OPEN")),
        ]
