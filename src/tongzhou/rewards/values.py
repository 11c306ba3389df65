"""What crosses the wall of rewards. All amounts in minor units."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Outcome(StrEnum):
    """What risk says of one reward."""

    PAY = "pay"
    DELAY = "delay"
    REVIEW = "review"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Risk's word on one reward; ``waits_until`` None with REVIEW waits for a person."""

    reward_id: UUID
    outcome: Outcome
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldReward:
    """A reward whose goods arrived, as risk looks at it. Amounts in minor units."""

    id: UUID
    line_id: UUID
    order_id: UUID
    order_no: str
    sharer_id: UUID
    buyer_id: UUID
    plan_version_id: UUID
    base_minor: int
    cost_minor: int | None
    accrued_minor: int
    delivered_at: datetime
    matures_at: datetime
    verdict: str


@dataclass(frozen=True, slots=True)
class Earnings:
    """A sharer's purse: every figure is a balance of the ledger."""

    expected_minor: int = 0
    held_minor: int = 0
    available_minor: int = 0
    in_payout_minor: int = 0
    paid_minor: int = 0
    receivable_minor: int = 0

    @property
    def payable_minor(self) -> int:
        """What may be asked for now: available less what is owed back."""
        return max(0, self.available_minor - self.receivable_minor)


@dataclass(frozen=True, slots=True)
class RewardValue:
    """One reward with where its money stands."""

    id: UUID
    line_id: UUID
    order_id: UUID
    order_no: str
    sharer_id: UUID
    buyer_id: UUID
    plan_label: str
    plan_version_id: UUID
    rate_bp: int
    amount_rule_minor: int
    base_minor: int
    points_minor: int
    refunded_minor: int
    cap_minor: int
    accrued_minor: int
    reversed_minor: int
    stage: str  # expected, held, available, reversed
    accrued_at: datetime
    delivered_at: datetime | None
    matures_at: datetime | None
    matured_at: datetime | None
    settle_days: int
    depth: int = 1
    story_id: UUID | None = None
    verdict: str = ""  # what risk said; empty: nothing yet
    waits_until: datetime | None = None
    asked_minor: int = 0  # what the rule alone would have given
    base: str = ""
    disputed: str = ""  # open: a chargeback keeps it back, lost: it ended with one

    @property
    def cut_minor(self) -> int:
        """What the ceilings (margin, order, month) took at accrual."""
        return max(0, self.asked_minor - self.accrued_minor)

    @property
    def standing_minor(self) -> int:
        """What is left of it."""
        return self.accrued_minor - self.reversed_minor


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a refund that has not happened yet would take back of one reward, and from which stage."""

    reward_id: UUID
    line_id: UUID
    sharer_id: UUID
    plan_label: str
    stage: str
    standing_minor: int
    back_minor: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Rewards of the whole mall, or of one group; earned − reversed = everything else in balance."""

    key: str
    earned_minor: int
    reversed_minor: int
    expected_minor: int
    held_minor: int
    available_minor: int
    in_payout_minor: int
    paid_minor: int
    repaid_minor: int
    written_off_minor: int
    receivable_minor: int
    sharers: int

    @property
    def balanced(self) -> bool:
        """The identity of interfaces.md."""
        right = (
            self.expected_minor + self.held_minor + self.available_minor + self.in_payout_minor + self.paid_minor
            - self.receivable_minor - self.repaid_minor - self.written_off_minor
        )  # fmt: skip
        return self.earned_minor - self.reversed_minor == right
