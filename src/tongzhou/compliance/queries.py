"""Reads of compliance: findings still open, and who signed what."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tongzhou.compliance import profiles
from tongzhou.compliance.models import SignOff
from tongzhou.compliance.rules import check_document
from tongzhou.compliance.values import Finding, Severity
from tongzhou.kit.idempotency import digest
from tongzhou.kit.refusals import invalid


def check(
    document: Mapping[str, Any], *, profile: str = "", channels: Sequence[str] = (),
    previous: Mapping[str, Any] | None = None,
) -> tuple[Finding, ...]:  # fmt: skip
    """Findings of a document under a named profile (default: its own). *Refuses:* ``profile_unknown``."""
    code = profile or str(document.get("profile", "CN"))
    try:
        found = profiles.load(code)
    except KeyError:
        raise invalid(
            "profile_unknown", _("没有这个法域的规则。"), field="profile", value=code, rule=", ".join(profiles.CODES)
        ) from None
    return check_document(document, found, channels=channels, previous=previous)


def signatures(plan_code: str, version: int) -> "QuerySet[SignOff]":
    """Everything signed for one version."""
    return SignOff.objects.filter(plan_code=plan_code, version=version).order_by("at")


def unsigned(findings: Sequence[Finding], plan_code: str, version: int) -> list[Finding]:
    """The findings that still stand in the way: every BLOCK, and every REVIEW without a signature."""
    signed = {(s.finding_id, s.path, s.seen_hash) for s in signatures(plan_code, version)}
    return [
        f
        for f in findings
        if f.severity == Severity.BLOCK
        or (f.severity == Severity.REVIEW and (f.id, f.path, digest(f.seen)) not in signed)
    ]
