"""What a simulation says. Amounts in minor units, shares in basis points."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from tongzhou.compliance.values import Finding


@dataclass(frozen=True, slots=True)
class SideReport:
    """One plan over the period: what it would have paid, to whom, and what each ceiling took.

    ``cost_minor`` is what is accrued in full when orders are paid; ``reversed_minor`` what the refunds
    known today take back of it. ``margin_minor`` is over the lines whose cost is known.
    """

    label: str
    cost_minor: int
    reversed_minor: int
    recruit_minor: int
    by_depth: tuple[int, ...]
    rewarded_lines: int
    cut_by_margin_minor: int
    cut_by_order_minor: int
    cut_by_month_minor: int
    earners: int
    gini_bp: int
    deciles: tuple[int, ...]
    no_outside_bp: int
    over_30: int
    revenue_bp: int
    margin_bp: int

    @property
    def net_minor(self) -> int:
        """What stands after refunds."""
        return self.cost_minor - self.reversed_minor

    @property
    def beyond_1_minor(self) -> int:
        """What goes to people further from the sale than the sharer: must be 0 in China."""
        return sum(self.by_depth[1:])


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One person under both plans, after refunds."""

    member_id: UUID
    before_minor: int
    after_minor: int

    @property
    def delta_minor(self) -> int:
        """Above zero: gains."""
        return self.after_minor - self.before_minor


@dataclass(frozen=True, slots=True)
class DayCost:
    """What was accrued on one of the mall's days under both plans."""

    day: date
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """A draft beside what was in force, over the real orders of a period.

    ``retail_bp`` is the share bought by people to whom no order of the period was attributed.
    ``unknown_cost_minor`` is the revenue of lines whose cost is not known: no margin ceiling holds there.
    """

    first: date
    last: date
    orders: int
    lines: int
    revenue_minor: int
    refunded_minor: int
    shared_minor: int
    margin_minor: int
    unknown_cost_minor: int
    retail_bp: int
    before: SideReport
    after: SideReport
    gainers: int
    losers: int
    unchanged: int
    gained_minor: int
    lost_minor: int
    changes: tuple[MemberChange, ...]
    days: tuple[DayCost, ...]
    findings: tuple[Finding, ...]
    verdict: str

    def as_dict(self, language: str = "zh-hans") -> dict[str, Any]:
        """For ``--json``: everything but the member-by-member list beyond the largest changes."""
        body: dict[str, Any] = {
            k: getattr(self, k) for k in self.__slots__ if k not in ("before", "after", "changes", "days", "findings")
        }
        body["first"], body["last"] = self.first.isoformat(), self.last.isoformat()
        for name, side in (("before", self.before), ("after", self.after)):
            body[name] = {**asdict(side), "net_minor": side.net_minor, "beyond_1_minor": side.beyond_1_minor}
        body["changes"] = [
            {"member": str(c.member_id), "before_minor": c.before_minor, "after_minor": c.after_minor,
             "delta_minor": c.delta_minor}
            for c in self.top(20)
        ]  # fmt: skip
        body["days"] = [
            {"day": d.day.isoformat(), "before_minor": d.before_minor, "after_minor": d.after_minor} for d in self.days
        ]
        body["findings"] = [f.as_dict(language) for f in self.findings]
        return body

    def top(self, count: int) -> tuple[MemberChange, ...]:
        """The largest changes either way, largest first."""
        moved = [c for c in self.changes if c.delta_minor]
        return tuple(sorted(moved, key=lambda c: (-abs(c.delta_minor), c.member_id.hex))[:count])
