"""Which plan is in force, and what each version says."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import not_found
from tongzhou.plans.diff import Change, diff
from tongzhou.plans.document import plan_of
from tongzhou.plans.models import PlanVersion, Status
from tongzhou.plans.values import Plan, PlanVersionValue

_FRESH = timedelta(seconds=1)
_kept: dict[str, tuple[datetime, PlanVersionValue | None]] = {}
_plans: dict[tuple[UUID, str], Plan] = {}
_used: dict[UUID, PlanVersionValue] = {}


def forget() -> None:
    """Drop what this process remembers; called by every command that changes a plan, and by tests."""
    _kept.clear()


def in_force(at: datetime) -> PlanVersionValue | None:
    """The version that applies at a moment: the newest one that began by then and had not been retired.

    What applies now is remembered for a second per process, so that pages do not ask each time; a
    changed plan is in force everywhere a second later.
    """
    kept = _kept.get("now")
    if kept and abs(at - kept[0]) < _FRESH:
        return kept[1]
    row = (
        PlanVersion.objects.filter(effective_at__lte=at, status__in=[Status.ACTIVE, Status.RETIRED])
        .filter(Q(retired_at=None) | Q(retired_at__gt=at))
        .order_by("-effective_at", "-id")
        .first()
    )
    found = _value(row) if row else None
    _kept["now"] = (at, found)
    return found


def _value(row: PlanVersion) -> PlanVersionValue:
    key = (row.id, row.toml)  # a draft may still be rewritten; a used version never changes
    plan = _plans.get(key)
    if plan is None:
        plan = _plans[key] = plan_of(row.document)
    begins = row.effective_at or row.created_at
    return PlanVersionValue(row.id, row.code, row.version, plan, begins, row.status)


def versions(ids: "set[UUID]") -> dict[UUID, PlanVersionValue]:
    """Several versions by id."""
    return {row.id: _value(row) for row in PlanVersion.objects.filter(id__in=ids)} if ids else {}


def before(version_id: UUID) -> PlanVersionValue | None:
    """The version that applied until this one began; None for a mall's first."""
    this = PlanVersion.objects.filter(id=version_id).exclude(effective_at=None).first()
    if this is None:
        return None
    rows = PlanVersion.objects.filter(effective_at__lt=this.effective_at, status__in=[Status.ACTIVE, Status.RETIRED])
    row = rows.order_by("-effective_at", "-id").first()
    return _value(row) if row else None


def used(ids: "set[UUID]") -> dict[UUID, PlanVersionValue]:
    """Versions an order was placed under, by id, for their rules: remembered, because a used version never changes.

    Their ``status`` is that of the first asking.
    """
    missing = ids - set(_used)
    if missing:
        _used.update(versions(missing))
    return {i: _used[i] for i in ids if i in _used}


def version(version_id: UUID) -> PlanVersionValue:
    """One version. *Refuses:* ``not_found``."""
    found = versions({version_id})
    if version_id not in found:
        raise not_found("plan version", code="plan_not_found")
    return found[version_id]


def listing() -> "QuerySet[PlanVersion]":
    """All versions, newest first, for the console and the CLI."""
    return PlanVersion.objects.order_by("-created_at", "-id")


def row(version_id: UUID) -> PlanVersion:
    """One version with its document, findings and stamps. *Refuses:* ``plan_not_found``."""
    found = PlanVersion.objects.filter(id=version_id).first()
    if found is None:
        raise not_found(_("没有这个版本。"), code="plan_not_found")
    return found


def latest(code: str, *, status: str | None = None) -> PlanVersion | None:
    """The newest version of a code, or of a code in one status."""
    rows = PlanVersion.objects.filter(code=code)
    if status:
        rows = rows.filter(status=status)
    return rows.order_by("-version").first()


def by_label(label: str) -> PlanVersion:
    """A version by what people call it: ``share-10`` (the newest), ``share-10 v3``, ``share-10@3``.

    *Refuses:* ``plan_not_found``.
    """
    code, _at, number = label.strip().replace(" v", "@").rpartition("@")
    rows = PlanVersion.objects.filter(code=code, version=int(number)) if code and number.isdecimal() else None
    row = rows.first() if rows is not None else latest(label.strip())
    if row is None:
        raise not_found(f"There is no plan {label}.", code="plan_not_found")
    return row


def compare(before: PlanVersion, after: PlanVersion) -> tuple[Change, ...]:
    """What two versions say differently."""
    return diff(before.document, after.document)
