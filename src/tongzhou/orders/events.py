"""Facts of orders. Each carries the cumulative snapshot of every goods line, so that one overtaking another does no harm."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LineSnapshot:
    """One goods line as it stands: amounts in minor units, ``version`` growing with every change.

    ``disputed``: ``open`` while the payer's bank decides over a chargeback, ``lost`` when it has taken the money
    for good, empty otherwise.
    """

    line_id: UUID
    sku_id: UUID
    sku_code: str
    product_id: UUID
    product_slug: str
    supplier_id: UUID
    category_ids: tuple[UUID, ...]
    quantity: int
    amount_minor: int
    points_minor: int
    credit_minor: int
    coupon_minor: int
    list_minor: int
    cost_minor: int | None
    refunded_minor: int
    refunded_quantity: int
    delivered_at: datetime | None
    version: int
    disputed: str = ""


@dataclass(frozen=True, slots=True)
class OrderFact:
    """What every fact of an order says."""

    order_id: UUID
    order_no: str
    buyer_id: UUID
    sharer_id: UUID | None
    attribution_id: UUID | None
    plan_version_id: UUID | None
    touched_plan_version_id: UUID | None
    touched_at: datetime | None
    placed_at: datetime
    happened_at: datetime
    lines: tuple[LineSnapshot, ...]


@dataclass(frozen=True, slots=True)
class OrderPaid(OrderFact):
    """The order's tenders are complete."""


@dataclass(frozen=True, slots=True)
class LinesDelivered(OrderFact):
    """Some lines reached the buyer."""


@dataclass(frozen=True, slots=True)
class LinesRefunded(OrderFact):
    """Some lines were refunded, wholly or in part."""


@dataclass(frozen=True, slots=True)
class LinesDisputed(OrderFact):
    """A chargeback of the order's payment was opened, won or lost."""
