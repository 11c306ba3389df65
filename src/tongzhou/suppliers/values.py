"""What crosses the wall of suppliers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SupplierValue:
    """One supplier as other rooms and doors see it."""

    id: UUID
    code: str
    name: str
    name_en: str
    contact: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class SuppliedLine:
    """What one order line has cost so far: cost of the whole line, units delivered and given back, cumulative.

    ``version`` grows with each snapshot of the line, so that an older one overtaking a newer does no harm.
    """

    line_id: UUID
    cost_minor: int
    delivered_units: int
    refunded_units: int
    version: int


@dataclass(frozen=True, slots=True)
class SuppliedLines:
    """One supplier's lines of one order, as they stand at ``effective_at``."""

    order_id: UUID
    supplier_id: UUID
    lines: tuple[SuppliedLine, ...]
    effective_at: datetime
