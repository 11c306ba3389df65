"""Reward arithmetic: pure, integer, provable. The prose with worked numbers is docs/algorithms/reward.md.

Letters as in money.md: N what the line cost (all its tenders), P its points, M refunded so far,
all in minor units. Rates are basis points.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tongzhou.kit.money import BP, floor_bp, largest_remainder
from tongzhou.plans.values import Base, Plan, PlanVersionValue, RewardRule

Who = TypeVar("Who")


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What a rule needs to know of a line: keys to match, amounts to count."""

    sku: str
    product: str
    categories: tuple[str, ...]
    amount_minor: int
    points_minor: int
    list_minor: int
    cost_minor: int | None
    campaign: str = ""


def member_price(list_minor: int, own_minor: int | None, discount_bp: int) -> int:
    """自购省: the SKU's own member price, else the list price less the plan's discount, rounded down.

    Never above the list price. Source: domain.md §3.
    """
    price = own_minor if own_minor is not None else list_minor - list_minor * discount_bp // BP
    return min(price, list_minor)


def match(rules: Sequence[RewardRule], line: LineFacts, *, depth: int = 1) -> RewardRule | None:
    """The narrowest matching retail rule of a depth: campaign > SKU > product > category (leaf first) > global.

    Two rules equally narrow: the one written later wins, so that a file reads from general to special.
    """
    best: tuple[tuple[int, int], RewardRule] | None = None
    for position, rule in enumerate(rules):
        if rule.trigger != "retail_sale" or rule.depth != depth:
            continue
        rank = _narrowness(rule, line)
        if rank >= 0 and (best is None or (rank, position) >= best[0]):
            best = ((rank, position), rule)
    return best[1] if best else None


def _narrowness(rule: RewardRule, line: LineFacts) -> int:
    """-1 = does not match; otherwise larger is narrower."""
    if rule.campaign and rule.campaign != line.campaign:
        return -1
    if rule.sku and rule.sku != line.sku:
        return -1
    if rule.product and rule.product != line.product:
        return -1
    if rule.category and rule.category not in line.categories:
        return -1
    near = len(line.categories) - line.categories.index(rule.category) if rule.category else 0
    return 1000 * bool(rule.campaign) + 400 * bool(rule.sku) + 200 * bool(rule.product) + near


def points_returned(amount_minor: int, points_minor: int, refunded_minor: int) -> int:
    """p = ⌊P·M/N⌋, zero where N is zero."""
    return points_minor * refunded_minor // amount_minor if amount_minor else 0


def standing_base(amount_minor: int, points_minor: int, refunded_minor: int) -> int:
    """x = (N−P) − (M−p): what was really paid for the line and has not been given back."""
    back = points_returned(amount_minor, points_minor, refunded_minor)
    return (amount_minor - points_minor) - (refunded_minor - back)


def uncapped(rule: RewardRule, line: LineFacts, refunded_minor: int) -> int:
    """What the rule gives for what still stands of the line, before any ceiling.

    ``list_price`` and ``margin`` bases shrink with what stands, like a fixed amount does.
    """
    base, whole = (
        standing_base(line.amount_minor, line.points_minor, refunded_minor),
        standing_base(line.amount_minor, line.points_minor, 0),
    )
    if rule.base == Base.FIXED or rule.amount_minor:
        return rule.amount_minor * base // whole if whole else 0
    if rule.base == Base.LIST_PRICE:
        return floor_bp(line.list_minor * base // whole if whole else 0, rule.rate_bp)
    if rule.base == Base.MARGIN:
        margin = max(0, whole - line.cost_minor) if line.cost_minor is not None else 0
        return floor_bp(margin * base // whole if whole else 0, rule.rate_bp)
    return floor_bp(base, rule.rate_bp)


def line_ceiling(plan: Plan, line: LineFacts) -> int | None:
    """The most a line may pay: its gross margin, or the plan's share of it; None when the cost is unknown."""
    if line.cost_minor is None:
        return None
    margin = max(0, standing_base(line.amount_minor, line.points_minor, 0) - line.cost_minor)
    return floor_bp(margin, plan.caps.payout_to_margin_bp or BP)


@dataclass(frozen=True, slots=True)
class Award:
    """A line's reward at accrual: the rule, and the ceiling frozen for the rest of the line's life.

    The last three say how much each ceiling took: the line's margin, the order's, the month's.
    """

    rule: RewardRule
    amount_minor: int
    cap_minor: int
    cut_by_margin: int = 0
    cut_by_order: int = 0
    cut_by_month: int = 0

    @property
    def asked_minor(self) -> int:
        """What the rule alone would have given."""
        return self.amount_minor + self.cut_by_margin + self.cut_by_order + self.cut_by_month


def award_order(
    plan: Plan, lines: Sequence[LineFacts], *, month_left_minor: int | None = None, depth: int = 1,
    taken: Sequence[int] = (),
) -> list[Award | None]:  # fmt: skip
    """Reward of each line of one order under one plan at one depth, all ceilings applied and frozen per line.

    Order: rule → line's margin → order cap spread by largest remainder → month's headroom spread the
    same way. Each is a ceiling, so no step ever raises a line. ``taken`` is what shallower depths were
    given of each line: the line's margin and the order's ceiling are one room for all depths together.
    """
    found = [match(plan.rewards, line, depth=depth) for line in lines]
    gone = taken or [0] * len(lines)
    asked = [uncapped(rule, line, 0) if rule else 0 for rule, line in zip(found, lines, strict=True)]
    gross = []
    for amount, line, had in zip(asked, lines, gone, strict=True):
        ceiling = line_ceiling(plan, line)
        gross.append(amount if ceiling is None else min(amount, max(0, ceiling - had)))
    stages = [gross]
    order_cap = max(0, plan.caps.per_order_minor - sum(gone)) if plan.caps.per_order_minor else None
    for cap in (order_cap, month_left_minor):
        over = cap is not None and sum(stages[-1]) > cap
        stages.append(largest_remainder(max(0, cap or 0), stages[-1]) if over else stages[-1])
    return [
        Award(rule, m, m, a - g, g - o, o - m) if rule else None
        for rule, a, g, o, m in zip(found, asked, *stages, strict=True)
    ]


def deepest(plan: Plan) -> int:
    """How many people of a chain a plan would pay for one sale."""
    return max((r.depth for r in plan.rewards if r.trigger == "retail_sale"), default=1)


def award_chain(
    plan: Plan, lines: Sequence[LineFacts], chain: Sequence[Who | None], left: Callable[[Who], int | None]
) -> Iterator[tuple[int, Who, list[Award | None]]]:
    """(depth, who, awards) for each person of a chain: the sharer, the sharer's inviter, and so on.

    The chain's length is the caller's: never longer than the jurisdiction lets the engine pay. The
    sharer is served first and the deeper ones share what is left under the line's and the order's
    ceilings, so that what a sharer earns never depends on who invited them. ``left`` says what is left
    of somebody's month. A None in the chain (nobody, or the buyer) is passed over.
    """
    taken = [0] * len(lines)
    for depth, who in enumerate(chain, start=1):
        if who is None:
            continue
        awards = award_order(plan, lines, month_left_minor=left(who), depth=depth, taken=taken)
        taken = [had + (award.amount_minor if award else 0) for had, award in zip(taken, awards, strict=True)]
        yield depth, who, awards


def target(rule: RewardRule, line: LineFacts, *, refunded_minor: int, cap_minor: int) -> int:
    """What the line's reward should stand at now: min(rule on what still stands, the frozen ceiling).

    Monotone: a larger refund never gives a larger target. Reversal = max(0, standing − target).
    """
    return min(uncapped(rule, line, refunded_minor), cap_minor)


def owed_version(
    now: PlanVersionValue, touched: PlanVersionValue | None, *, touched_at: datetime | None, order_at: datetime,
    lines: Sequence[LineFacts],
) -> PlanVersionValue:  # fmt: skip
    """Rate lock: the version in force at the touch stays owed for its ``lock_days`` where today's pays less.

    Raises apply at once. The choice is made for the whole order, so that one order has one plan.
    """
    if touched is None or touched_at is None or touched.id == now.id:
        return now
    if order_at > touched_at + timedelta(days=touched.plan.lock_days):
        return now
    then_sum = sum(a.amount_minor for a in award_order(touched.plan, lines) if a)
    now_sum = sum(a.amount_minor for a in award_order(now.plan, lines) if a)
    return touched if then_sum > now_sum else now


def estimate(plan: Plan, line: LineFacts) -> int:
    """分享赚 on a product page: what one unit would earn, before caps of order and month."""
    award = award_order(plan, [line])[0]
    return award.amount_minor if award else 0


def known_keys(rules: Collection[RewardRule]) -> set[str]:
    """Every category, product and SKU the rules name, so that a console form can say which exist."""
    return {key for rule in rules for key in (rule.category, rule.product, rule.sku) if key}
