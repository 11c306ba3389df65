"""What crosses the wall of people."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tongzhou.kit.names import initial
from tongzhou.people.placenames import english


@dataclass(frozen=True, slots=True)
class MemberCard:
    """A member as others may see one: the phone is masked."""

    id: UUID
    display_name: str
    masked_phone: str
    invite_code: str
    joined_at: datetime
    name_consent: bool = False

    @property
    def letter(self) -> str:
        """The one character an avatar shows."""
        return initial(self.display_name)

    @property
    def masked_name(self) -> str:
        """First character and stars, for whoever has no consent to the name."""
        return f"{self.display_name[:1]}**" if self.display_name else "**"


@dataclass(frozen=True, slots=True)
class AddressValue:
    """One delivery address, complete."""

    receiver: str
    phone: str
    code: str
    province: str
    city: str
    county: str
    street: str
    detail: str
    id: UUID | None = None
    is_default: bool = False

    @property
    def line(self) -> str:
        """The address in one line, largest part first."""
        return " ".join(p for p in (self.province, self.city, self.county, self.street, self.detail) if p)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, and whether the account was made just now."""

    member_id: UUID
    created: bool


@dataclass(frozen=True, slots=True)
class Division:
    """One entry of the address picker."""

    code: str
    name: str
    leaf: bool = False

    @property
    def name_en(self) -> str:
        """What it is called in English, as an aid beside its name."""
        return english(self.code, self.name)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why one row of a file could not be taken: where, what was seen, why, and how to mend it."""

    line: int
    column: str
    value: str
    code: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True)
class MemberImport:
    """What an import of members did, or with ``dry_run`` would do; each row counts once."""

    dry_run: bool
    read: int
    created: int
    updated: int
    unchanged: int
    refused: int
    problems: tuple[RowProblem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)
