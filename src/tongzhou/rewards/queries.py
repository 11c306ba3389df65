"""Reads of rewards: purses, explanations, summaries. Money is read from the ledger each time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from tongzhou.kit import clock
from tongzhou.kit.refusals import not_found
from tongzhou.ledger import queries as books
from tongzhou.plans.rules import LineFacts, target, uncapped
from tongzhou.plans.values import RewardRule
from tongzhou.rewards.models import Reward
from tongzhou.rewards.values import Earnings, HeldReward, Outcome, RewardValue, Summary, TakenBack
from tongzhou.rewards.verdicts import PATIENCE, nearly_due

__all__ = ["PATIENCE", "nearly_due"]

MOST_OF_MONTH = 2_000
STANDING = ("prepaid.rewards", "expense.rewards")
PURSE = ("reward.expected", "reward.held", "reward.available", "payout.in_transit.reward", "receivable.clawback.reward")


def earnings(member_id: UUID) -> Earnings:
    """A sharer's purse. Two queries."""
    have = books.balances(member_id, PURSE)
    paid = books.flow("payout.in_transit.reward", "debit", kinds=("payout_paid",), book_id=member_id)
    back = books.flow("payout.in_transit.reward", "credit", kinds=("payout_returned",), book_id=member_id)
    return Earnings(
        have.get(PURSE[0], 0), have.get(PURSE[1], 0), have.get(PURSE[2], 0), have.get(PURSE[3], 0),
        paid.get(member_id, 0) - back.get(member_id, 0), have.get(PURSE[4], 0),
    )  # fmt: skip


def _values(rows: Sequence[Reward]) -> list[RewardValue]:
    standing = books.standing_many([(r.sharer_id, r.story_id) for r in rows], STANDING)
    return [as_value(r, sum(standing[r.sharer_id, r.story_id].values())) for r in rows]


def as_value(r: Reward, left: int) -> RewardValue:
    """A row as it crosses the wall; ``left`` is what the ledger says still stands of it."""
    kept = r.matured_at is None or r.disputed == "open"
    stage = "expected" if r.delivered_at is None else "held" if kept else "available"
    facts = LineFacts("", "", (), r.base_minor, r.points_minor, r.list_minor, r.cost_minor)
    return RewardValue(
        r.id, r.line_id, r.order_id, r.order_no, r.sharer_id, r.buyer_id, r.plan_label, r.plan_version_id,
        r.rule.get("rate_bp", 0), r.rule.get("amount_minor", 0), r.base_minor, r.points_minor, r.refunded_minor,
        r.cap_minor, r.accrued_minor, r.accrued_minor - left, stage if left or not r.accrued_minor else "reversed",
        r.accrued_at, r.delivered_at, r.matures_at, r.matured_at, r.settle_days, r.depth, r.story_id,
        r.verdict, r.waits_until, uncapped(RewardRule(**r.rule), facts, 0), r.rule.get("base", ""),
        r.disputed,
    )  # fmt: skip


def rewards_of(member_id: UUID, *, before: UUID | None = None, limit: int = 30) -> list[RewardValue]:
    """A sharer's rewards, newest first, keyset-paged by id. Two queries."""
    rows = Reward.objects.filter(sharer_id=member_id).order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    return _values(list(rows[:limit]))


def earned_since(member_id: UUID, since: datetime) -> int:
    """What stands of the rewards a sharer was promised since a moment; what was reversed is left out. Two queries."""
    rows = Reward.objects.filter(sharer_id=member_id, accrued_at__gte=since).order_by("-id")
    return sum(r.standing_minor for r in _values(list(rows[:MOST_OF_MONTH])))


def standing_of_orders(order_ids: Iterable[UUID], *, sharer_id: UUID | None = None) -> dict[UUID, int]:
    """order → what its rewards stand at (of one sharer, or of everybody). Two queries."""
    rows = Reward.objects.filter(order_id__in=set(order_ids))
    out: dict[UUID, int] = {}
    for r in _values(list(rows.filter(sharer_id=sharer_id) if sharer_id else rows)):
        out[r.order_id] = out.get(r.order_id, 0) + r.standing_minor
    return out


def standing_of_lines(line_ids: Iterable[UUID]) -> dict[UUID, int]:
    """line → what its rewards stand at, all depths. Two queries."""
    out: dict[UUID, int] = {}
    for r in _values(list(Reward.objects.filter(line_id__in=set(line_ids)))):
        out[r.line_id] = out.get(r.line_id, 0) + r.standing_minor
    return out


def earned_by_day(since: datetime, until: datetime) -> dict[date, int]:
    """Day of the mall → what stands of the rewards of sales paid that day. Three queries; a declared scatter.

    What nothing happened to is summed where it lies; the few that were refunded or refused are asked of the ledger.
    """
    rows = Reward.objects.filter(accrued_at__gte=since, accrued_at__lt=until)
    touched = Q(refunded_minor__gt=0) | Q(verdict=Outcome.REFUSE)
    days = rows.exclude(touched).annotate(day=TruncDate("accrued_at", tzinfo=clock.mall_zone())).values("day")
    out: dict[date, int] = {r["day"]: r["n"] for r in days.annotate(n=Sum("accrued_minor"))}
    for r in _values(list(rows.filter(touched))):
        day = clock.mall_day(r.accrued_at)
        out[day] = out.get(day, 0) + r.standing_minor
    return out


def of_orders(order_ids: Iterable[UUID]) -> list[RewardValue]:
    """The rewards of orders, for the console."""
    return _values(list(Reward.objects.filter(order_id__in=set(order_ids)).order_by("id")))


def if_refunded(amounts: Mapping[UUID, int]) -> list[TakenBack]:
    """What refunding these amounts (line → minor units, beyond what was refunded already) would take back; two queries."""
    from tongzhou.rewards.commands import facts_of, rule_of

    rows = list(Reward.objects.filter(line_id__in=amounts).order_by("id"))
    out = []
    for row, value in zip(rows, _values(rows), strict=True):
        refunded = min(row.base_minor, row.refunded_minor + amounts[row.line_id])
        due = target(rule_of(row), facts_of(row), refunded_minor=refunded, cap_minor=row.cap_minor)
        back = max(0, value.standing_minor - due)
        out.append(
            TakenBack(row.id, row.line_id, row.sharer_id, row.plan_label, value.stage, value.standing_minor, back)
        )
    return out


def why(reward_id: UUID, *, sharer_id: UUID | None = None) -> RewardValue:
    """One reward; a sharer's own only. *Refuses:* ``reward_not_found`` (also for somebody else's)."""
    rows = Reward.objects.filter(id=reward_id)
    if sharer_id is not None:
        rows = rows.filter(sharer_id=sharer_id)
    row = rows.first()
    if row is None:
        raise not_found("reward", code="reward_not_found")
    return _values([row])[0]


def held(reward_ids: Sequence[UUID]) -> list[HeldReward]:
    """Those of these rewards whose goods arrived and that have not matured, for risk."""
    rows = Reward.objects.filter(id__in=reward_ids, matured_at=None).exclude(delivered_at=None).order_by("id")
    return [
        HeldReward(
            r.id, r.line_id, r.order_id, r.order_no, r.sharer_id, r.buyer_id, r.plan_version_id, r.base_minor,
            r.cost_minor, r.accrued_minor, r.delivered_at, r.matures_at, r.verdict,
        )
        for r in rows
        if r.delivered_at and r.matures_at
    ]  # fmt: skip


def recent(sharer_id: UUID, *, limit: int = 200) -> list[tuple[UUID, UUID, int, int, datetime, datetime | None]]:
    """A sharer's newest rewards as (order, buyer, base, refunded, accrued, matured); never more than ``limit``."""
    rows = Reward.objects.filter(sharer_id=sharer_id).order_by("-id")
    return list(
        rows.values_list("order_id", "buyer_id", "base_minor", "refunded_minor", "accrued_at", "matured_at")[:limit]
    )


def by_ids(reward_ids: Sequence[UUID]) -> dict[UUID, RewardValue]:
    """Several rewards with where their money stands."""
    return {r.id: r for r in _values(list(Reward.objects.filter(id__in=reward_ids)))}


def summary(*, by: str = "") -> list[Summary]:
    """Totals of interfaces.md: of the mall (first), and with ``by`` = sharer | day | plan of each group.

    By day and plan only what accrual decides is known per group; what became of it is grouped by the
    reward's own day or plan too, because each figure is the sum of its stories.
    """
    total = _total()
    if by == "sharer":
        return [total, *_by_sharer()]
    if by in ("day", "plan"):
        return [total, *_by_story(by)]
    return [total]


def _total() -> Summary:
    rows = _by_sharer()
    sums: dict[str, int] = {
        f.name: sum(getattr(r, f.name) for r in rows) for f in fields(Summary) if f.name not in ("key", "sharers")
    }
    return Summary(key="all", sharers=len(rows), **sums)


def _by_sharer() -> list[Summary]:
    have = books.totals_by_book(
        ("reward.expected", "reward.held", "reward.available", "payout.in_transit.reward", "receivable.clawback.reward",
         "prepaid.rewards", "expense.rewards"),
        "member",
    )  # fmt: skip
    earned = books.flow("reward.expected", "credit", kinds=("reward_accrued",))
    paid = books.flow("payout.in_transit.reward", "debit", kinds=("payout_paid",))
    back = books.flow("payout.in_transit.reward", "credit", kinds=("payout_returned",))
    repaid = books.flow("receivable.clawback.reward", "credit", kinds=("clawback_repaid",))
    given_up = books.flow("receivable.clawback.reward", "credit", kinds=("clawback_written_off",))
    out = []
    for book in sorted(earned, key=str):
        a = have.get(book, {})
        stands = a.get("prepaid.rewards", 0) + a.get("expense.rewards", 0)
        out.append(
            Summary(
                str(book), earned[book], earned[book] - stands, a.get("reward.expected", 0), a.get("reward.held", 0),
                a.get("reward.available", 0), a.get("payout.in_transit.reward", 0),
                paid.get(book, 0) - back.get(book, 0), repaid.get(book, 0),
                given_up.get(book, 0), a.get("receivable.clawback.reward", 0), 1,
            )
        )  # fmt: skip
    return out


def _by_story(by: str) -> list[Summary]:
    groups: dict[str, dict[str, Any]] = {}
    rows = Reward.objects.order_by("id")
    for r in _values(list(rows)):
        key = clock.mall_day(r.accrued_at).isoformat() if by == "day" else r.plan_label
        g = groups.setdefault(key, {"earned": 0, "reversed": 0, "expected": 0, "held": 0, "available": 0, "who": set()})
        g["earned"] += r.accrued_minor
        g["reversed"] += r.reversed_minor
        if r.stage != "reversed":
            g[r.stage] += r.standing_minor
        g["who"].add(r.sharer_id)
    return [
        Summary(k, g["earned"], g["reversed"], g["expected"], g["held"], g["available"], 0, 0, 0, 0, 0, len(g["who"]))
        for k, g in sorted(groups.items())
    ]


def orders_settled(since: Any, until: Any) -> dict[UUID, int]:
    """How many orders of each sharer had a reward become available in a period; a declared scatter, for reports."""
    rows = Reward.objects.filter(matured_at__gte=since, matured_at__lt=until)
    return {r["sharer_id"]: r["n"] for r in rows.values("sharer_id").annotate(n=Count("order_id", distinct=True))}


def promised_to_margin(since: Any) -> tuple[int, int]:
    """(rewards accrued, gross margin of their lines) since a moment, for the console's red line.

    A line has a row for each depth it pays: its margin is counted with the sharer's own.
    """
    rows = Reward.objects.filter(accrued_at__gte=since).exclude(cost_minor=None)
    own = Q(depth=1)
    found = rows.aggregate(r=Sum("accrued_minor"), n=Sum("base_minor", filter=own), c=Sum("cost_minor", filter=own))
    return found["r"] or 0, (found["n"] or 0) - (found["c"] or 0)


def by_depth() -> list[tuple[int, int, int]]:
    """(depth, rewards, accrued) of the whole mall, for the evidence: how deep money ever went."""
    rows = Reward.objects.values("depth").annotate(n=Count("id"), total=Sum("accrued_minor")).order_by("depth")
    return [(r["depth"], r["n"], r["total"]) for r in rows]
