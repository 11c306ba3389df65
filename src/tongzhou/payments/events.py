"""Facts of payments."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RefundRequested:
    """A refund was booked and must now be sent to its provider."""

    refund_id: UUID


@dataclass(frozen=True, slots=True)
class RefundSettled:
    """Money is back with the buyer."""

    order_id: UUID
    buyer_id: UUID
    reference: str
    amount_minor: int
    happened_at: datetime
