"""What crosses the wall of risk. Amounts in minor units, shares in per cent, rates in basis points."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What two accounts may have in common. Values are kept as keyed hashes only."""

    DEVICE = "device"  # the browser's own signed cookie; no fingerprint
    ACCOUNT = "account"  # the paying account, from the provider's notice
    PAYEE = "payee"  # where payouts go
    PHONE = "phone"  # the account's own phone
    OPENID = "openid"
    ADDRESS = "address"
    CONTACT = "contact"  # a delivery phone
    IP = "ip"


STRONG = frozenset({Kind.DEVICE, Kind.ACCOUNT, Kind.PAYEE, Kind.PHONE, Kind.OPENID})
INSTRUMENTS = frozenset({Kind.ACCOUNT, Kind.PAYEE, Kind.OPENID})
OPTIONAL = frozenset({Kind.DEVICE, Kind.IP})  # a consent purpose of their own


@dataclass(frozen=True, slots=True)
class Sighting:
    """A member was seen with something; ``value`` is the plain value and never leaves the command that hashes it."""

    member_id: UUID
    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One default with its meaning beside it, and the value in force."""

    key: str
    value: int
    default: int
    low: int
    high: int
    group: str
    zh: str
    en: str
    changed_by: str = ""
    changed_at: datetime | None = None

    @property
    def changed(self) -> bool:
        """True when somebody set another value."""
        return self.value != self.default


Policy = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one reward: what its buyer and sharer have in common, and how they behave."""

    shared: frozenset[Kind] = frozenset()
    linked: bool = False
    instrument_accounts: int = 0
    device_accounts: int = 0
    ring: tuple[UUID, ...] = ()
    invited_that_day: int = 0
    invited_one_ip: int = 0
    returned: int = 0
    bought: int = 0
    median_bp: int = 0
    late_refunds: int = 0
    rate_raised: bool = False
    rebound: bool = False
    insider: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding of the score: its code, its points, and the figures it was seen by."""

    code: str
    points: int
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """0 to 100, why, and what follows."""

    points: int
    reasons: tuple[Reason, ...]
    outcome: str  # pay, delay, review, refuse


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a member for one kind of signal: how many marks, since when, and until when."""

    kind: str
    marks: int
    first_at: datetime
    until: datetime
