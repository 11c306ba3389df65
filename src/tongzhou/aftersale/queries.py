"""Reads of after-sale."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from tongzhou.aftersale import commands
from tongzhou.aftersale.models import Case, CaseLine, Status
from tongzhou.aftersale.rules import Right, right_of_return
from tongzhou.kit import clock
from tongzhou.kit.refusals import not_found

if TYPE_CHECKING:
    from tongzhou.orders.models import OrderLine


def open_line_ids(line_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these order lines have an open case: their rewards wait."""
    return commands.open_line_ids(list(line_ids)) if line_ids else set()


def case(no: str, *, buyer_id: UUID | None = None) -> tuple[Case, list[CaseLine]]:
    """One case with its lines; a buyer's own only. *Refuses:* ``case_not_found``."""
    rows = Case.objects.filter(no=no)
    if buyer_id is not None:
        rows = rows.filter(buyer_id=buyer_id)
    row = rows.first()
    if row is None:
        raise not_found("case", code="case_not_found")
    return row, list(CaseLine.objects.filter(case_id=row.id))


def cases_of_order(order_id: UUID) -> list[Case]:
    """The cases of an order, newest first."""
    return list(Case.objects.filter(order_id=order_id).order_by("-opened_at"))


def cases_of(buyer_id: UUID, limit: int = 50) -> list[Case]:
    """A buyer's cases, newest first."""
    return list(Case.objects.filter(buyer_id=buyer_id).order_by("-id")[:limit])


def console_list(*, status: str = "", before: UUID | None = None, limit: int = 50) -> list[Case]:
    """Cases for the console, newest first, keyset-paged by id."""
    rows = Case.objects.order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if before:
        rows = rows.filter(id__lt=before)
    return list(rows[:limit])


def open_count(limit: int = 1000) -> dict[str, int]:
    """How many wait for the mall: to answer, and to receive back; counted to ``limit``."""
    return {
        "answer": Case.objects.filter(status=Status.REQUESTED)[:limit].count(),
        "receive": Case.objects.filter(status=Status.RETURNING)[:limit].count(),
    }


def waiting_count(most: int = 100) -> int:
    """How many cases wait for the mall (to answer, or a parcel to look at), counted to ``most``."""
    return Case.objects.filter(status__in=[Status.REQUESTED, Status.RETURNING])[:most].count()


def view_counts(most: int = 100) -> dict[str, int]:
    """How many cases are in each open state, each counted to ``most``."""
    return {s: Case.objects.filter(status=s)[:most].count() for s in ("REQUESTED", "APPROVED", "RETURNING")}


def oldest_waiting() -> datetime | None:
    """When the case that has waited longest was opened."""
    return Case.objects.filter(status=Status.REQUESTED).order_by("id").values_list("opened_at", flat=True).first()


def right(line: "OrderLine", at: datetime) -> Right:
    """The seven-day right of a line now."""
    return right_of_return(
        delivered_at=line.delivered_at, return_policy=line.return_policy,
        units_left=line.quantity - line.refunded_quantity, at=at, zone=clock.mall_zone(),
    )  # fmt: skip
