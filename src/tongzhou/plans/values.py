"""A reward plan as data: what `plan.toml` says, frozen.

Amounts are minor units, rates basis points, windows days. Unlawful shapes have a place here on
purpose (depths, join fees, ranks): what cannot be written down cannot be simulated, explained
and refused.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class AttributionModel(StrEnum):
    """Who earns from an order when several people had a part in it (domain.md §2)."""

    LAST_TOUCH = "last_touch"
    FIRST_TOUCH = "first_touch"
    BINDING_FIRST = "binding_first"


class Base(StrEnum):
    """What a rate is applied to. Only ``paid_net`` is the default of a lawful plan."""

    PAID_NET = "paid_net"
    LIST_PRICE = "list_price"
    MARGIN = "margin"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Attribution:
    """The policy that picks one winner per order."""

    model: str = AttributionModel.LAST_TOUCH
    window_days: int = 7
    protection_days: int = 0


@dataclass(frozen=True, slots=True)
class MemberPrice:
    """自购省: the member price as a discount on the list price, where a SKU has no price of its own."""

    discount_bp: int = 0


@dataclass(frozen=True, slots=True)
class RewardRule:
    """One reward: matched by the narrowest of campaign, SKU, product, category; empty means all."""

    trigger: str = "retail_sale"
    depth: int = 1
    base: str = Base.PAID_NET
    rate_bp: int = 0
    amount_minor: int = 0
    category: str = ""
    product: str = ""
    sku: str = ""
    campaign: str = ""
    withdrawable: bool = True
    kind: str = "commission"


@dataclass(frozen=True, slots=True)
class Join:
    """What it costs to take part: all zero in a lawful plan."""

    fee: int = 0
    fee_period_days: int = 0
    deposit: int = 0
    training_fee: int = 0
    required_purchase: int = 0


@dataclass(frozen=True, slots=True)
class Dates:
    """When it was announced and when it begins; None = at once."""

    published_at: datetime | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """Ceilings; 0 = none. ``payout_to_margin_bp`` limits a line's reward to a share of its margin."""

    per_order_minor: int = 0
    per_month_minor: int = 0
    payout_to_margin_bp: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a plan that decide money. ``document`` in its version keeps every word of the file."""

    code: str
    name: str = ""
    currency: str = "CNY"
    profile: str = "CN"
    settle_days: int = 15
    lock_days: int = 30
    attribution: Attribution = field(default_factory=Attribution)
    member_price: MemberPrice = field(default_factory=MemberPrice)
    rewards: tuple[RewardRule, ...] = ()
    join: Join = field(default_factory=Join)
    dates: Dates = field(default_factory=Dates)
    caps: Caps = field(default_factory=Caps)


@dataclass(frozen=True, slots=True)
class PlanVersionValue:
    """One version of a plan, as other rooms see it."""

    id: UUID
    code: str
    version: int
    plan: Plan
    effective_at: datetime
    status: str = "ACTIVE"

    @property
    def label(self) -> str:
        """``share-10 v3``: what a person reads and a posting records."""
        return f"{self.code} v{self.version}"
