"""Versions of reward plans: immutable once used."""

from enum import StrEnum
from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class Status(StrEnum):
    """A version's life. A retired version is still owed to those who touched a link under it."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    RETIRED = "RETIRED"


MOVES = {
    Status.DRAFT: frozenset({Status.ACTIVE, Status.RETIRED}),
    Status.ACTIVE: frozenset({Status.RETIRED}),
    Status.RETIRED: frozenset[Status](),
}


class PlanVersion(models.Model):
    """One version of one plan. At most one row per mall is ACTIVE and in force."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=120, blank=True, default="")
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.DRAFT)
    document = models.JSONField()
    toml = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120, blank=True, default="")
    published_at = models.DateTimeField(null=True)
    effective_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)

    class Meta:
        db_table = "plans_version"
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="plans_version_code_version"),
        ]
        indexes = [models.Index(fields=["status", "effective_at"], name="plans_version_force")]
