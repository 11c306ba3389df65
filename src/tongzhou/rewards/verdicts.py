"""What risk says of a reward, and what that does: pay, pay later, wait for a person, refuse, give back.

Only the reward is ever held: what is already available, in payout or paid is the member's own and
is not touched. A reward nobody spoke about waits ``PATIENCE`` longer than its window and then
matures by itself, so that a stopped worker costs nobody anything.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict, not_found
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Move, PostingRequest
from tongzhou.plans.rules import LineFacts, target
from tongzhou.plans.values import RewardRule
from tongzhou.rewards.deciding import reference_of
from tongzhou.rewards.models import Reward
from tongzhou.rewards.values import Outcome, Verdict

PATIENCE = timedelta(days=2)


def may_mature(at: datetime) -> Q:
    """The rewards that nothing but their window keeps: said to be paid, waited out, or never spoken about."""
    return (
        Q(verdict=Outcome.PAY)
        | Q(verdict="", matures_at__lte=at - PATIENCE)
        | Q(verdict__in=[Outcome.DELAY, Outcome.REVIEW], waits_until__lte=at)
    )


@command()
def record_verdicts(verdicts: Sequence[Verdict], *, by: Actor, at: datetime) -> set[UUID]:
    """Write what risk says of held rewards; returns the rewards whose verdict was taken.

    REFUSE takes what still stands back (``reward.held`` → ``expense.rewards``). Passed over: a reward
    whose goods have not arrived, one that matured (it is the member's own), and one refused already,
    which only :func:`restore` reopens.
    """
    wanted = {v.reward_id: v for v in verdicts}
    rows = Reward.objects.filter(id__in=wanted, matured_at=None).exclude(delivered_at=None)
    rows = rows.exclude(verdict=Outcome.REFUSE).order_by("id")
    found = list(rows.select_for_update() if connection.vendor == "postgresql" else rows)
    groups: dict[tuple[Outcome, datetime | None], list[Reward]] = {}
    for row in found:
        said = wanted[row.id]
        groups.setdefault((said.outcome, said.waits_until), []).append(row)
    for (outcome, until), members in groups.items():
        chosen = Reward.objects.filter(id__in=[row.id for row in members], matured_at=None)
        chosen.update(verdict=outcome, waits_until=until, verdict_at=at)
        if outcome == Outcome.REFUSE:
            _take_back(members, by=by, at=at)
    return {row.id for row in found}


def _take_back(rows: Sequence[Reward], *, by: Actor, at: datetime) -> None:
    held = books.standing_many([(row.sharer_id, row.story_id) for row in rows], ["reward.held"])
    ledger.post_many(
        [
            PostingRequest(
                row.sharer_id, "reward_refused", f"{reference_of(row.line_id, row.depth)}:refused", row.story_id,
                (Move("reward.held", "expense.rewards", amount, cites=row.accrual_transfer_id),), at,
                plan_version=row.plan_label,
            )
            for row in rows
            if (amount := held[row.sharer_id, row.story_id].get("reward.held", 0))
        ],
        by=by, at=at,
    )  # fmt: skip


def refuse(*, reward_id: UUID, by: Actor, at: datetime) -> None:
    """Take one held reward back. Twice is once.

    *Refuses:* ``reward_not_found``; ``reward_not_held`` when the goods have not arrived or the reward has
    matured: what is available is the member's own.
    """
    if record_verdicts([Verdict(reward_id, Outcome.REFUSE)], by=by, at=at):
        return
    row = Reward.objects.filter(id=reward_id).first()
    if row is None:
        raise not_found(_("没有这笔报酬。"), code="reward_not_found")
    if row.verdict != Outcome.REFUSE:
        raise conflict(
            "reward_not_held", _("这笔报酬现在不在待结里。"), field="reward", value=reward_id,
            rule=_("只有待结的报酬可以拒付；已经可提的是会员自己的钱"),
        )  # fmt: skip


@command()
def restore(*, reward_id: UUID, by: Actor, at: datetime) -> int:
    """Give a refused reward back: what the rule says of the line today, after all its refunds. Once.

    Nothing where the payer's bank has taken the money back meanwhile.

    The posting that gives it back is what a later reversal cites, as the first accrual was.
    *Refuses:* ``reward_not_found``, ``reward_not_refused``.
    """
    rows: QuerySet[Reward] = Reward.objects.filter(id=reward_id)
    row = (rows.select_for_update() if connection.vendor == "postgresql" else rows).first()
    if row is None:
        raise not_found(_("没有这笔报酬。"), code="reward_not_found")
    changed = Reward.objects.filter(id=row.id, verdict=Outcome.REFUSE, matured_at=None)
    if not changed.update(verdict=Outcome.PAY, waits_until=None, verdict_at=at):
        raise conflict("reward_not_refused", _("这笔报酬没有被拒付，不用恢复。"), field="reward", value=reward_id)
    facts = LineFacts("", "", (), row.base_minor, row.points_minor, row.list_minor, row.cost_minor)
    amount = target(RewardRule(**row.rule), facts, refunded_minor=row.refunded_minor, cap_minor=row.cap_minor)
    if amount and row.disputed != "lost":
        posted = ledger.post(
            book_id=row.sharer_id, kind="reward_restored", story_id=row.story_id,
            reference=f"{reference_of(row.line_id, row.depth)}:restored",
            legs=[Move("expense.rewards", "reward.held", amount)], by=by, at=at, plan_version=row.plan_label,
        )  # fmt: skip
        Reward.objects.filter(id=row.id).update(accrual_transfer_id=posted.transfers[0].id)
        return amount
    return 0


def nearly_due(at: datetime, *, within: timedelta, most: int = 64) -> list[UUID]:
    """Rewards that mature within a while and were last looked at before that: oldest first, bounded."""
    rows = Reward.objects.filter(matured_at=None, matures_at__gt=at - PATIENCE, matures_at__lte=at + within)
    rows = rows.exclude(delivered_at=None).exclude(verdict=Outcome.REFUSE)
    rows = rows.filter(Q(verdict_at=None) | Q(verdict_at__lt=F("matures_at") - within))
    return list(rows.order_by("matures_at", "id").values_list("id", flat=True)[:most])
