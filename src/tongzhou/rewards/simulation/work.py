"""Replaying the real orders of a period under a draft, beside what was in force.

Both sides go through the same :func:`~tongzhou.plans.rules.award_chain` as accrual does, over one stream
of orders in the order they were paid; "in force" is each order's own version with its rate lock, so its
cost is what the ledger says was accrued, to the cent. The draft is taken as if it had been in force all
along: no lock of an older plan, every level it writes down (that is how an unlawful one shows what it
would pay), attribution asked again where its policy differs.

What is not replayed: whether people would have shared or bought more, or at another member price.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from tongzhou.compliance.values import verdict
from tongzhou.compliance.vocabulary import HEADCOUNT_TRIGGERS
from tongzhou.kit import clock
from tongzhou.kit.refusals import invalid
from tongzhou.orders import queries as orders
from tongzhou.orders.values import PartRefund, SoldOrder
from tongzhou.people import queries as people
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as versions
from tongzhou.plans.document import plan_of
from tongzhou.plans.rules import LineFacts, award_chain, deepest, standing_base, target
from tongzhou.plans.values import AttributionModel, Plan, PlanVersionValue, RewardRule
from tongzhou.rewards import deciding
from tongzhou.rewards.simulation.rules import Tally, share_bp
from tongzhou.rewards.simulation.values import DayCost, MemberChange, Simulation
from tongzhou.sharing import queries as sharing
from tongzhou.sharing.rules import choose
from tongzhou.sharing.values import Candidate

CHUNK = 500
MOST_DAYS = 3_700
Progress = Callable[[int], None]


@dataclass(slots=True)
class _Months:
    """What each person has used of the running month, and what a refund would give back of it."""

    month: datetime | None = None
    used: dict[UUID, int] = field(default_factory=dict)
    standing: dict[UUID, list["_Standing"]] = field(default_factory=dict)

    def enter(self, month: datetime) -> None:
        """A new month begins with nothing used."""
        if month != self.month:
            self.month = month
            self.used.clear()
            self.standing.clear()


@dataclass(slots=True)
class _Standing:
    """A reward of this month that later refunds shrink."""

    who: UUID
    rule: RewardRule
    line: LineFacts
    cap: int
    stands: int
    refunded: int = 0


@dataclass(slots=True)
class _Side:
    """One plan being replayed."""

    tally: Tally
    months: _Months = field(default_factory=_Months)


@dataclass(slots=True)
class _World:
    """What the whole replay shares."""

    draft: Plan
    since: datetime
    slugs: Mapping[UUID, str]
    participants: set[UUID]
    before: _Side
    after: _Side
    versions: dict[UUID, PlanVersionValue] = field(default_factory=dict)
    orders: int = 0
    lines: int = 0
    revenue: int = 0
    refunded: int = 0
    shared: int = 0
    margin: int = 0
    unknown: int = 0
    inside: int = 0


def simulate(
    document: Mapping[str, Any], *, since: datetime, until: datetime, at: datetime, progress: Progress | None = None
) -> Simulation:  # fmt: skip
    """Replay the orders paid in [since, until) under a draft document beside the plans in force. Nothing is written.

    Memory grows with the people who earn, not with the orders. *Refuses:* ``plan_invalid``,
    ``period_empty``, ``period_too_long``.
    """
    draft = plan_of(document)
    if since >= until:
        raise invalid(
            "period_empty", _("结束要在开始之后。"), field="to", value=clock.mall_day(until).isoformat(),
            rule=_("开始 < 结束"), fix=_("换一个更晚的结束日期。"),
        )  # fmt: skip
    if until - since > timedelta(days=MOST_DAYS):
        raise invalid("period_too_long", _("一次最多重放十年。"), field="from", value=clock.mall_day(since).isoformat())
    world = _World(
        draft, since, deciding.slugs(), orders.sharers_between(since, until), _Side(Tally(_("当时生效的计划"))),
        _Side(Tally(f"{draft.code}")),
    )  # fmt: skip
    for done, chunk in enumerate(_chunks(_events(since, until)), start=1):
        _replay(world, chunk)
        if progress:
            progress(done * CHUNK)
    _recruits(world, until)
    return _report(world, document, since, until, at)


def _events(since: datetime, until: datetime) -> Iterator[SoldOrder | PartRefund]:
    """Orders and refunds in the order of time, from the month's beginning, because a month's room is one room."""
    start = deciding.month_of(since)
    return heapq.merge(
        orders.paid_between(start, until), orders.refunded_between(start, until),
        key=lambda e: (e.paid_at, 0) if isinstance(e, SoldOrder) else (e.at, 1),
    )  # fmt: skip


def _chunks(events: Iterator[SoldOrder | PartRefund]) -> Iterator[list[SoldOrder | PartRefund]]:
    chunk: list[SoldOrder | PartRefund] = []
    for event in events:
        chunk.append(event)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _replay(world: _World, chunk: Sequence[SoldOrder | PartRefund]) -> None:
    sold = [e for e in chunk if isinstance(e, SoldOrder)]
    ids = {v for o in sold for v in (o.plan_version_id, o.touched_plan_version_id) if v} - world.versions.keys()
    world.versions.update(versions.versions(ids))
    payee = _payees(world, sold)
    were = {o.id: _sale(o, o.sharer_id) for o in sold}
    would = {o.id: _sale(o, payee[o.id]) for o in sold}
    used = {v for o in sold for v in (o.plan_version_id, o.touched_plan_version_id) if v}
    paid_depth = deciding.levels(world.versions[v] for v in used if v in world.versions)
    before = deciding.chains([s for s in were.values() if s], paid_depth)
    after = deciding.chains([s for s in would.values() if s], deepest(world.draft))
    for event in chunk:
        if isinstance(event, PartRefund):
            for side in (world.before, world.after):
                _give_back(side.months, event)
            continue
        facts = [
            LineFacts(
                x.sku_code, x.product_slug, tuple(world.slugs[c] for c in x.category_ids if c in world.slugs),
                x.amount_minor, x.points_minor, x.list_minor, x.cost_minor,
            )
            for x in event.lines
        ]  # fmt: skip
        _count(world, event, facts)
        was, would_be = were[event.id], would[event.id]
        version = deciding.version_of(
            world.versions, now_id=event.plan_version_id, touched_id=event.touched_plan_version_id,
            touched_at=event.touched_at, placed_at=event.placed_at, lines=facts,
        )  # fmt: skip
        if was and version:
            _award(world, world.before, version.plan, event, facts, before[was])
        if would_be:
            _award(world, world.after, world.draft, event, facts, after[would_be])


def _sale(order: SoldOrder, sharer: UUID | None) -> deciding.Sale | None:
    return (sharer, order.buyer_id, order.placed_at) if sharer and sharer != order.buyer_id else None


def _payees(world: _World, sold: Sequence[SoldOrder]) -> dict[UUID, UUID | None]:
    """Whom the draft's policy would pay: the order's own sharer where the policy is the same, else asked again."""
    policy = world.draft.attribution
    other = [
        o for o in sold
        if not o.guest and not (o.plan_version_id in world.versions
                                and world.versions[o.plan_version_id].plan.attribution == policy)
    ]  # fmt: skip
    out: dict[UUID, UUID | None] = {o.id: None if o.guest else o.sharer_id for o in sold}
    if not other:
        return out
    kept = sharing.candidates_of([o.id for o in other])
    bound = people.bindings_of([o.buyer_id for o in other]) if policy.model == AttributionModel.BINDING_FIRST else {}
    for o in other:
        able = list(kept.get(o.id, ()))
        if o.buyer_id in bound and not any(c.kind == "binding" for c in able):
            inviter, since = bound[o.buyer_id]
            able.append(Candidate("binding", inviter, min(since, o.placed_at)))
        won = choose(able, policy, order_at=o.placed_at, buyer_id=o.buyer_id).winner
        out[o.id] = won.sharer_id if won else None
    return out


def _count(world: _World, order: SoldOrder, facts: Sequence[LineFacts]) -> None:
    """The period's own figures, the same for both plans."""
    if order.paid_at < world.since:
        return
    paid = sum(standing_base(f.amount_minor, f.points_minor, 0) for f in facts)
    world.orders += 1
    world.lines += len(facts)
    world.revenue += paid
    world.refunded += sum(x.refunded_minor for x in order.lines)
    world.shared += paid if order.sharer_id else 0
    world.inside += paid if order.buyer_id in world.participants else 0
    for f in facts:
        base = standing_base(f.amount_minor, f.points_minor, 0)
        if f.cost_minor is None:
            world.unknown += base
        else:
            world.margin += base - f.cost_minor


def _award(
    world: _World, side: _Side, plan: Plan, order: SoldOrder, facts: Sequence[LineFacts], chain: deciding.Chain
) -> None:  # fmt: skip
    """What one order pays under one plan."""
    cap, months = plan.caps.per_month_minor, side.months
    months.enter(deciding.month_of(order.paid_at))

    def left(who: UUID) -> int | None:
        return max(0, cap - months.used.get(who, 0)) if cap else None

    day, counts = clock.mall_day(order.paid_at), order.paid_at >= world.since
    outside = order.buyer_id not in world.participants
    for depth, who, awards in award_chain(plan, facts, chain, left):
        for line, about, award in zip(order.lines, facts, awards, strict=True):
            if award is None or not award.asked_minor:
                continue
            months.used[who] = months.used.get(who, 0) + award.amount_minor
            back = 0
            if line.refunded_minor:
                due = target(award.rule, about, refunded_minor=line.refunded_minor, cap_minor=award.cap_minor)
                back = max(0, award.amount_minor - due)
                months.standing.setdefault(line.id, []).append(
                    _Standing(who, award.rule, about, award.cap_minor, award.amount_minor)
                )
            if counts:
                base = standing_base(about.amount_minor, about.points_minor, 0)
                side.tally.reward(who, day, depth, award, back, base=base, outside=outside)


def _give_back(months: _Months, refund: PartRefund) -> None:
    """A refund frees its sharer's month for later accruals, as the books do."""
    for row in months.standing.get(refund.line_id, ()):
        row.refunded += refund.amount_minor
        due = target(row.rule, row.line, refunded_minor=row.refunded, cap_minor=row.cap)
        freed = max(0, row.stands - due)
        row.stands -= freed
        months.used[row.who] = months.used.get(row.who, 0) - freed


def _recruits(world: _World, until: datetime) -> None:
    """Pay for heads, where a draft writes it down: one amount for each binding of the period."""
    amount = sum(r.amount_minor for r in world.draft.rewards if r.trigger in HEADCOUNT_TRIGGERS)
    if amount:
        for inviter, at in people.bound_between(world.since, until):
            world.after.tally.recruited(inviter, clock.mall_day(at), amount)


def _report(
    world: _World, document: Mapping[str, Any], since: datetime, until: datetime, at: datetime
) -> Simulation:  # fmt: skip
    was, would = world.before.tally.net(), world.after.tally.net()
    changes = [MemberChange(who, was.get(who, 0), would.get(who, 0)) for who in sorted(was.keys() | would.keys())]
    gains = [c.delta_minor for c in changes if c.delta_minor > 0]
    losses = [-c.delta_minor for c in changes if c.delta_minor < 0]
    days = world.before.tally.days.keys() | world.after.tally.days.keys()
    found = plans.check(document, at=at)
    return Simulation(
        first=clock.mall_day(since), last=clock.mall_day(until - timedelta(microseconds=1)), orders=world.orders,
        lines=world.lines, revenue_minor=world.revenue, refunded_minor=world.refunded, shared_minor=world.shared,
        margin_minor=world.margin, unknown_cost_minor=world.unknown,
        retail_bp=share_bp(world.revenue - world.inside, world.revenue),
        before=world.before.tally.report(world.revenue, world.margin),
        after=world.after.tally.report(world.revenue, world.margin), gainers=len(gains), losers=len(losses),
        unchanged=len(changes) - len(gains) - len(losses), gained_minor=sum(gains), lost_minor=sum(losses),
        changes=tuple(changes),
        days=tuple(
            DayCost(d, world.before.tally.days.get(d, 0), world.after.tally.days.get(d, 0)) for d in sorted(days)
        ),
        findings=found, verdict=verdict(found),
    )  # fmt: skip
