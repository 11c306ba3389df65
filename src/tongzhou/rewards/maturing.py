"""Maturity: what has waited out its window with nothing open becomes the sharer's own, thousands in a handful of statements.

A batch is claimed by locking its rewards, asked once about open cases and once about what stands in the
books, posted in one call, and marked; all of it commits together or not at all. Nothing is done for one
reward that is not done for all of them: the books of a batch are those of its rewards taken one by one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from tongzhou.aftersale import queries as aftersale
from tongzhou.kit import sheets
from tongzhou.kit.actor import SYSTEM
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Fill, PostingRequest
from tongzhou.rewards.deciding import reference_of
from tongzhou.rewards.models import Reward
from tongzhou.rewards.values import Outcome
from tongzhou.rewards.verdicts import may_mature

MOST = 5_000  # rewards a batch may lock; of at most ledger.MOST books

Place = tuple[datetime, UUID]  # where a walk in (matures_at, id) order stands


class _Due(NamedTuple):
    """A reward whose window is over, as far as its posting needs to know it."""

    id: UUID
    matures_at: datetime
    sharer_id: UUID
    story_id: UUID
    line_id: UUID
    depth: int
    plan_label: str


def mature_due(*, at: datetime, until: datetime | None = None, most: int = MOST) -> int:
    """Make available what has waited out its window with nothing open; in batches, each its own transaction.

    ``until`` (default ``at``) is the moment windows are compared with: an import of history walks through the past.

    The walk goes on behind rewards that must wait (an open case), so that they hold up no other.
    """
    total, after = 0, None
    while True:
        done, after = _batch(at, until or at, most, after)
        total += done
        if after is None:
            return total


@transaction.atomic
def _batch(at: datetime, until: datetime, most: int, after: Place | None) -> tuple[int, Place | None]:
    """One step of the walk: how many matured, and where the next step begins (None: nothing is left)."""
    locked = _claim(at, until, most, after)
    rows = _within_books(locked)
    if not rows:
        return 0, None
    last = rows[-1]
    onward = (last.matures_at, last.id) if len(locked) == most or len(rows) < len(locked) else None
    waiting = aftersale.open_line_ids([row.line_id for row in rows])
    ready = [row for row in rows if row.line_id not in waiting] if waiting else rows
    ledger.post_many(_postings(ready), by=SYSTEM, at=at)
    return _mark([row.id for row in ready], at), onward


def _claim(at: datetime, until: datetime, most: int, after: Place | None) -> list[_Due]:
    """Lock the next rewards that are due; what another worker holds is left to it."""
    due = (
        Reward.objects.filter(may_mature(at), matured_at=None, matures_at__lte=until)
        .exclude(delivered_at=None)
        .exclude(verdict=Outcome.REFUSE)
        .exclude(disputed="open")
        .order_by("matures_at", "id")
    )
    if after:
        due = due.filter(Q(matures_at__gt=after[0]) | Q(matures_at=after[0], id__gt=after[1]))
    if connection.vendor == "postgresql":
        due = due.select_for_update(skip_locked=True)
    return [_Due(*row) for row in due.values_list(*_Due._fields)[:most]]


def _within_books(rows: Sequence[_Due]) -> Sequence[_Due]:
    """As many, from the first on, as lie in the number of books that one batch may touch."""
    seen: set[UUID] = set()
    for n, row in enumerate(rows):
        seen.add(row.sharer_id)
        if len(seen) > ledger.MOST:
            return rows[:n]
    return rows


def _postings(rows: Sequence[_Due]) -> list[PostingRequest]:
    """What still stands of each becomes available, or repays what its sharer owes back; nothing where nothing stands."""
    held = books.standing_in("reward.held", [(row.sharer_id, row.story_id) for row in rows])
    return [
        PostingRequest(
            row.sharer_id, "reward_matured", f"{reference_of(row.line_id, row.depth)}:matured", row.story_id,
            (Fill("reward.held", "reward.available", amount, nets="receivable.clawback.reward"),), row.matures_at,
            plan_version=row.plan_label,
        )
        for row, amount in zip(rows, held, strict=True)
        if amount
    ]  # fmt: skip


def _mark(ids: Sequence[UUID], at: datetime) -> int:
    """Write down that they matured; the row count says how many did."""
    if not ids:
        return 0
    want, params = sheets.table("w", {"id": ("uuid", ids)})
    # The CASE is "matured_at IS NULL" in words the planner has no figures for: after a night in which nearly all
    # matured it would expect a single row to be left, and look each of thousands up in the whole of the list.
    return sheets.run(
        f"UPDATE rewards_reward SET matured_at = %s FROM {want} WHERE rewards_reward.id = w.id"  # noqa: S608
        " AND CASE WHEN matured_at IS NULL THEN true ELSE false END",
        [at, *params],
    )
