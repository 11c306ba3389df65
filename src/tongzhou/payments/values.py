"""What crosses the wall of payments."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

DISPUTES = ("dispute_opened", "dispute_won", "dispute_lost")


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
    A notice of a chargeback names it (``dispute_no``): ``amount_minor`` is what the provider took back,
    ``fee_minor`` its fee; when the mall won, what of the fee it gives back.
    """

    provider: str
    event_id: str
    trade_no: str
    outcome: str  # succeeded, failed, dispute_opened, dispute_won, dispute_lost
    amount_minor: int
    currency: str
    provider_txn: str = ""
    payer: str = ""
    dispute_no: str = ""
    fee_minor: int = 0
    reason: str = ""

    @property
    def about_dispute(self) -> bool:
        """True when it tells of a chargeback, not of a payment."""
        return self.outcome in DISPUTES


@dataclass(frozen=True, slots=True)
class DisputeTaken:
    """What a notice did to a chargeback: ``opened``, ``won``, ``lost`` or ``repeated``, and what it is about.

    ``pays`` is False where the payment was not owed anyway (a second one): its order's lines are not concerned.
    ``waiting_minor``: refunds of it that were booked and will not be sent any more; ``sent_minor``: refunds whose
    end is not known. Amounts in minor units.
    """

    dispute_id: UUID
    order_id: UUID
    buyer_id: UUID
    book_kind: str
    provider: str
    dispute_no: str
    outcome: str
    amount_minor: int
    fee_minor: int
    pays: bool
    capture_transfer_id: UUID | None
    waiting_minor: int = 0
    sent_minor: int = 0


@dataclass(frozen=True, slots=True)
class DisputeValue:
    """One chargeback as other rooms and doors see it."""

    id: UUID
    order_id: UUID
    provider: str
    dispute_no: str
    status: str
    amount_minor: int
    fee_minor: int
    reason: str
    opened_at: datetime
    settled_at: datetime | None


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
