"""What crosses the ledger's wall: legs to post, what was posted, what was found."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

PLATFORM_BOOK = UUID("00000000-0000-7000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Move:
    """Debit → credit, ``amount`` minor units > 0. ``cites`` raises the ``reversed`` counter of that transfer.

    ``id`` names the transfer for a caller that has written it down already; it is no part of the input
    that a repeat is compared by.
    """

    debit: str
    credit: str
    amount: int
    cites: UUID | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """Debit ``first`` as far as its balance goes and ``then`` for the rest: available, else receivable."""

    first: str
    then: str
    credit: str
    amount: int
    cites: UUID | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """Credit repays the receivable ``nets`` first; what is left goes to ``credit``. Netting is per source."""

    debit: str
    credit: str
    amount: int
    nets: str
    cites: UUID | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """Debit → credit as far as the balance of ``debit`` goes, up to ``amount``; what is missing is left alone."""

    debit: str
    credit: str
    amount: int
    cites: UUID | None = None


Leg = Move | Draw | Fill | Take


@dataclass(frozen=True, slots=True)
class PostingRequest:
    """One posting in one book. ``reference`` is unique in the book; ``story_id`` joins postings of one story."""

    book_id: UUID
    kind: str
    reference: str
    story_id: UUID
    legs: tuple[Leg, ...]
    effective_at: datetime
    book_kind: str = "member"
    plan_version: str = ""


@dataclass(frozen=True, slots=True)
class PostedTransfer:
    """One row of the book: debit → credit, minor units."""

    id: UUID
    debit: str
    credit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What a posting wrote; ``repeated`` when the same reference and input had been posted before."""

    posting_id: UUID
    transfers: tuple[PostedTransfer, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing `ledger verify` found wrong."""

    check: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The outcome of `ledger verify`: what was looked at, and everything that did not hold."""

    transfers: int
    postings: int
    books: int
    sealed_through: str
    checks: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """True when every check held."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as a book's owner reads it."""

    posting_id: UUID
    kind: str
    reference: str
    story_id: UUID
    effective_at: datetime
    recorded_at: datetime
    debit: str
    credit: str
    amount: int
    plan_version: str
    transfer_id: UUID
    book_id: UUID | None = None
