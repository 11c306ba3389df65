"""What crosses the wall of sharing."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LinkValue:
    """A share link; its address is ``/s/<code>``."""

    id: UUID
    code: str
    sharer_id: UUID
    product_id: UUID | None
    kind: str
    at: datetime
    words: str = ""  # what the sharer says about it, shown to whoever opens the link

    @property
    def url_path(self) -> str:
        """Where the link leads, on this mall."""
        return f"/s/{self.code}"


@dataclass(frozen=True, slots=True)
class TouchValue:
    """Somebody opened a share link."""

    id: UUID
    link_id: UUID
    sharer_id: UUID
    product_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may have led to an order: by a link, a typed code or the binding."""

    kind: str  # link, code, binding
    sharer_id: UUID
    at: datetime
    touch_id: UUID | None = None
    plan_version_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The winner with its reason, and every loser with its own."""

    winner: Candidate | None
    reason: str
    losers: tuple[tuple[Candidate, str], ...]


@dataclass(frozen=True, slots=True)
class AttributionValue:
    """Who earns from one order, decided once and kept."""

    id: UUID
    order_id: UUID
    sharer_id: UUID | None
    touch_id: UUID | None
    touched_at: datetime | None
    touched_plan_version_id: UUID | None
    reason: str
    model: str = ""
    candidates: tuple[dict[str, str], ...] = ()
    link_id: UUID | None = None

    @property
    def lost(self) -> tuple[dict[str, str], ...]:
        """Everybody who had a part and does not earn, each with the reason."""
        return tuple(c for c in self.candidates if c["outcome"] == "lost")


@dataclass(frozen=True, slots=True)
class Steps:
    """What became of openings: ``views`` with repeats, people once a day, people who put something in a cart, orders."""

    views: int = 0
    visitors: int = 0
    carts: int = 0
    orders: int = 0
    bots: int = 0  # opened by machines, in none of the others


@dataclass(frozen=True, slots=True)
class Funnel(Steps):
    """What became of a link; ``order_ids`` newest first, all of them unless there are thousands."""

    link: LinkValue | None = None
    order_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class FunnelDay(Steps):
    """What became of a link, or of all of them, on one day of the mall."""

    day: date = date.min


@dataclass(frozen=True, slots=True)
class FunnelOf(Steps):
    """What became of a product's links."""

    product_id: UUID | None = None
