"""What crosses the wall of payouts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RailOutcome:
    """How a rail answered: ``paid``, ``pending``, ``failed``, or ``returned`` (paid, and sent back).

    ``amount_minor`` is what the rail says it carries, compared with the payout where it is given;
    ``package`` what the payee's app needs to confirm, ``needs_package`` that the rail waits for that and did not say it
    again; ``fee_minor`` what the rail charged, where it says so.
    """

    status: str
    txn: str = ""
    reason: str = ""
    amount_minor: int | None = None
    package: str = ""
    fee_minor: int | None = None
    needs_package: bool = False


@dataclass(frozen=True, slots=True)
class PayeeShown:
    """A payee as pages may show one."""

    name: str
    account: str
    rail: str = "sandbox"
    has_id: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of payouts in force; amounts in minor units, 0 = no limit."""

    min_minor: int
    max_minor: int
    member_day_minor: int
    mall_day_minor: int
    rails: tuple[str, ...]
    rail: str
    fees: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # rail → (fixed minor units, basis points)


@dataclass(frozen=True, slots=True)
class Before:
    """What was already paid and withheld before a payout, under the rule of its day."""

    gross_minor: int = 0  # this year, cumulative method; this month, one-off
    tax_minor: int = 0
    vat_minor: int = 0  # VAT taken off that gross
    month_gross_minor: int = 0  # this calendar month, for VAT
    month_vat_minor: int = 0
    first_day: date | None = None


@dataclass(frozen=True, slots=True)
class Withholding:
    """What is taken from a payout, by which table, and whether somebody has to decide first."""

    tax_minor: int
    vat_minor: int
    rule: str
    months: int
    needs_decision: bool = False


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One payout that would go: who (masked), how much, which of the two steps, and what is worth a look."""

    payout_id: UUID
    step: int
    bill_no: str
    member_id: UUID
    payee: PayeeShown
    rail: str
    gross_minor: int
    tax_minor: int
    vat_minor: int
    net_minor: int
    fee_minor: int
    rule: str
    months: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One payout that would not go, and why."""

    payout_id: UUID
    member_id: UUID | None
    gross_minor: int
    code: str
    message: Any


@dataclass(frozen=True, slots=True)
class Batch:
    """What releasing many payouts would do. ``digest`` fixes exactly this."""

    rows: tuple[BatchRow, ...]
    left: tuple[LeftOut, ...]
    digest: str

    @property
    def gross_minor(self) -> int:
        """Before tax."""
        return sum(r.gross_minor for r in self.rows)

    @property
    def tax_minor(self) -> int:
        """Withheld in all: income tax and VAT."""
        return sum(r.tax_minor + r.vat_minor for r in self.rows)

    @property
    def net_minor(self) -> int:
        """What leaves the bank."""
        return sum(r.net_minor for r in self.rows)

    @property
    def fee_minor(self) -> int:
        """What the rails charge the mall."""
        return sum(r.fee_minor for r in self.rows)

    @property
    def second(self) -> tuple[BatchRow, ...]:
        """Those that leave now: the second of the two steps."""
        return tuple(r for r in self.rows if r.step == 2)

    @property
    def leaving_minor(self) -> int:
        """The net of those that leave now: what the second person types from the bank's page."""
        return sum(r.net_minor for r in self.second)

    @property
    def rails(self) -> dict[str, tuple[int, int]]:
        """How many and how much (net) over each rail."""
        out: dict[str, tuple[int, int]] = {}
        for row in self.rows:
            count, net = out.get(row.rail, (0, 0))
            out[row.rail] = (count + 1, net + row.net_minor)
        return out


@dataclass(frozen=True, slots=True)
class BatchDone:
    """What became of each payout of a batch."""

    done: int
    net_minor: int
    left: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row of a results file that was not taken."""

    line: int
    column: str
    value: str
    reason: Any
    fix: Any


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a results file did."""

    sha256: str
    read: int
    paid: int
    failed: int
    returned: int
    unchanged: int
    refused: tuple[RefusedRow, ...]


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One payout on a member's tax statement."""

    payout_id: UUID
    at: datetime
    gross_minor: int
    tax_minor: int
    vat_minor: int
    net_minor: int
    rule: str
    months: int
    returned: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A member's year."""

    year: int
    rows: tuple[StatementRow, ...]
    gross_minor: int
    tax_minor: int
    vat_minor: int
    net_minor: int
