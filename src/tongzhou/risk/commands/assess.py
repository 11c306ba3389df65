"""Giving verdicts: evidence, score, and what follows for the reward; a hold is written down with its reasons."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.kit.transactions import command
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards
from tongzhou.rewards.values import HeldReward, Outcome, Verdict
from tongzhou.risk import policy
from tongzhou.risk.evidence import gather
from tongzhou.risk.models import Hold, Status, Step
from tongzhou.risk.rules import STRICTNESS, score
from tongzhou.risk.values import Policy, Score

SECOND_LOOK = timedelta(days=1)  # before it matures, a reward is looked at once more
_STATUS = {Outcome.DELAY: Status.DELAYED, Outcome.REVIEW: Status.OPEN, Outcome.REFUSE: Status.REFUSED}
_RANK = {Status.DELAYED: "delay", Status.OPEN: "review"}


@command()
def assess(reward_ids: Sequence[UUID], *, at: datetime) -> int:
    """Give every held reward among these its verdict; returns how many are not simply paid.

    A second look may make a verdict stricter, never milder; what a person decided stays decided, and
    so does what was refused. A reward that matured meanwhile is passed over: it is the member's own.
    """
    rows = rewards.held(reward_ids)
    holds = Hold.objects.filter(reward_id__in=[r.id for r in rows]).order_by("id")
    known = {h.reward_id: h for h in (holds.select_for_update() if connection.vendor == "postgresql" else holds)}
    rows = [r for r in rows if r.id not in known or known[r.id].status in _RANK]
    p = policy.in_force()
    evidence = gather(rows, p, at)
    said: dict[UUID, tuple[HeldReward, Score, Verdict]] = {}
    same: list[Verdict] = []
    for r in rows:
        found = score(evidence[r.id], p)
        hold = known.get(r.id)
        if hold and STRICTNESS[found.outcome] <= STRICTNESS[_RANK[Status(hold.status)]]:
            verdict = Verdict(r.id, Outcome(_RANK[Status(hold.status)]), hold.until)
            same.append(verdict)  # as strict as before: the first word stands, and was looked at now
            continue
        said[r.id] = (r, found, Verdict(r.id, Outcome(found.outcome), _until(found.outcome, r, p, at)))
    taken = rewarding.record_verdicts([*same, *(v for _r, _s, v in said.values())], by=SYSTEM, at=at)
    held = [(r, s, v) for one, (r, s, v) in said.items() if one in taken and v.outcome != Outcome.PAY]
    _write(held, known, at)
    return len(held)


def _until(outcome: str, r: HeldReward, p: Policy, at: datetime) -> datetime | None:
    """When a hold ends by itself: a delay after its days, a review that nobody held in the sharer's favour."""
    if outcome == Outcome.DELAY:
        return r.matures_at + timedelta(days=p["delay_days"])
    if outcome == Outcome.REVIEW and p["review_days"]:
        return max(at, r.matures_at) + timedelta(days=p["review_days"])
    return None


def _write(held: Sequence[tuple[HeldReward, Score, Verdict]], known: dict[UUID, Hold], at: datetime) -> None:
    fresh, steps = [], []
    for r, s, v in held:
        hold = known.get(r.id)
        reasons = [asdict(reason) for reason in s.reasons]
        refused = at if v.outcome == Outcome.REFUSE else None
        if hold is None:
            hold = Hold(
                id=new_id(), reward_id=r.id, line_id=r.line_id, order_id=r.order_id, order_no=r.order_no, sharer_id=r.sharer_id,
                buyer_id=r.buyer_id, status=_STATUS[v.outcome], score=s.points, reasons=reasons, at=at,
                until=v.waits_until, refused_at=refused,
            )  # fmt: skip
            fresh.append(hold)
            kind = "refused" if refused else "held"
        else:
            moved = Hold.objects.filter(id=hold.id, status=hold.status)
            if not moved.update(
                status=_STATUS[v.outcome], score=s.points, reasons=reasons, until=v.waits_until, refused_at=refused
            ):
                continue
            kind = "refused" if refused else "raised"
        steps.append(
            Step(
                hold_id=hold.id,
                sharer_id=r.sharer_id,
                kind=kind,
                score=s.points,
                by_kind="system",
                by_name="risk",
                at=at,
            )
        )
    Hold.objects.bulk_create(fresh)
    Step.objects.bulk_create(steps)


def look_again(*, at: datetime, batch: int = 64) -> int:
    """Look once more at what matures within a day and was last looked at before; returns how many were."""
    total = 0
    while True:
        due = rewards.nearly_due(at, within=SECOND_LOOK, most=batch)
        if not due:
            return total
        assess(due, at=at)
        total += len(due)
        if len(due) < batch:
            return total
