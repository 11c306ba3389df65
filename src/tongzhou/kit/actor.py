"""Who acts: written on every command, posting and audit row."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """One acting party. ``kind`` is ``member``, ``operator``, ``system``, ``provider`` or ``import``."""

    kind: str
    id: UUID | None = None
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id or self.name or '-'}"


SYSTEM = Actor("system", None, "system")


def member(member_id: UUID, name: str = "") -> Actor:
    """A shopper or sharer acting for themselves."""
    return Actor("member", member_id, name)


def operator(member_id: UUID, name: str = "") -> Actor:
    """Somebody with a console role acting for the mall."""
    return Actor("operator", member_id, name)


def provider(name: str) -> Actor:
    """A payment provider, carrier or rail whose signed word was verified."""
    return Actor("provider", None, name)
