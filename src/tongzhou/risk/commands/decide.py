"""Deciding holds: a person releases or refuses, the sharer appeals, silence decides in the sharer's favour."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import SYSTEM, Actor, member
from tongzhou.kit.refusals import conflict, forbidden, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.kit.transactions import command
from tongzhou.people import queries as people
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards.values import Outcome, Verdict
from tongzhou.risk import policy
from tongzhou.risk.models import MOVES, Hold, Status, Step

MAY_DECIDE = frozenset({"owner", "operator"})


def _get(hold_id: UUID) -> Hold:
    rows = Hold.objects.filter(id=hold_id)
    row = (rows.select_for_update() if connection.vendor == "postgresql" else rows).first()
    if row is None:
        raise not_found(_("没有这条风控记录。"), code="hold_not_found")
    return row


def _may_decide(row: Hold, reason: str, by: Actor) -> None:
    """*Refuses:* ``not_allowed``, ``own_case``, ``same_person``, ``reason_missing``."""
    if by.id is None or not people.roles(by.id) & MAY_DECIDE:
        raise forbidden("not_allowed", _("只有运营者或所有者可以决定。"))
    if by.id in (row.sharer_id, row.buyer_id):
        raise forbidden("own_case", _("不能决定与自己有关的事。"))
    if row.status == Status.APPEALED and row.refused_by == by.id:
        raise forbidden("same_person", _("申诉要由另一个人来答复。"), fix=_("请没有参与拒付的同事处理。"))
    if len(reason.strip()) < 4:
        raise invalid(
            "reason_missing", _("请写明理由，分享者会看到。"), field="reason", value=reason, rule=_("至少 4 个字")
        )


def _move(row: Hold, to: Status, **changes: Any) -> None:
    if not move(Hold.objects.filter(id=row.id, status=row.status), to, moves=MOVES, **changes):
        raise conflict("state_moved_on", _("这条记录刚刚有了变化，请刷新后再看。"), field="hold", value=row.order_no)


def _step(row: Hold, kind: str, text: str, by: Actor, at: datetime) -> None:
    Step.objects.bulk_create(
        [
            Step(
                hold_id=row.id, sharer_id=row.sharer_id, kind=kind, text=text.strip()[:600], by_kind=by.kind, by_id=by.id,
                by_name=by.name[:80], at=at,
            )
        ]
    )  # fmt: skip


def _let_go(row: Hold, at: datetime, by: Actor) -> None:
    """The reward goes its usual way again; what was taken back is given back."""
    if row.status == Status.APPEALED and row.refused_at:
        rewarding.restore(reward_id=row.reward_id, by=by, at=at)
    else:
        rewarding.record_verdicts([Verdict(row.reward_id, Outcome.PAY)], by=by, at=at)


@command()
def release(*, hold_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Decide that a reward is paid; a refused one that was appealed is given back in full.

    *Refuses:* ``hold_not_found``, ``not_allowed``, ``own_case``, ``same_person`` (an appeal is answered by
    somebody else than who refused), ``reason_missing``, ``state_moved_on``.
    """
    row = _get(hold_id)
    _may_decide(row, reason, by)
    _move(row, Status.RELEASED, ended_at=at)
    _let_go(row, at, by)
    _step(row, "released", reason, by, at)
    audit.record(by=by, action="risk.release", subject_kind="hold", subject_id=row.id, at=at, reason=reason[:200])


@command()
def refuse(*, hold_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Decide that a reward is not paid (it can be appealed), or that an appeal does not change it (that is final).

    *Refuses:* as :func:`release`, and ``reward_not_held`` when the reward has matured meanwhile.
    """
    row = _get(hold_id)
    _may_decide(row, reason, by)
    if row.status == Status.APPEALED:
        _move(row, Status.FINAL, ended_at=at)
    else:
        _move(row, Status.REFUSED, refused_at=at, refused_by=by.id, until=None)
        rewarding.refuse(reward_id=row.reward_id, by=by, at=at)
    _step(row, "refused", reason, by, at)
    audit.record(by=by, action="risk.refuse", subject_kind="hold", subject_id=row.id, at=at, reason=reason[:200])


@command()
def appeal(*, hold_id: UUID, sharer_id: UUID, text: str, at: datetime) -> None:
    """The sharer objects: a delay becomes a review by a person, a refusal is looked at by another one. Once each.

    *Refuses:* ``hold_not_found`` (also somebody else's), ``appeal_missing``, ``appeal_used``,
    ``appeal_late``, ``state_moved_on``.
    """
    row = _get(hold_id)
    if row.sharer_id != sharer_id:
        raise not_found(_("没有这条风控记录。"), code="hold_not_found")
    if len(text.strip()) < 6:
        raise invalid(
            "appeal_missing", _("请把情况写清楚，方便核对。"), field="text", value=text, rule=_("至少 6 个字")
        )
    p, by = policy.in_force(), member(sharer_id)
    if row.status == Status.FINAL or (row.appealed_at and row.status in (Status.OPEN, Status.APPEALED)):
        raise conflict("appeal_used", _("已经申诉过了，请等答复。"), field="text")
    until = at + timedelta(days=p["review_days"]) if p["review_days"] else None
    if row.status == Status.REFUSED:
        if row.refused_at and at > row.refused_at + timedelta(days=p["appeal_days"]):
            raise conflict("appeal_late", _("申诉的期限已经过了。"), field="text", rule=p["appeal_days"])
        _move(row, Status.APPEALED, appealed_at=at, until=until)
    elif row.status == Status.DELAYED:
        _move(row, Status.OPEN, appealed_at=at)  # `until` stays: objecting never makes anybody wait longer
    elif not Hold.objects.filter(id=row.id, status=Status.OPEN, appealed_at=None).update(appealed_at=at):
        raise conflict("state_moved_on", _("这笔已经放行了，不用申诉。"), field="text")
    _step(row, "appealed", text, by, at)


def close_due(*, at: datetime, batch: int = 200) -> int:
    """End what waited long enough: delays are over, and what nobody decided in time is decided for the sharer."""
    done = 0
    rows = Hold.objects.filter(ended_at=None, until__lte=at).exclude(status=Status.REFUSED).order_by("until", "id")
    for hold_id in list(rows.values_list("id", flat=True)[:batch]):
        done += _lapse(hold_id, at)
    return done


@command()
def _lapse(hold_id: UUID, at: datetime) -> int:
    row = _get(hold_id)
    rows = Hold.objects.filter(id=row.id, status=row.status, until__lte=at)
    if row.status == Status.REFUSED or not move(rows, Status.RELEASED, moves=MOVES, ended_at=at):
        return 0
    _let_go(row, at, SYSTEM)
    _step(row, "over" if row.status == Status.DELAYED else "lapsed", "", SYSTEM, at)
    return 1
