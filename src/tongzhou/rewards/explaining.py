"""Why an order earns somebody something, or nothing (domain.md §2): one story per goods line, read from what was kept.

Nothing is decided here a second time: who won was kept with the order, the rule and its ceilings with the
reward, the money with its postings. Only where a line has no reward is the plan asked again, and it
answers as it did then, because a used version never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from tongzhou.ledger import queries as books
from tongzhou.ledger.values import StatementLine
from tongzhou.plans import queries as plans
from tongzhou.plans.rules import LineFacts, match, uncapped
from tongzhou.rewards import deciding
from tongzhou.rewards.models import Reward
from tongzhou.rewards.queries import STANDING, as_value
from tongzhou.rewards.values import RewardValue
from tongzhou.sharing.values import AttributionValue

if TYPE_CHECKING:
    from tongzhou.orders.models import Order, OrderLine

NOBODY = ("own_order", "outside_window", "after_the_order", "binding_does_not_count")


@dataclass(frozen=True, slots=True)
class LineStory:
    """One goods line: what it leads to at each depth, or why to nothing; and the money that moved for it."""

    line: "OrderLine"
    rewards: tuple[RewardValue, ...]
    reason: str  # empty where somebody earns, or had earned before a refund
    moves: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True)
class OrderStory:
    """A whole order: why nobody earns from it (empty where somebody may), and its lines."""

    reason: str
    lines: tuple[LineStory, ...]

    @property
    def standing_minor(self) -> int:
        """What everybody together has of it now, minor units."""
        return sum(r.standing_minor for x in self.lines for r in x.rewards)


def explain(order: "Order", lines: "Sequence[OrderLine]", won: AttributionValue | None) -> OrderStory:
    """The story of an order's rewards. Two queries; a third where a line that could have earned did not."""
    rows = list(Reward.objects.filter(order_id=order.id).order_by("depth", "id"))
    moves = books.stories(sorted({r.story_id for r in rows}, key=str))
    told: dict[UUID, list[StatementLine]] = {}
    for move in moves:
        told.setdefault(move.story_id, []).append(move)
    values: dict[UUID, list[RewardValue]] = {}
    for row in rows:
        values.setdefault(row.line_id, []).append(as_value(row, _left(row, told.get(row.story_id, ()))))
    reason = why_nobody(order, won)
    goods = [x for x in lines if x.kind == "goods"]
    silent = [x for x in goods if x.id not in values]
    said = {} if reason or not silent else _why_not(order, silent, goods)
    return OrderStory(
        reason,
        tuple(
            LineStory(
                x, tuple(values.get(x.id, ())), _ceiling(values.get(x.id, ())) or said.get(x.id, ""),
                tuple(m for v in values.get(x.id, ()) for m in told.get(v.story_id or x.id, ()) if m.book_id == v.sharer_id),
            )
            for x in goods
        ),
    )  # fmt: skip


def _left(row: Reward, moves: Sequence[StatementLine]) -> int:
    """What stands of a reward as its postings say."""
    left = 0
    for move in moves:
        if move.book_id == row.sharer_id:
            for account, side in ((move.debit, 1), (move.credit, -1)):
                left += move.amount * side if account in STANDING else 0  # both are debit-normal
    return left


def why_nobody(order: "Order", won: AttributionValue | None) -> str:
    """Why nobody can earn from an order: the first of the reasons everybody lost by, or that it was never paid."""
    if order.sharer_id is None:
        reasons = {c["reason"] for c in won.candidates} if won else set()
        return next((r for r in NOBODY if r in reasons), "nobody_shared")
    if order.sharer_id == order.buyer_id:
        return "own_order"
    if order.paid_at is None:
        return "never_paid" if order.cancelled_at else "not_paid_yet"
    return ""


def _ceiling(values: Sequence[RewardValue]) -> str:
    """A line whose reward a ceiling brought to nothing at once."""
    return "ceiling" if values and all(v.accrued_minor == 0 for v in values) else ""


def _why_not(order: "Order", silent: "Sequence[OrderLine]", goods: "Sequence[OrderLine]") -> dict[UUID, str]:
    """line → why the plan gave it nothing: no plan, no rule, a rule that comes to nothing, or it is on its way."""
    versions = plans.used({v for v in (order.plan_version_id, order.touched_plan_version_id) if v})
    slugs = deciding.slugs()
    facts = {x.id: _facts(x, slugs) for x in goods}
    version = deciding.version_of(
        versions, now_id=order.plan_version_id, touched_id=order.touched_plan_version_id, touched_at=order.touched_at,
        placed_at=order.placed_at, lines=list(facts.values()),
    )  # fmt: skip
    out = {}
    for x in silent:
        if version is None:
            out[x.id] = "no_plan"
            continue
        rule = match(version.plan.rewards, facts[x.id])
        if rule is None:
            out[x.id] = "no_rule"
        else:
            out[x.id] = "on_its_way" if uncapped(rule, facts[x.id], 0) else "comes_to_nothing"
    return out


def _facts(line: "OrderLine", slugs: Mapping[UUID, str]) -> LineFacts:
    kept = tuple(slugs[i] for i in (UUID(str(c)) for c in line.category_ids) if i in slugs)
    return LineFacts(
        line.sku_code, line.product_slug, kept, line.amount_minor, line.points_minor,
        line.unit_list_minor * line.quantity, line.cost_minor,
    )  # fmt: skip
