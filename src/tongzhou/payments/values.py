"""What crosses the wall of payments."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PaymentStart:
    """A payment that was opened; the buyer goes on at ``redirect_url``."""

    payment_id: UUID
    trade_no: str
    redirect_url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider said about one payment, its signature verified. Amounts in minor units.

    ``payer`` is the provider's own name of the paying account, where it gives one; only a keyed hash is kept.
    """

    provider: str
    event_id: str
    trade_no: str
    outcome: str  # succeeded, failed
    amount_minor: int
    currency: str
    provider_txn: str = ""
    payer: str = ""


@dataclass(frozen=True, slots=True)
class Capture:
    """What a notice did to a payment: how much new money came in, for which order, and which transfer is to book it."""

    payment_id: UUID
    order_id: UUID
    buyer_id: UUID
    provider: str
    amount_minor: int
    expected_minor: int
    repeated: bool
    transfer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RefundOutcome:
    """How a provider answered a refund: done, not yet, or no."""

    status: str  # succeeded, pending, failed
    provider_txn: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PaymentValue:
    """One payment as other rooms and doors see it."""

    id: UUID
    order_id: UUID
    buyer_id: UUID
    provider: str
    amount_minor: int
    captured_minor: int
    status: str
    trade_no: str
