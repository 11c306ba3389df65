"""The verbs of compliance: to sign a finding; to change the mall's jurisdiction, by two people."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.compliance import profiles, queries
from tongzhou.compliance.models import ProfileChange, SignOff
from tongzhou.compliance.values import Finding, Severity
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import digest
from tongzhou.kit.refusals import conflict, forbidden, invalid, not_found


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


def settle_profile(*, by: Actor, at: datetime) -> None:
    """Keep the jurisdiction the mall was set up with, once a plan begins under it: from now on two people change it."""
    if not ProfileChange.objects.exclude(confirmed_at=None).exists():
        row = ProfileChange(
            old="", new=settings.PROFILE, reason="set-up", proposed_at=at, proposed_name=by.name[:80], confirmed_at=at
        )
        ProfileChange.objects.bulk_create([row])


@transaction.atomic
def propose_profile(*, new: str, reason: str, by: Actor, at: datetime) -> UUID:
    """Propose another jurisdiction for the mall; nothing changes until another person confirms.

    *Refuses:* ``not_named``, ``profile_unknown``, ``profile_unchanged``, ``profile_forced``, ``reason_missing``.
    """
    _named(by)
    if new not in profiles.CODES:
        raise invalid(
            "profile_unknown", _("没有这个法域的规则。"), field="profile", value=new, rule=", ".join(profiles.CODES)
        )
    old = queries.mall_profile()
    if new == old:
        raise invalid("profile_unchanged", _("现在就是这个法域。"), field="profile", value=new)
    if queries.forced():
        raise forbidden(
            "profile_forced", _("用人民币经微信或支付宝收付款的商城，只能按中国规则经营。"), field="profile", value=new,
            rule=queries.forced(), fix=_("先换货币或收付款渠道，这要另开一家商城。"),
        )  # fmt: skip
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明更换的理由。"), field="reason", value=reason, rule=_("至少 4 个字"))
    row = ProfileChange(
        old=old, new=new, reason=reason.strip()[:400], proposed_by=by.id, proposed_name=by.name[:80], proposed_at=at
    )
    ProfileChange.objects.bulk_create([row])
    audit.record(
        by=by, action="profile.propose", subject_kind="profile", subject_id=str(row.id), at=at, old=old, new=new,
        reason=reason.strip(),
    )  # fmt: skip
    return row.id


@transaction.atomic
def confirm_profile(*, change_id: UUID, by: Actor, at: datetime) -> None:
    """Carry a proposed change of jurisdiction out. The engine pays by the new depth from now on.

    *Refuses:* ``not_named``, ``change_not_found``, ``same_person``, ``profile_forced``, ``state_moved_on``.
    """
    _named(by)
    row = ProfileChange.objects.filter(id=change_id).first()
    if row is None:
        raise not_found(_("没有这份更换申请。"), code="change_not_found")
    if row.proposed_by == by.id:
        raise forbidden("same_person", _("提出和确认要由两个人来做。"))
    if queries.forced():
        raise forbidden(
            "profile_forced", _("用人民币经微信或支付宝收付款的商城，只能按中国规则经营。"), field="profile"
        )
    open_ = ProfileChange.objects.filter(id=row.id, confirmed_at=None, declined_at=None)
    if row.old != queries.mall_profile() or not open_.update(
        confirmed_by=by.id, confirmed_name=by.name[:80], confirmed_at=at
    ):
        raise conflict("state_moved_on", _("这份申请已经处理过了，或者法域在申请之后又变了。"))
    audit.record(
        by=by, action="profile.confirm", subject_kind="profile", subject_id=str(row.id), at=at, old=row.old, new=row.new
    )


@transaction.atomic
def decline_profile(*, change_id: UUID, by: Actor, at: datetime) -> None:
    """Put a proposed change aside; anybody who may propose may do that. *Refuses:* ``state_moved_on``."""
    _named(by)
    if not ProfileChange.objects.filter(id=change_id, confirmed_at=None, declined_at=None).update(declined_at=at):
        raise conflict("state_moved_on", _("这份申请已经处理过了。"))
    audit.record(by=by, action="profile.decline", subject_kind="profile", subject_id=str(change_id), at=at)


def _named(by: Actor) -> None:
    if by.id is None or not by.name:
        raise forbidden("not_named", _("签字的人必须有姓名。"))
