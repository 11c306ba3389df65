"""The verbs of plans: import a file as a draft, activate a lawful one, retire."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.compliance import commands as compliance_commands
from tongzhou.compliance import queries as compliance
from tongzhou.compliance.values import Finding, Severity, verdict
from tongzhou.kit import audit, idempotency
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import Kind, Refusal, conflict, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.plans import queries
from tongzhou.plans.document import load_document, plan_of
from tongzhou.plans.models import MOVES, PlanVersion, Status
from tongzhou.plans.values import PlanVersionValue


def check(document: Mapping[str, Any], *, profile: str = "", at: datetime | None = None) -> tuple[Finding, ...]:
    """What compliance says of a document. With ``at``: for this mall, under its own jurisdiction and compared with
    the plan in force; without: under ``profile``, else the document's own. Nothing is written.
    """
    force = queries.in_force(at) if at else None
    profile = profile or (compliance.mall_profile() if at else "")
    row = PlanVersion.objects.filter(id=force.id).first() if force else None
    previous = row.document if row else None
    channels = ("wechat",) if (profile or document.get("profile", "CN")) == "CN" else ()
    return compliance.check(document, profile=profile, channels=channels, previous=previous)


@transaction.atomic
def import_plan(*, text: str, by: Actor, at: datetime) -> PlanVersionValue:
    """Keep a plan file as a draft; an open draft of the same code is rewritten, a used version never is.

    An unlawful plan may be kept: it can be looked at, simulated and explained, not activated.
    *Refuses:* ``not_toml``, ``plan_invalid``, ``wrong_currency``.
    """
    document = load_document(text)
    plan = plan_of(document)
    if plan.currency != settings.CURRENCY:
        raise invalid(
            "wrong_currency", _("计划的货币与商城的货币不同。"), field="currency", value=plan.currency,
            rule=settings.CURRENCY, fix=_("改成商城的货币。"),
        )  # fmt: skip
    found = [f.as_dict("zh-hans") for f in check(document, at=at)]
    last = queries.latest(plan.code)
    if last and last.status == Status.DRAFT and not idempotency.owner_of(f"plan-used:{last.id}"):
        PlanVersion.objects.filter(id=last.id, status=Status.DRAFT).update(
            document=_json(document), toml=text, name=plan.name, findings=found, created_at=at, created_by=str(by)[:120]
        )
        row = PlanVersion.objects.get(id=last.id)
    elif last and last.toml.strip() == text.strip():
        row = last
    else:
        row = PlanVersion(
            code=plan.code, version=last.version + 1 if last else 1, name=plan.name, document=_json(document),
            toml=text, created_at=at, created_by=str(by)[:120], findings=found,
        )  # fmt: skip
        PlanVersion.objects.bulk_create([row])
        audit.record(by=by, action="plan.import", subject_kind="plan", subject_id=f"{row.code} v{row.version}", at=at)
    return PlanVersionValue(row.id, row.code, row.version, plan, row.effective_at or at, row.status)


def _json(document: Any) -> Any:
    """Dates as text: the document is kept as JSON beside its TOML."""
    if isinstance(document, Mapping):
        return {k: _json(v) for k, v in document.items()}
    if isinstance(document, list | tuple):
        return [_json(v) for v in document]
    return document if isinstance(document, str | int | bool) else str(document)


@transaction.atomic
def activate(*, code: str, by: Actor, at: datetime) -> PlanVersionValue:
    """Put the draft of a code into force, now or at its own ``effective_at``; the plan before it retires then.

    *Refuses:* ``no_draft``, ``plan_refused`` with every finding that stands in the way: a BLOCK has no
    override, a REVIEW needs a named sign-off.
    """
    row = queries.latest(code, status=Status.DRAFT)
    if row is None:
        raise not_found(_("这个代码没有待启用的草稿。"), code="no_draft")
    plan = plan_of(row.document)
    findings = check(row.document, at=at)
    open_ = compliance.unsigned(findings, row.code, row.version)
    if open_:
        raise refused(open_)
    begins = max(at, plan.dates.effective_at or at)
    if not move(
        PlanVersion.objects.filter(id=row.id), Status.ACTIVE, moves=MOVES, effective_at=begins,
        published_at=plan.dates.published_at or at, findings=[f.as_dict("zh-hans") for f in findings],
    ):  # fmt: skip
        raise conflict("state_moved_on", _("这个版本刚刚被别人处理了。"))
    compliance_commands.settle_profile(by=by, at=at)
    others = PlanVersion.objects.filter(status=Status.ACTIVE).exclude(id=row.id)
    move(others, Status.RETIRED, moves=MOVES, retired_at=begins)
    audit.record(
        by=by, action="plan.activate", subject_kind="plan", subject_id=f"{row.code} v{row.version}", at=at,
        effective_at=begins.isoformat(), verdict=verdict(findings),
    )  # fmt: skip
    transaction.on_commit(queries.forget)
    queries.forget()
    return PlanVersionValue(row.id, row.code, row.version, plan, begins, Status.ACTIVE)


@transaction.atomic
def use_for_history(code: str, *, at: datetime) -> PlanVersionValue:
    """The newest version of a code, draft or not, to replay history under; from now on it is never rewritten.

    *Refuses:* ``plan_not_found``, ``plan_refused`` (an unlawful plan pays nobody, in the past either).
    """
    row = queries.latest(code)
    if row is None:
        raise not_found(_("没有这个计划。"), code="plan_not_found")
    # Without ``at``: nobody is announced a change of the past.
    blocked = [f for f in check(row.document) if f.severity == Severity.BLOCK]
    if blocked:
        raise refused(blocked)
    idempotency.take(f"plan-used:{row.id}", at=at, owner_id=row.id)
    return queries.version(row.id)


def refused(findings: list[Finding]) -> Refusal:
    """The refusal of a plan: each finding with what was seen, its citation and its fix."""
    return Refusal(
        "plan_refused", _("这份计划不能启用。"), kind=Kind.FORBIDDEN, field="plan",
        errors=[
            Refusal(f.id, _Both(f.message, f.message_en), field=f.path, value=f.seen,
                    rule=_Both(f.citation, f.citation_en), fix=_Both(f.fix, f.fix_en))
            for f in findings
        ],
    )  # fmt: skip


class _Both:
    """A text the profile carries in two languages, shown in the reader's."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en

    def __str__(self) -> str:
        from django.utils.translation import get_language

        return self.en if (get_language() or "").startswith("en") else self.zh


def notice_needed(document: Mapping[str, Any], at: datetime) -> datetime | None:
    """The earliest lawful start of a worse plan announced now, for forms to suggest; None when it is not worse."""
    from tongzhou.compliance.rules import worsens

    force = queries.in_force(at)
    if force is None or not worsens(PlanVersion.objects.get(id=force.id).document, document):
        return None
    return at + timedelta(days=7)


def as_plain(value: PlanVersionValue) -> dict[str, Any]:
    """A version for ``--json``."""
    return {
        "id": str(value.id), "code": value.code, "version": value.version, "status": str(value.status),
        "effective_at": value.effective_at.isoformat(), "plan": _json(asdict(value.plan)),
    }  # fmt: skip
