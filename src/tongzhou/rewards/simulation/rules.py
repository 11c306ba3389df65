"""Distributions and tallies of a replay: pure, integer, in memory that grows with people, never with orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from tongzhou.kit.money import BP
from tongzhou.plans.rules import Award
from tongzhou.rewards.simulation.values import SideReport


def gini_bp(amounts: Sequence[int]) -> int:
    """Gini coefficient of amounts ≥ 0 in basis points, rounded down: 0 = all the same, 10,000 = one has all.

    G = (2·Σ i·xᵢ) / (n·Σ x) − (n + 1) / n over the amounts in rising order, i from 1.
    """
    ordered, total = sorted(amounts), sum(amounts)
    n = len(ordered)
    if n == 0 or total == 0:
        return 0
    weighted = sum(i * x for i, x in enumerate(ordered, start=1))
    return (2 * weighted - (n + 1) * total) * BP // (n * total)


def deciles(amounts: Sequence[int]) -> tuple[int, ...]:
    """The sums of ten groups of people, from those who got least to those who got most; they add up to the whole.

    Groups are as equal as ten people's worth allows: person i of n (from 0) is in group ⌊10·i/n⌋.
    """
    out = [0] * 10
    for i, amount in enumerate(sorted(amounts)):
        out[10 * i // len(amounts)] += amount
    return tuple(out)


def share_bp(part: int, whole: int) -> int:
    """part ÷ whole in basis points, rounded down; 0 where there is no whole."""
    return part * BP // whole if whole else 0


@dataclass(slots=True)
class Earner:
    """What one person got in the period, and from what."""

    accrued: int = 0
    reversed: int = 0
    own_retail: int = 0
    outside: int = 0


@dataclass(slots=True)
class Tally:
    """One plan's running sums."""

    label: str
    people: dict[UUID, Earner] = field(default_factory=dict)
    days: dict[date, int] = field(default_factory=dict)
    by_depth: list[int] = field(default_factory=list)
    lines: int = 0
    recruit: int = 0
    cuts: list[int] = field(default_factory=lambda: [0, 0, 0])

    def reward(
        self, who: UUID, day: date, depth: int, award: Award, back: int, *, base: int, outside: bool
    ) -> None:  # fmt: skip
        """One line's award at one depth; ``back`` = what refunds take of it, ``base`` = what the buyer paid."""
        person = self.people.setdefault(who, Earner())
        person.accrued += award.amount_minor
        person.reversed += back
        if depth == 1:
            person.own_retail += base
            person.outside += base if outside else 0
        self.days[day] = self.days.get(day, 0) + award.amount_minor
        while len(self.by_depth) < depth:
            self.by_depth.append(0)
        self.by_depth[depth - 1] += award.amount_minor
        self.lines += award.amount_minor > 0
        for i, cut in enumerate((award.cut_by_margin, award.cut_by_order, award.cut_by_month)):
            self.cuts[i] += cut

    def recruited(self, who: UUID, day: date, amount: int) -> None:
        """Pay for bringing somebody in: written down so that it can be seen and refused."""
        self.people.setdefault(who, Earner()).accrued += amount
        self.days[day] = self.days.get(day, 0) + amount
        self.recruit += amount

    def net(self) -> dict[UUID, int]:
        """Each person's amount after refunds."""
        return {who: p.accrued - p.reversed for who, p in self.people.items() if p.accrued}

    def report(self, revenue: int, margin: int) -> SideReport:
        """The sums as a value."""
        net = self.net()
        cost = sum(p.accrued for p in self.people.values())
        back = sum(p.reversed for p in self.people.values())
        alone = sum(1 for who in net if not self.people[who].outside)
        return SideReport(
            label=self.label, cost_minor=cost, reversed_minor=back, recruit_minor=self.recruit,
            by_depth=tuple(self.by_depth) or (0,), rewarded_lines=self.lines, cut_by_margin_minor=self.cuts[0],
            cut_by_order_minor=self.cuts[1], cut_by_month_minor=self.cuts[2], earners=len(net),
            gini_bp=gini_bp(list(net.values())), deciles=deciles(list(net.values())),
            no_outside_bp=share_bp(alone, len(net)),
            over_30=sum(1 for p in self.people.values() if p.accrued * BP > p.own_retail * 3000),
            revenue_bp=share_bp(cost, revenue), margin_bp=share_bp(cost, margin) if margin > 0 else 0,
        )  # fmt: skip
