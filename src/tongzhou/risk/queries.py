"""Reads of risk: the queue, one case, settings, what is kept of a member."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, Min

from tongzhou.kit.refusals import not_found
from tongzhou.people import queries as people
from tongzhou.risk import policy
from tongzhou.risk.commands.observe import KEEP, PURPOSE, may_keep
from tongzhou.risk.evidence import near_members
from tongzhou.risk.models import ChangedSetting, Hold, Signal, Status, Step
from tongzhou.risk.values import Kept, Kind, Setting

TABS: dict[str, tuple[str, ...]] = {
    "open": (Status.OPEN, Status.APPEALED),
    "delayed": (Status.DELAYED,),
    "refused": (Status.REFUSED, Status.FINAL),
    "released": (Status.RELEASED,),
    "all": tuple(Status),
}


def queue(tab: str = "open", *, before: UUID | None = None, limit: int = 50) -> list[Hold]:
    """Holds of a tab, newest first, keyset-paged by id; a declared scatter. What waits for a person comes oldest first."""
    rows = Hold.objects.filter(status__in=TABS.get(tab, TABS["all"]))
    if before:
        rows = rows.filter(id__gt=before) if tab == "open" else rows.filter(id__lt=before)
    return list(rows.order_by("id" if tab == "open" else "-id")[:limit])


def waiting() -> dict[str, int]:
    """How many wait for a person (counted to 1,000), and how many of them are appeals."""
    rows = Hold.objects.filter(status__in=TABS["open"]).order_by()
    return {"open": rows[:1000].count(), "appeals": rows.exclude(appealed_at=None)[:1000].count()}


def waiting_count(limit: int) -> int:
    """How many wait for a person, counted to ``limit``."""
    return Hold.objects.filter(status__in=TABS["open"]).order_by()[:limit].count()


def hold(hold_id: UUID) -> tuple[Hold, list[Step]]:
    """One hold with everything that happened to it. *Refuses:* ``hold_not_found``."""
    row = Hold.objects.filter(id=hold_id).first()
    if row is None:
        raise not_found("hold", code="hold_not_found")
    return row, list(Step.objects.filter(hold_id=row.id).order_by("at", "id"))


def of_reward(reward_id: UUID, *, sharer_id: UUID) -> tuple[Hold, list[Step]] | None:
    """What keeps a sharer's reward, if anything ever did; a sharer's own only."""
    row = Hold.objects.filter(reward_id=reward_id, sharer_id=sharer_id).first()
    return (row, list(Step.objects.filter(hold_id=row.id).order_by("at", "id"))) if row else None


def of_rewards(reward_ids: Iterable[UUID]) -> dict[UUID, str]:
    """reward → the status of its hold, for lists."""
    return dict(Hold.objects.filter(reward_id__in=list(reward_ids)).values_list("reward_id", "status"))


def around(member_ids: Sequence[UUID]) -> Mapping[Kind, set[UUID]]:
    """Who shares a device or an account with these members; a few accounts at most."""
    return near_members(member_ids)


def settings() -> list[Setting]:
    """Every setting with its meaning, the value in force, and who changed it."""
    changed = {c.key: c for c in ChangedSetting.objects.all()}
    out = []
    for key, s in policy.defaults().items():
        c = changed.get(key)
        out.append(
            Setting(key, c.value if c else s.default, s.default, s.low, s.high, s.group, s.zh, s.en, c.by_name if c else "",
                    c.at if c else None)
        )  # fmt: skip
    return out


def value(key: str) -> int:
    """The value in force of one setting."""
    return policy.in_force()[key]


def kept_of(member_id: UUID) -> list[Kept]:
    """What is kept of a member against fraud, by kind: how many marks, since when, until when."""
    p = policy.in_force()
    rows = Signal.objects.filter(member_id=member_id).values("kind")
    found = rows.annotate(n=Count("id"), first=Min("first_at"), last=Max("last_at")).order_by("kind")
    return [
        Kept(r["kind"], r["n"], r["first"], r["last"] + timedelta(days=p[KEEP.get(Kind(r["kind"]), "keep_other_days")]))
        for r in found
    ]


def may_keep_device(member_id: UUID) -> bool:
    """Whether device and network of a member may be kept now."""
    return bool(may_keep([member_id], policy.in_force()))


def decided_device(member_id: UUID) -> bool | None:
    """What a member said about it; None when never asked."""
    return people.purposes_of([member_id], PURPOSE).get(member_id)


def figures(since: datetime) -> dict[str, int]:
    """Holds made since a moment, by how they stand, and how many were decided otherwise on appeal."""
    rows = Hold.objects.filter(at__gte=since)
    out = {status.lower(): 0 for status in Status}
    out.update({r["status"].lower(): r["n"] for r in rows.values("status").annotate(n=Count("id"))})
    out["overturned"] = rows.filter(status=Status.RELEASED).exclude(refused_at=None).count()
    return out
