"""What crosses the wall of orders."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class OrderStatus(StrEnum):
    """An order's life. "Shipped" and "received" of single lines are facts on the lines."""

    PLACED = "PLACED"
    PAID = "PAID"
    SHIPPED = "SHIPPED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class CartLineValue:
    """One line of a cart; ``problem`` says why it cannot be bought as it is."""

    sku_id: UUID
    product_slug: str
    title: str
    title_en: str
    option_text: str
    option_text_en: str
    picture: str
    stage: str
    supplier_id: UUID
    quantity: int
    list_price_minor: int
    price_minor: int
    left: int
    problem: str = ""
    return_policy: str = "seven_days"

    @property
    def amount_minor(self) -> int:
        """Price × quantity."""
        return self.price_minor * self.quantity


@dataclass(frozen=True, slots=True)
class CartValue:
    """A cart with what it would cost now."""

    lines: tuple[CartLineValue, ...]
    goods_minor: int
    freight_minor: int
    saved_minor: int
    free_freight_gap_minor: int

    @property
    def total_minor(self) -> int:
        """Goods and freight."""
        return self.goods_minor + self.freight_minor

    @property
    def count(self) -> int:
        """Units in the cart."""
        return sum(line.quantity for line in self.lines)

    @property
    def ready(self) -> bool:
        """True when everything in it can be bought as it is."""
        return bool(self.lines) and not any(line.problem for line in self.lines)

    @property
    def ticks(self) -> bool:
        """True when something in it may only be sold without the seven-day right if the buyer ticks that."""
        return any(line.return_policy == "ticked" for line in self.lines)

    def by_supplier(self) -> list[tuple[UUID, tuple[CartLineValue, ...]]]:
        """Lines grouped by who ships them, in order of first appearance."""
        groups: dict[UUID, list[CartLineValue]] = {}
        for line in self.lines:
            groups.setdefault(line.supplier_id, []).append(line)
        return [(supplier, tuple(lines)) for supplier, lines in groups.items()]


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was placed and waits for payment."""

    order_id: UUID
    no: str
    total_minor: int
    repeated: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a notice did: ``paid``, ``repeated``, ``failed``, ``refunding`` (all or the rest goes back by itself);
    of a chargeback ``opened``, ``won``, ``lost``."""

    order_id: UUID
    outcome: str
    refunded_minor: int = 0


@dataclass(frozen=True, slots=True)
class RefundItem:
    """What to refund of one line: an amount (minor units), and units that come back with it.

    ``amount_minor`` None means the worth of the units.
    """

    line_id: UUID
    quantity: int = 0
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """What a refund gave back, minor units."""

    cash_minor: int
    points_minor: int
    credit_minor: int
    freight_minor: int
    repeated: bool = False

    @property
    def total_minor(self) -> int:
        """Everything together."""
        return self.cash_minor + self.points_minor + self.credit_minor


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A goods line as a replay of plans needs it; amounts of the whole line, ``refunded_minor`` as it stands now."""

    id: UUID
    sku_code: str
    product_slug: str
    category_ids: tuple[UUID, ...]
    amount_minor: int
    points_minor: int
    list_minor: int
    cost_minor: int | None
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """A paid order as a replay of plans needs it. ``guest`` = nobody with an account bought it."""

    id: UUID
    buyer_id: UUID
    guest: bool
    sharer_id: UUID | None
    plan_version_id: UUID | None
    touched_plan_version_id: UUID | None
    touched_at: datetime | None
    placed_at: datetime
    paid_at: datetime
    lines: tuple[SoldLine, ...]


@dataclass(frozen=True, slots=True)
class PartRefund:
    """What one refund gave back of one line, and when; minor units."""

    at: datetime
    line_id: UUID
    amount_minor: int
