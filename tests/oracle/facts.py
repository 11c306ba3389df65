"""Facts: what happened in the world, in minor units. Nothing here says what the mall made of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Line:
    """A goods line as it was agreed: the amount with all its tenders, the units, and what the supplier gets."""

    key: Any
    amount: int
    quantity: int
    supplier: Any = None
    cost: int | None = None


@dataclass(frozen=True)
class Placed:
    """An order: who buys, who shared, for how much. ``rate_bp`` and ``share_bp`` are the plan's, frozen here.

    ``share_bp`` is the most a line's reward may take of its margin; ``window`` the days until it matures.
    """

    order: Any
    buyer: Any
    sharer: Any
    lines: tuple[Line, ...]
    freight: int
    rate_bp: int
    share_bp: int
    window: int


@dataclass(frozen=True)
class Captured:
    """Money really came in for an order, under one trade number."""

    order: Any
    trade: Any
    amount: int


@dataclass(frozen=True)
class Ended:
    """An unpaid order was called off, by somebody or by time."""

    order: Any


@dataclass(frozen=True)
class Refunded:
    """It was agreed to give back ``units`` of a line, or an ``amount`` of it when one is named."""

    order: Any
    line: Any
    units: int
    amount: int | None = None


@dataclass(frozen=True)
class Delivered:
    """Lines reached the buyer."""

    order: Any
    lines: tuple[Any, ...]
    at: datetime


@dataclass(frozen=True)
class RefundPaid:
    """The provider sent this much of an order back to its source."""

    order: Any
    amount: int


@dataclass(frozen=True)
class Disputed:
    """The payer's bank took this much of an order's payment back, and the provider a fee; nobody has decided yet."""

    order: Any
    taken: int
    fee: int


@dataclass(frozen=True)
class DisputeWon:
    """The bank gave it back, and the provider this much of its fee."""

    order: Any
    fee_back: int


@dataclass(frozen=True)
class DisputeLost:
    """The payer keeps it."""

    order: Any


@dataclass(frozen=True)
class PayoutAsked:
    """A sharer asked for money; ``payout`` names it from now on."""

    payout: Any
    sharer: Any
    amount: int


@dataclass(frozen=True)
class PayoutPaid:
    """The rail paid it, having been released at this moment."""

    payout: Any
    released: datetime


@dataclass(frozen=True)
class PayoutFailed:
    """It was turned down, or the rail could not."""

    payout: Any


Fact = (
    Placed | Captured | Ended | Refunded | Delivered | RefundPaid | Disputed | DisputeWon | DisputeLost
    | PayoutAsked | PayoutPaid | PayoutFailed
)  # fmt: skip


@dataclass
class Ledgered:
    """One line's life while facts are being told; internal to the oracle."""

    line: Line
    refunded: int = 0
    units: int = 0
    delivered: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Nothing of it is owed any more."""
        return self.units >= self.line.quantity or self.refunded >= self.line.amount
