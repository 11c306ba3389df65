"""Money on the console's pages: postings with the names of their books, and what a decision will do to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from tongzhou.ledger import queries as books
from tongzhou.ledger.values import PLATFORM_BOOK, StatementLine
from tongzhou.people import queries as members
from tongzhou.suppliers import queries as suppliers


@dataclass(slots=True)
class Shown:
    """One posting as a person reads it: whose book, and each transfer debit → credit."""

    posting_id: UUID
    kind: str
    book_id: UUID | None
    book: str
    at: datetime
    effective_at: datetime
    plan_version: str
    moves: list[StatementLine] = field(default_factory=list)


def names(book_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What books are called: members masked, suppliers by name, the mall itself; two queries."""
    ids = set(book_ids)
    out = {i: c.masked_name for i, c in members.cards(ids).items()}
    out.update({i: s.name for i, s in suppliers.by_ids(ids - set(out)).items()})
    out[PLATFORM_BOOK] = _("商城")
    return out


def shown(lines: Sequence[StatementLine]) -> list[Shown]:
    """Transfers grouped by posting, oldest first."""
    called = names([line.book_id for line in lines if line.book_id])
    out: dict[UUID, Shown] = {}
    for line in lines:
        found = out.get(line.posting_id)
        if found is None:
            book = called.get(line.book_id, "") if line.book_id else ""
            found = out[line.posting_id] = Shown(
                line.posting_id, line.kind, line.book_id, book or str(line.book_id)[:8], line.recorded_at,
                line.effective_at, line.plan_version,
            )  # fmt: skip
        found.moves.append(line)
    return list(out.values())


def of_stories(story_ids: Sequence[UUID]) -> list[Shown]:
    """The money of several stories: of an order, that is its own and one per line."""
    return shown(books.stories(story_ids))
