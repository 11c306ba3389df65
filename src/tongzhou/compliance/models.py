"""Sign-offs: who answered for a REVIEW finding, and why. The mall's jurisdiction, and who changed it."""

from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class SignOff(models.Model):
    """One person's signature under one finding as it stood; another thing seen needs another signature."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan_code = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    finding_id = models.CharField(max_length=24)
    path = models.CharField(max_length=120)
    seen_hash = models.CharField(max_length=64)
    by_id = models.UUIDField()
    by_name = models.CharField(max_length=80)
    reason = models.CharField(max_length=400)
    at = models.DateTimeField()

    class Meta:
        db_table = "compliance_signoff"
        constraints = [
            models.UniqueConstraint(
                fields=["plan_code", "version", "finding_id", "path", "seen_hash"], name="compliance_signoff_once"
            )
        ]


class ProfileChange(models.Model):
    """A change of the mall's jurisdiction: one person proposes, another confirms. The newest confirmed one rules."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    old = models.CharField(max_length=8)
    new = models.CharField(max_length=8)
    reason = models.CharField(max_length=400)
    proposed_by = models.UUIDField(null=True)
    proposed_name = models.CharField(max_length=80, blank=True, default="")
    proposed_at = models.DateTimeField()
    confirmed_by = models.UUIDField(null=True)
    confirmed_name = models.CharField(max_length=80, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "compliance_profile_change"
