"""Tables every room leans on: claims of globally unique values, the audit trail, periodic turns, sent messages."""

from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class Claim(models.Model):
    """A globally unique value taken by somebody: an order number, an idempotency key, a phone.

    Keyed by the value itself, so that uniqueness needs no index across shards. ``input_hash`` tells
    a repeat from a different request under the same key; ``result`` answers the repeat.
    """

    placement: ClassVar[str] = "claim"
    value = models.CharField(primary_key=True, max_length=200)
    owner_id = models.UUIDField(null=True)
    input_hash = models.CharField(max_length=64, blank=True, default="")
    result = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "kit_claim"


class AuditEntry(models.Model):
    """Who did what to which thing, when, and what it looked like before and after. Append-only."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=80, blank=True, default="")
    action = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "kit_audit"
        indexes = [
            models.Index(fields=["-at"], name="kit_audit_at"),
            models.Index(fields=["subject_kind", "subject_id"], name="kit_audit_subject"),
            models.Index(fields=["actor_id", "-at"], name="kit_audit_actor"),
        ]


class PeriodicTurn(models.Model):
    """The last turn of a periodic job; a conditional UPDATE of ``due_at`` decides who takes the next."""

    placement: ClassVar[str] = "local"
    name = models.CharField(primary_key=True, max_length=64)
    due_at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)
    last_result = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        db_table = "kit_periodic_turn"


class SentMessage(models.Model):
    """What the sandbox sender "sent": shown on the demo's pages, kept a day, refused in production."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    to = models.CharField(max_length=64, db_index=True)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "kit_sent_message"
