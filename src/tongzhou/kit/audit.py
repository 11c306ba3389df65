"""The audit trail: one row per decision a person or the system took."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from tongzhou.kit.actor import Actor
from tongzhou.kit.models import AuditEntry


def record(*, by: Actor, action: str, subject_kind: str, subject_id: object, at: datetime, **detail: Any) -> None:
    """Write one audit row in the caller's transaction. ``detail`` holds no secrets and no full phone numbers."""
    AuditEntry.objects.create(
        at=at,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name[:80],
        action=action,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        detail=detail,
    )


def trail(subject_kind: str, subject_id: object) -> "QuerySet[AuditEntry]":
    """Everything recorded about one thing, newest first."""
    return AuditEntry.objects.filter(subject_kind=subject_kind, subject_id=str(subject_id)).order_by("-at", "-id")


def entries() -> "QuerySet[AuditEntry]":
    """The whole trail, newest first; callers slice it."""
    return AuditEntry.objects.order_by("-at", "-id")
