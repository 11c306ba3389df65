"""Facts of rewards."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RewardsHeld:
    """Goods arrived and their rewards wait out the window: whoever knows of risk gives a verdict meanwhile."""

    reward_ids: tuple[UUID, ...]
