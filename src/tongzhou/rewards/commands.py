"""What a sale leads to: accrue, hold, mature, reverse; in batches, each line brought to where its snapshot says.

A fact may come late, twice, or before an older one. Each carries the line's whole state and a
version, so the work is always: ignore what is older, accrue in full if nothing was, then post the
difference between what stands and what should (money.md law 8).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import connection

from tongzhou.kit import outbox, selects, sheets
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Draw, Fill, Leg, Move, PostingRequest, Take
from tongzhou.orders.events import LineSnapshot, OrderFact
from tongzhou.plans import queries as plans
from tongzhou.plans.rules import Award, LineFacts, award_chain, target
from tongzhou.plans.values import PlanVersionValue, RewardRule
from tongzhou.rewards import deciding
from tongzhou.rewards.events import RewardsHeld
from tongzhou.rewards.maturing import mature_due
from tongzhou.rewards.models import Reward
from tongzhou.rewards.verdicts import PATIENCE, record_verdicts, refuse, restore

__all__ = ["mature_due", "record_verdicts", "refuse", "restore"]

_STANDING = ("prepaid.rewards", "expense.rewards")
Used = dict[tuple[UUID, datetime], int]  # (sharer, month) → given in this batch and not booked yet


@command()
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
    known: dict[UUID, list[Reward]] = {}
    for row in _locked(newest):
        known.setdefault(row.line_id, []).append(row)
    fresh = _accrue([pair for line_id, pair in newest.items() if line_id not in known], at=at)
    for row in fresh:
        known.setdefault(row.line_id, []).append(row)
    moved = [
        (row, fact, line)
        for line_id, (fact, line) in newest.items()
        for row in known.get(line_id, ())
        if line.version > row.line_version or _unfinished(row, line)
    ]
    _advance(moved, at=at)
    sheets.write(fresh)
    return len({row.line_id for row, _f, _l in moved} | {row.line_id for row in fresh})


def _locked(line_ids: Iterable[UUID]) -> list[Reward]:
    """The rewards of these lines, locked in one order."""
    want, params = sheets.table("w", {"line_id": ("uuid", list(line_ids))})
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    return selects.many(Reward, f"t.line_id IN (SELECT w.line_id FROM {want}) ORDER BY t.id{lock}", params)  # noqa: S608


def _unfinished(row: Reward, line: LineSnapshot) -> bool:
    """A reward accrued just now from a snapshot that already says more than "paid"."""
    return line.version == row.line_version and (
        bool(line.delivered_at and not row.delivered_at)
        or line.refunded_minor > row.refunded_minor
        or line.disputed != row.disputed
    )


def line_facts(line: LineSnapshot, slugs: Mapping[UUID, str]) -> LineFacts:
    """What the rules need to know of a line."""
    return LineFacts(
        line.sku_code, line.product_slug, tuple(slugs[c] for c in line.category_ids if c in slugs), line.amount_minor,
        line.points_minor, line.list_minor, line.cost_minor,
    )  # fmt: skip


def _accrue(pairs: Sequence[tuple[OrderFact, LineSnapshot]], *, at: datetime) -> list[Reward]:
    """Decide and book the rewards of lines nobody has seen: rule, rate lock and ceilings, frozen from now on.

    The rows come back unsaved: the same call may still take them a step further.
    """
    orders: dict[UUID, tuple[OrderFact, list[LineSnapshot]]] = {}
    for fact, line in pairs:
        orders.setdefault(fact.order_id, (fact, []))[1].append(line)
    if not orders:
        return []
    slugs = deciding.slugs()
    versions = plans.versions(
        {v for f, _l in orders.values() for v in (f.plan_version_id, f.touched_plan_version_id) if v}
    )
    chains = deciding.chains([_sale(f) for f, _l in orders.values()], deciding.levels(versions.values()))
    _hold_months(chains.values(), versions)
    used: Used = {}
    rows: list[Reward] = []
    for fact, lines in sorted(orders.values(), key=lambda o: (o[0].placed_at, o[0].order_id)):
        facts = [line_facts(line, slugs) for line in lines]
        version = deciding.version_of(
            versions, now_id=fact.plan_version_id, touched_id=fact.touched_plan_version_id,
            touched_at=fact.touched_at, placed_at=fact.placed_at, lines=facts,
        )  # fmt: skip
        if version is None:
            continue
        month, cap = deciding.month_of(fact.happened_at), version.plan.caps.per_month_minor
        left = partial(_month_left, cap=cap, used=used, month=month)
        for depth, who, awards in award_chain(version.plan, facts, chains[_sale(fact)], left):
            for line, award in zip(lines, awards, strict=True):
                # A ceiling that leaves nothing is a decision too: kept, so that room found later does not reopen it.
                if award and award.asked_minor:
                    rows.append(_row(fact, line, award, version, who, depth))
                    used[who, month] = used.get((who, month), 0) + award.amount_minor
    _book(rows, {line.line_id: fact.happened_at for fact, line in pairs}, at=at)
    return rows


def _sale(fact: OrderFact) -> deciding.Sale:
    if fact.sharer_id is None:
        raise ValueError("a sale nobody shared leads to no reward")
    return fact.sharer_id, fact.buyer_id, fact.placed_at


def _reference(row: Reward) -> str:
    """The reward's name in its sharer's book."""
    return deciding.reference_of(row.line_id, row.depth)


def _book(rows: Sequence[Reward], happened: Mapping[UUID, datetime], *, at: datetime) -> None:
    """The first posting of each reward, remembered in its row."""
    paying = [r for r in rows if r.accrued_minor]
    posted = ledger.post_many(
        [
            PostingRequest(
                r.sharer_id, "reward_accrued", _reference(r), r.story_id,
                (Move("prepaid.rewards", "reward.expected", r.accrued_minor),), happened[r.line_id], plan_version=r.plan_label,
            )
            for r in paying
        ],
        by=SYSTEM, at=at,
    )  # fmt: skip
    for row, post in zip(paying, posted, strict=True):
        row.accrual_transfer_id = post.transfers[0].id


def _hold_months(chains: Iterable[deciding.Chain], versions: Mapping[UUID, PlanVersionValue]) -> None:
    """Where a monthly ceiling may apply, accruals of one sharer follow one another: two cannot use the same room."""
    if any(v.plan.caps.per_month_minor for v in versions.values()):
        ledger.hold_books(sorted({who for chain in chains for who in chain if who}, key=lambda i: i.hex))


def _month_left(sharer: UUID, *, cap: int, used: Mapping[tuple[UUID, datetime], int], month: datetime) -> int | None:
    """Headroom under the ceiling of the month in which the sale happened: what still stands of its rewards
    counts, a reversal frees it. An imported sale falls into its own month, not into that of the import.
    """
    if not cap:
        return None
    until = deciding.month_of(month + timedelta(days=40))
    rows = Reward.objects.filter(sharer_id=sharer, accrued_at__gte=month, accrued_at__lt=until)
    standing = books.standing_many([(sharer, s) for s in rows.values_list("story_id", flat=True)], _STANDING)
    have = sum(sum(accounts.values()) for accounts in standing.values())
    return max(0, cap - have - used.get((sharer, month), 0))


def _row(
    fact: OrderFact, line: LineSnapshot, award: Award, version: PlanVersionValue, sharer_id: UUID, depth: int
) -> Reward:  # fmt: skip
    return sheets.row(Reward, {
        "id": new_id(), "line_id": line.line_id, "depth": depth, "story_id": deciding.story_of(line.line_id, depth),
        "order_id": fact.order_id, "order_no": fact.order_no, "sharer_id": sharer_id, "buyer_id": fact.buyer_id,
        "attribution_id": fact.attribution_id, "plan_version_id": version.id, "plan_label": version.label,
        "rule": _document(award.rule), "base_minor": line.amount_minor, "points_minor": line.points_minor,
        "list_minor": line.list_minor, "cost_minor": line.cost_minor, "cap_minor": award.cap_minor,
        "accrued_minor": award.amount_minor, "accrual_transfer_id": None, "refunded_minor": 0, "disputed": "",
        "line_version": line.version, "settle_days": version.plan.settle_days, "accrued_at": fact.happened_at,
        "delivered_at": None, "matures_at": None, "matured_at": None, "verdict": "", "verdict_at": None,
        "waits_until": None,
    })  # fmt: skip


@cache
def _document(rule: RewardRule) -> dict[str, Any]:
    """A rule as a reward keeps it; shared by all that keep the same."""
    return asdict(rule)


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
    standing = books.standing_many(
        [(row.sharer_id, row.story_id) for row, _f, _l in moved], (*_STANDING, "reward.held")
    )
    steps, arrived = [], []
    for row, fact, line in moved:
        told = standing[row.sharer_id, row.story_id]
        legs = _legs(row, line, sum(told.get(a, 0) for a in _STANDING), told.get("reward.held", 0))
        row.disputed = line.disputed
        row.refunded_minor = max(row.refunded_minor, line.refunded_minor)
        row.line_version = line.version
        if line.delivered_at and row.delivered_at is None:
            row.delivered_at = line.delivered_at
            row.matures_at = line.delivered_at + timedelta(days=row.settle_days)
            if row.matures_at + PATIENCE > at:  # history long past has no verdict to wait for
                arrived.append(row.id)
        steps.append(_Step(row, fact, line, tuple(legs)))
    ledger.post_many(
        [
            PostingRequest(
                s.row.sharer_id, "reward_moved", f"{_reference(s.row)}:v{s.line.version}", s.row.story_id, s.legs,
                s.fact.happened_at, plan_version=s.row.plan_label,
            )
            for s in steps
            if s.legs
        ],
        by=SYSTEM, at=at,
    )  # fmt: skip
    _save([s.row for s in steps if not s.row._state.adding])
    outbox.publish(*[RewardsHeld(tuple(arrived[i : i + 64])) for i in range(0, len(arrived), 64)], at=at)


def _save(rows: Sequence[Reward]) -> None:
    """Write down where known rewards stand now; they are locked."""
    if not rows:
        return
    want, params = sheets.table("w", {
        "id": ("uuid", [r.id for r in rows]),
        "refunded": ("bigint", [r.refunded_minor for r in rows]),
        "version": ("bigint", [r.line_version for r in rows]),
        "delivered": ("timestamptz", [r.delivered_at for r in rows]),
        "matures": ("timestamptz", [r.matures_at for r in rows]),
        "disputed": ("text", [r.disputed for r in rows]),
    })  # fmt: skip
    sheets.run(
        "UPDATE rewards_reward SET refunded_minor = w.refunded, line_version = w.version,"  # noqa: S608
        f" delivered_at = w.delivered, matures_at = w.matures, disputed = w.disputed FROM {want} WHERE rewards_reward.id = w.id",
        params,
    )


def facts_of(row: Reward) -> LineFacts:
    """The frozen facts of a reward's line."""
    return LineFacts("", "", (), row.base_minor, row.points_minor, row.list_minor, row.cost_minor)


def rule_of(row: Reward) -> RewardRule:
    """The frozen rule of a reward."""
    return RewardRule(**row.rule)


def _legs(row: Reward, line: LineSnapshot, standing: int, held: int) -> list[Leg]:
    """Reversal on the stage the money is at, then the step to "held" when the line arrived, then a chargeback's hold.

    ``held``: what of it is in ``reward.held``; of a matured reward only while a chargeback holds it back.
    """
    refunded = max(row.refunded_minor, line.refunded_minor)
    due = target(rule_of(row), facts_of(row), refunded_minor=refunded, cap_minor=row.cap_minor)
    back = standing if line.disputed == "lost" else max(0, standing - due)
    legs: list[Leg] = []
    cite = row.accrual_transfer_id
    near = min(back, held) if row.matured_at else 0
    if back:
        if row.delivered_at is None:
            legs.append(Move("reward.expected", "prepaid.rewards", back, cites=cite))
        elif row.matured_at is None:
            legs.append(Move("reward.held", "expense.rewards", back, cites=cite))
        else:
            legs += [Move("reward.held", "expense.rewards", near, cites=cite)] if near else []
            if back > near:
                legs.append(
                    Draw("reward.available", "receivable.clawback.reward", "expense.rewards", back - near, cites=cite)
                )
    left = standing - back
    if line.delivered_at and row.delivered_at is None and left:
        legs.append(Move("expense.rewards", "prepaid.rewards", left))
        legs.append(Move("reward.expected", "reward.held", left))
    return [*legs, *_hold(row, line, left, held - near)] if row.matured_at else legs


def _hold(row: Reward, line: LineSnapshot, left: int, held: int) -> list[Leg]:
    """While the payer's bank decides, what had matured is held back as far as it is still there; then let go."""
    if line.disputed == "open" and row.disputed != "open" and left:
        return [Take("reward.available", "reward.held", left)]
    if row.disputed == "open" and line.disputed != "open" and held:
        return [Fill("reward.held", "reward.available", held, nets="receivable.clawback.reward")]
    return []
