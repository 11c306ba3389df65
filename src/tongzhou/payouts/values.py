"""What crosses the wall of payouts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RailOutcome:
    """How a rail answered: paid, pending or failed."""

    status: str
    txn: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PayeeShown:
    """A payee as pages may show one."""

    name: str
    account: str
