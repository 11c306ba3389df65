"""Facts of payouts."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PayoutReleased:
    """Two people let a payout go; the rail must now carry it."""

    payout_id: UUID
