"""What a sale leads to: accrue, hold, mature, reverse; in batches, each line brought to where its snapshot says.

A fact may come late, twice, or before an older one. Each carries the line's whole state and a
version, so the work is always: ignore what is older, accrue in full if nothing was, then post the
difference between what stands and what should (money.md law 8).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from tongzhou.aftersale import queries as aftersale
from tongzhou.catalog import queries as goods
from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Draw, Fill, Leg, Move, PostingRequest
from tongzhou.orders.events import LineSnapshot, OrderFact
from tongzhou.plans import queries as plans
from tongzhou.plans.rules import Award, LineFacts, award_order, owed_version, target, uncapped
from tongzhou.plans.values import PlanVersionValue, RewardRule
from tongzhou.rewards.models import Reward

_STANDING = ("prepaid.rewards", "expense.rewards")


@transaction.atomic
def apply(facts: Sequence[OrderFact], *, at: datetime) -> int:
    """Take facts of many orders in; returns how many lines moved. Facts without a sharer are passed over."""
    newest: dict[UUID, tuple[OrderFact, LineSnapshot]] = {}
    for fact in facts:
        if fact.sharer_id is None or fact.sharer_id == fact.buyer_id:
            continue
        for line in fact.lines:
            kept = newest.get(line.line_id)
            if kept is None or line.version > kept[1].version:
                newest[line.line_id] = (fact, line)
    if not newest:
        return 0
    rows = Reward.objects.filter(line_id__in=newest)
    if connection.vendor == "postgresql":
        rows = rows.order_by("id").select_for_update()
    known = {row.line_id: row for row in rows}
    fresh = _accrue([pair for line_id, pair in newest.items() if line_id not in known], at=at)
    known.update({row.line_id: row for row in fresh})
    moved = [
        (known[line_id], fact, line)
        for line_id, (fact, line) in newest.items()
        if line_id in known and (line.version > known[line_id].line_version or _unfinished(known[line_id], line))
    ]
    _advance(moved, at=at)
    return len(moved) + len(fresh)


def _unfinished(row: Reward, line: LineSnapshot) -> bool:
    """A reward accrued just now from a snapshot that already says more than "paid"."""
    return line.version == row.line_version and (
        bool(line.delivered_at and not row.delivered_at) or line.refunded_minor > row.refunded_minor
    )


def _slugs() -> dict[UUID, str]:
    out: dict[UUID, str] = {}
    todo = list(goods.categories())
    while todo:
        node = todo.pop()
        out[node.id] = node.slug
        todo += node.children
    return out


def line_facts(line: LineSnapshot, slugs: Mapping[UUID, str]) -> LineFacts:
    """What the rules need to know of a line."""
    return LineFacts(
        line.sku_code, line.product_slug, tuple(slugs[c] for c in line.category_ids if c in slugs), line.amount_minor,
        line.points_minor, line.list_minor, line.cost_minor,
    )  # fmt: skip


def _accrue(pairs: Sequence[tuple[OrderFact, LineSnapshot]], *, at: datetime) -> list[Reward]:
    """Decide and book the rewards of lines nobody has seen: rule, rate lock and ceilings, frozen from now on."""
    orders: dict[UUID, tuple[OrderFact, list[LineSnapshot]]] = {}
    for fact, line in pairs:
        orders.setdefault(fact.order_id, (fact, []))[1].append(line)
    if not orders:
        return []
    slugs = _slugs()
    versions = plans.versions(
        {v for f, _l in orders.values() for v in (f.plan_version_id, f.touched_plan_version_id) if v}
    )
    _hold_months([f for f, _l in orders.values()], versions)
    used: dict[UUID, int] = {}
    rows: list[Reward] = []
    for fact, lines in sorted(orders.values(), key=lambda o: (o[0].placed_at, o[0].order_id)):
        facts = [line_facts(line, slugs) for line in lines]
        version = _version(fact, versions, facts)
        if version is None or fact.sharer_id is None:
            continue
        left = _month_left(fact.sharer_id, version, used, at)
        awards = award_order(version.plan, facts, month_left_minor=left)
        for line, award, about in zip(lines, awards, facts, strict=True):
            # A ceiling that leaves nothing is a decision too: kept, so that room found later does not reopen it.
            if award and (award.amount_minor or uncapped(award.rule, about, 0)):
                rows.append(_row(fact, line, award, version, fact.sharer_id, at))
                used[fact.sharer_id] = used.get(fact.sharer_id, 0) + award.amount_minor
    happened = {line.line_id: fact.happened_at for fact, line in pairs}
    posted = ledger.post_many(
        [
            PostingRequest(
                r.sharer_id, "reward_accrued", f"reward:{r.line_id}", r.line_id,
                (Move("prepaid.rewards", "reward.expected", r.accrued_minor),), happened[r.line_id], plan_version=r.plan_label,
            )
            for r in rows
            if r.accrued_minor
        ],
        by=SYSTEM, at=at,
    )  # fmt: skip
    for row, post in zip([r for r in rows if r.accrued_minor], posted, strict=True):
        row.accrual_transfer_id = post.transfers[0].id
    Reward.objects.bulk_create(rows)
    return rows


def _version(
    fact: OrderFact, versions: Mapping[UUID, PlanVersionValue], lines: Sequence[LineFacts]
) -> PlanVersionValue | None:  # fmt: skip
    now = versions.get(fact.plan_version_id) if fact.plan_version_id else None
    if now is None:
        return None
    touched = versions.get(fact.touched_plan_version_id) if fact.touched_plan_version_id else None
    return owed_version(now, touched, touched_at=fact.touched_at, order_at=fact.placed_at, lines=lines)


def _hold_months(facts: Sequence[OrderFact], versions: Mapping[UUID, PlanVersionValue]) -> None:
    """Where a monthly ceiling may apply, accruals of one sharer follow one another: two cannot use the same room."""
    if any(v.plan.caps.per_month_minor for v in versions.values()):
        ledger.hold_books(sorted({f.sharer_id for f in facts if f.sharer_id}, key=lambda i: i.hex))


def _month_left(sharer: UUID, version: PlanVersionValue, used: Mapping[UUID, int], at: datetime) -> int | None:
    """Headroom under the monthly ceiling: what still stands of this month's rewards counts, a reversal frees it."""
    cap = version.plan.caps.per_month_minor
    if not cap:
        return None
    start = clock.day_start(clock.mall_day(at).replace(day=1))
    stories = list(Reward.objects.filter(sharer_id=sharer, accrued_at__gte=start).values_list("line_id", flat=True))
    standing = books.standing_many([(sharer, s) for s in stories], _STANDING)
    have = sum(sum(accounts.values()) for accounts in standing.values())
    return max(0, cap - have - used.get(sharer, 0))


def _row(
    fact: OrderFact, line: LineSnapshot, award: Award, version: PlanVersionValue, sharer_id: UUID, at: datetime
) -> Reward:  # fmt: skip
    return Reward(
        line_id=line.line_id, order_id=fact.order_id, order_no=fact.order_no, sharer_id=sharer_id,
        buyer_id=fact.buyer_id, attribution_id=fact.attribution_id, plan_version_id=version.id,
        plan_label=version.label, rule=asdict(award.rule), base_minor=line.amount_minor, points_minor=line.points_minor,
        list_minor=line.list_minor, cost_minor=line.cost_minor, cap_minor=award.cap_minor,
        accrued_minor=award.amount_minor, line_version=line.version, settle_days=version.plan.settle_days,
        accrued_at=at,
    )  # fmt: skip


@dataclass(slots=True)
class _Step:
    row: Reward
    fact: OrderFact
    line: LineSnapshot
    legs: tuple[Leg, ...]


def _advance(moved: Sequence[tuple[Reward, OrderFact, LineSnapshot]], *, at: datetime) -> None:
    """Bring known rewards to where their newest snapshot says, in one posting each."""
    if not moved:
        return
    standing = books.standing_many([(row.sharer_id, row.line_id) for row, _f, _l in moved], _STANDING)
    steps = []
    for row, fact, line in moved:
        have = sum(standing[row.sharer_id, row.line_id].values())
        legs = _legs(row, line, have)
        row.refunded_minor = max(row.refunded_minor, line.refunded_minor)
        row.line_version = line.version
        if line.delivered_at and row.delivered_at is None:
            row.delivered_at = line.delivered_at
            row.matures_at = line.delivered_at + timedelta(days=row.settle_days)
        steps.append(_Step(row, fact, line, tuple(legs)))
    ledger.post_many(
        [
            PostingRequest(
                s.row.sharer_id, "reward_moved", f"reward:{s.row.line_id}:v{s.line.version}", s.row.line_id, s.legs,
                s.fact.happened_at, plan_version=s.row.plan_label,
            )
            for s in steps
            if s.legs
        ],
        by=SYSTEM, at=at,
    )  # fmt: skip
    # An upsert over the known ids: one flat statement, where an UPDATE with a CASE per row grows with its square.
    Reward.objects.bulk_create(
        [s.row for s in steps],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["refunded_minor", "line_version", "delivered_at", "matures_at"],
    )


def facts_of(row: Reward) -> LineFacts:
    """The frozen facts of a reward's line."""
    return LineFacts("", "", (), row.base_minor, row.points_minor, row.list_minor, row.cost_minor)


def rule_of(row: Reward) -> RewardRule:
    """The frozen rule of a reward."""
    return RewardRule(**row.rule)


def _legs(row: Reward, line: LineSnapshot, standing: int) -> list[Leg]:
    """Reversal on the stage the money is at, then the step to "held" when the line arrived."""
    due = target(
        rule_of(row),
        facts_of(row),
        refunded_minor=max(row.refunded_minor, line.refunded_minor),
        cap_minor=row.cap_minor,
    )
    back = max(0, standing - due)
    legs: list[Leg] = []
    cite = row.accrual_transfer_id
    if back:
        if row.delivered_at is None:
            legs.append(Move("reward.expected", "prepaid.rewards", back, cites=cite))
        elif row.matured_at is None:
            legs.append(Move("reward.held", "expense.rewards", back, cites=cite))
        else:
            legs.append(Draw("reward.available", "receivable.clawback.reward", "expense.rewards", back, cites=cite))
    left = standing - back
    if line.delivered_at and row.delivered_at is None and left:
        legs.append(Move("expense.rewards", "prepaid.rewards", left))
        legs.append(Move("reward.expected", "reward.held", left))
    return legs


def mature_due(*, at: datetime, most: int = 500) -> int:
    """Make available what has waited out its window with nothing open; in batches, each its own transaction.

    The walk goes on behind rewards that must wait (an open case), so that they hold up no other.
    """
    total, after = 0, None
    while True:
        done, after = _mature_batch(at, most, after)
        total += done
        if after is None:
            return total


Place = tuple[datetime, UUID]  # where a walk in (matures_at, id) order stands


@transaction.atomic
def _mature_batch(at: datetime, most: int, after: Place | None) -> tuple[int, Place | None]:
    """One step of the walk: how many matured, and where the next step begins (None: nothing is left)."""
    due = (
        Reward.objects.filter(matured_at=None, matures_at__lte=at)
        .exclude(delivered_at=None)
        .order_by("matures_at", "id")
    )
    if after:
        due = due.filter(Q(matures_at__gt=after[0]) | Q(matures_at=after[0], id__gt=after[1]))
    if connection.vendor == "postgresql":
        due = due.select_for_update(skip_locked=True)
    rows = list(due[:most])
    if not rows:
        return 0, None
    last = rows[-1]
    onward = (last.matures_at, last.id) if len(rows) == most and last.matures_at else None
    waiting = aftersale.open_line_ids([row.line_id for row in rows])
    ready = [row for row in rows if row.line_id not in waiting]
    if not ready:
        return 0, onward
    held = books.standing_many([(row.sharer_id, row.line_id) for row in ready], ["reward.held"])
    ledger.post_many(list(_maturing(ready, held)), by=SYSTEM, at=at)
    done = Reward.objects.filter(id__in=[row.id for row in ready], matured_at=None).update(matured_at=at)
    return done, onward


def _maturing(
    rows: Iterable[Reward], held: Mapping[tuple[UUID, UUID], Mapping[str, int]]
) -> Iterable[PostingRequest]:  # fmt: skip
    for row in rows:
        amount = held[row.sharer_id, row.line_id].get("reward.held", 0)
        if amount and row.matures_at:
            yield PostingRequest(
                row.sharer_id, "reward_matured", f"reward:{row.line_id}:matured", row.line_id,
                (Fill("reward.held", "reward.available", amount, nets="receivable.clawback.reward"),), row.matures_at,
                plan_version=row.plan_label,
            )  # fmt: skip
