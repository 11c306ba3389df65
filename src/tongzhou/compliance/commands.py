"""The one verb of compliance: to sign."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.compliance.models import SignOff
from tongzhou.compliance.values import Finding, Severity
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import digest
from tongzhou.kit.refusals import forbidden, invalid


@transaction.atomic
def sign_off(*, plan_code: str, version: int, finding: Finding, reason: str, by: Actor, at: datetime) -> None:
    """Answer for a REVIEW finding by name, with a reason.

    *Refuses:* ``block_cannot_be_signed`` (no override exists), ``reason_missing``, ``not_named``.
    """
    if finding.severity == Severity.BLOCK:
        raise forbidden(
            "block_cannot_be_signed", _("这一条不能靠签字放行。"), field=finding.path, value=finding.id,
            rule=finding.citation, fix=finding.fix,
        )  # fmt: skip
    if by.id is None or not by.name:
        raise forbidden("not_named", _("签字的人必须有姓名。"))
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明签字的理由。"), field="reason", value=reason, rule=_("至少 4 个字"))
    SignOff.objects.bulk_create(
        [
            SignOff(
                plan_code=plan_code, version=version, finding_id=finding.id, path=finding.path,
                seen_hash=digest(finding.seen), by_id=by.id, by_name=by.name, reason=reason.strip()[:400], at=at,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    audit.record(
        by=by, action="compliance.sign", subject_kind="plan", subject_id=f"{plan_code} v{version}", at=at,
        finding=finding.id, path=finding.path, reason=reason.strip(),
    )  # fmt: skip
