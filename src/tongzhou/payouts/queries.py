"""Reads of payouts."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Sum

from tongzhou.kit.refusals import not_found
from tongzhou.payouts import vault
from tongzhou.payouts.models import OPEN, Payee, Payout, Release, Status
from tongzhou.payouts.values import PayeeShown


def payee(member_id: UUID) -> PayeeShown | None:
    """A member's payee, masked; None when none was given."""
    row = Payee.objects.filter(member_id=member_id).first()
    return _shown(row) if row else None


def _shown(row: Payee) -> PayeeShown:
    details = vault.unseal(row.sealed)
    return PayeeShown(details.legal_name[:1] + "*" * (len(details.legal_name) - 1), "**** " + details.account[-4:])


def payouts_of(member_id: UUID, limit: int = 50) -> list[Payout]:
    """A member's payouts, newest first."""
    return list(Payout.objects.filter(member_id=member_id).order_by("-id")[:limit])


def payout(payout_id: UUID, *, member_id: UUID | None = None) -> Payout:
    """One payout; a member's own only. *Refuses:* ``payout_not_found``."""
    rows = Payout.objects.filter(id=payout_id)
    if member_id is not None:
        rows = rows.filter(member_id=member_id)
    row = rows.first()
    if row is None:
        raise not_found("payout", code="payout_not_found")
    return row


def console_list(*, status: str = "", before: UUID | None = None, limit: int = 50) -> list[Payout]:
    """Payouts for the console, newest first, keyset-paged by id."""
    rows = Payout.objects.order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if before:
        rows = rows.filter(id__lt=before)
    return list(rows[:limit])


def view_counts(most: int = 100) -> dict[str, int]:
    """How many payouts are in each state that is not over, each counted to ``most``."""
    open_ = (Status.REQUESTED, Status.CHECKED, Status.SENT, Status.FAILED)
    return {s: Payout.objects.filter(status=s)[:most].count() for s in open_}


def payouts_by_id(ids: Sequence[UUID]) -> list[Payout]:
    """Several payouts, oldest first; unknown ones are left out."""
    return list(Payout.objects.filter(id__in=ids).order_by("id"))


def payees(member_ids: Sequence[UUID]) -> dict[UUID, PayeeShown]:
    """Masked payees of several members; one query."""
    return {row.member_id: _shown(row) for row in Payee.objects.filter(member_id__in=set(member_ids))}


def releases_of(payout_ids: Sequence[UUID]) -> dict[UUID, list[Release]]:
    """Who released payouts, in order."""
    out: dict[UUID, list[Release]] = {p: [] for p in payout_ids}
    for row in Release.objects.filter(payout_id__in=payout_ids).order_by("step"):
        out[row.payout_id].append(row)
    return out


def waiting() -> dict[str, int]:
    """What waits for a decision: how many, and how much in all."""
    rows = Payout.objects.filter(status__in=[Status.REQUESTED, Status.CHECKED])
    found = rows.aggregate(total=Sum("gross_minor"))
    return {"count": rows[:1000].count(), "gross_minor": found["total"] or 0}


def waiting_count(most: int = 100) -> int:
    """How many payouts wait for a person, counted to ``most``."""
    return Payout.objects.filter(status__in=[Status.REQUESTED, Status.CHECKED])[:most].count()


def tax_statement(member_id: UUID, year: int) -> dict[str, int]:
    """A member's year: gross paid, tax withheld, received."""
    rows = Payout.objects.filter(member_id=member_id, tax_year=year, status=Status.PAID)
    found = rows.aggregate(gross=Sum("gross_minor"), tax=Sum("tax_minor"), fee=Sum("fee_minor"))
    gross, withheld, fee = found["gross"] or 0, found["tax"] or 0, found["fee"] or 0
    return {"gross_minor": gross, "tax_minor": withheld, "fee_minor": fee, "net_minor": gross - withheld - fee}


def has_open(member_id: UUID) -> bool:
    """Whether a payout of this member is under way."""
    return Payout.objects.filter(member_id=member_id, status__in=OPEN).exists()
