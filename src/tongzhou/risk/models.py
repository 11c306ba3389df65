"""Signals as keyed hashes, settings that were changed, and holds with everything that happened to them."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from tongzhou.kit.ids import new_id


class Instrument(models.Model):
    """One device, account, address … as a keyed hash, and how many members were seen with it."""

    placement: ClassVar[str] = "local"
    id = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=10)
    members = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "risk_instrument"


class Signal(models.Model):
    """A member was seen with an instrument. Kept for as long as its kind may be, then deleted."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member_id = models.UUIDField()
    instrument_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=10)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "risk_signal"
        constraints = [models.UniqueConstraint(fields=["member_id", "instrument_id"], name="risk_signal_once")]
        indexes = [
            models.Index(fields=["instrument_id", "-last_at"], name="risk_signal_instrument"),
            models.Index(fields=["kind", "last_at"], name="risk_signal_age"),
        ]


class Baseline(models.Model):
    """The median return rate of a category's buyers, worked out nightly."""

    placement: ClassVar[str] = "reference"
    category_id = models.UUIDField(primary_key=True)
    median_bp = models.PositiveIntegerField()
    buyers = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "risk_baseline"


class ChangedSetting(models.Model):
    """A setting somebody set to another value than its default."""

    placement: ClassVar[str] = "reference"
    key = models.CharField(primary_key=True, max_length=40)
    value = models.BigIntegerField()
    by_name = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        db_table = "risk_setting"


class Status(StrEnum):
    """A hold's life. REFUSED may be appealed once; FINAL is the answer to that."""

    DELAYED = "DELAYED"
    OPEN = "OPEN"
    REFUSED = "REFUSED"
    APPEALED = "APPEALED"
    RELEASED = "RELEASED"
    FINAL = "FINAL"


MOVES = {
    Status.DELAYED: frozenset({Status.OPEN, Status.RELEASED, Status.REFUSED}),
    Status.OPEN: frozenset({Status.RELEASED, Status.REFUSED}),
    Status.REFUSED: frozenset({Status.APPEALED}),
    Status.APPEALED: frozenset({Status.RELEASED, Status.FINAL}),
    Status.RELEASED: frozenset[Status](),
    Status.FINAL: frozenset[Status](),
}


class Hold(models.Model):
    """Why one reward does not simply mature: one per reward. ``until`` is when silence decides for the sharer."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward_id = models.UUIDField(unique=True)
    line_id = models.UUIDField()
    order_id = models.UUIDField()
    order_no = models.CharField(max_length=40)
    sharer_id = models.UUIDField()
    buyer_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status])
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_by = models.UUIDField(null=True)
    appealed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "risk_hold"
        constraints = [models.CheckConstraint(condition=Q(score__lte=100), name="risk_hold_score")]
        indexes = [
            models.Index(fields=["status", "id"], name="risk_hold_queue"),
            models.Index(fields=["sharer_id", "-id"], name="risk_hold_sharer"),
            models.Index(fields=["until"], name="risk_hold_due", condition=Q(ended_at=None)),
        ]


class Step(models.Model):
    """One thing that happened to a hold, written once: held, raised, appealed, released, refused, lapsed."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="+")
    sharer_id = models.UUIDField()
    kind = models.CharField(max_length=10)
    text = models.CharField(max_length=600, blank=True, default="")
    score = models.PositiveSmallIntegerField(null=True)
    by_kind = models.CharField(max_length=16)
    by_id = models.UUIDField(null=True)
    by_name = models.CharField(max_length=80, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "risk_step"
