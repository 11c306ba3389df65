"""The few statements the ledger writes by hand, the same on SQLite and PostgreSQL.

Each takes rows already sorted, so that locks are taken in one order everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tongzhou.kit import inserts, selects, sheets
from tongzhou.kit.ids import new_ids
from tongzhou.ledger import chart
from tongzhou.ledger.models import AccountBalance, Book, Posting, Transfer
from tongzhou.ledger.values import StatementLine

_open: set[UUID] = set()
currency_seen: dict[str, str] = {}


def open_books(books: Iterable[tuple[UUID, str]]) -> None:
    """Make sure each book exists; what this process has seen committed is not asked again."""
    fresh = [(book, kind) for book, kind in books if book not in _open]
    if fresh:
        inserts.write((Book(id=book, kind=kind) for book, kind in sorted(fresh)), ignore_conflicts=True)
        seen = {book for book, _kind in fresh}
        transaction.on_commit(lambda: _remember(seen))


def _remember(books: set[UUID]) -> None:
    if len(_open) > 200_000:
        _open.clear()
    _open.update(books)


def forget() -> None:
    """Drop what this process remembers; for tests that roll the database back."""
    _open.clear()
    currency_seen.clear()


def insert_postings(each: Mapping[str, Sequence[Any]], same: Mapping[str, Any]) -> set[UUID] | None:
    """Insert postings whose reference is not in the book yet; None when all were new, else the ids that were."""
    ids = each["id"]
    if sheets.insert(Posting, each, same, unless=("book_id", "reference")) == len(ids):
        return None
    return set(Posting.objects.filter(id__in=ids).values_list("id", flat=True))


def lock_balances(pairs: Sequence[tuple[UUID, str]]) -> dict[UUID, dict[str, int]]:
    """Lock the existing rows of these (book, account) pairs in order; their balances on the normal side, by book."""
    lock = ' ORDER BY b.book_id, b.account COLLATE "C" FOR UPDATE OF b' if connection.vendor == "postgresql" else ""
    want, params = _want([p[0] for p in pairs], account=("text", [p[1] for p in pairs]))
    statement = (
        f"SELECT b.book_id, b.account, b.normal * (b.debits - b.credits) FROM {want}"  # noqa: S608
        " JOIN ledger_balance b ON b.book_id = w.book_id AND b.account = w.account" + lock
    )
    standing: dict[UUID, dict[str, int]] = {}
    for book, account, amount in selects.fetch(statement, params):
        standing.setdefault(selects.id_of(book), {})[account] = int(amount)
    return standing


def raise_reversed(rows: Sequence[tuple[UUID, UUID, int]]) -> int:
    """Raise ``reversed`` of cited transfers where enough is left; returns how many rows had it."""
    want, params = _want(
        [r[0] for r in rows], id=("uuid", [r[1] for r in rows]), amount=("bigint", [r[2] for r in rows])
    )
    return sheets.run(
        f"UPDATE ledger_transfer SET reversed = reversed + w.amount FROM {want}"  # noqa: S608
        " WHERE ledger_transfer.id = w.id AND ledger_transfer.book_id = w.book_id"
        " AND reversed + w.amount <= ledger_transfer.amount",
        params,
    )


def _want(books: Sequence[UUID], **more: tuple[str, Sequence[Any]]) -> tuple[str, list[Any]]:
    """Rows asked for, as a table ``w`` beginning with the book."""
    return sheets.table("w", {"book_id": ("uuid", books), **more})


_UPSERT = (
    "INSERT INTO ledger_balance (id, book_id, account, normal, constrained, debits, credits)"
    " SELECT w.id, w.book_id, w.account, w.normal, w.constrained, w.debits, w.credits FROM {rows} WHERE true"
    " ON CONFLICT (book_id, account) DO UPDATE SET"
    " debits = ledger_balance.debits + excluded.debits, credits = ledger_balance.credits + excluded.credits"
    " WHERE NOT ledger_balance.constrained OR ledger_balance.normal *"
    " (ledger_balance.debits + excluded.debits - ledger_balance.credits - excluded.credits) >= 0"
    " RETURNING book_id, account, constrained"
)


def apply_deltas(deltas: Mapping[UUID, Mapping[str, Sequence[int]]]) -> list[tuple[UUID, str]]:
    """Add debits and credits to balances by book and account, in that order; returns the pairs that refused.

    A row that would take from a constrained account is proposed as unconstrained, because
    PostgreSQL checks a proposed row before it finds the conflict. If the account turns out not to
    exist, the row comes back unconstrained and counts as refused; the caller's transaction is
    rolled back either way.
    """
    rows = [
        (book, account, moved[0], moved[1])
        for book, accounts in sorted(deltas.items(), key=lambda item: item[0].int)
        for account, moved in sorted(accounts.items())
    ]
    normal = [1 if chart.is_debit_normal(account) else -1 for _b, account, _d, _c in rows]
    want, params = sheets.table(
        "w",
        {
            "id": ("uuid", new_ids(len(rows))),
            "book_id": ("uuid", [r[0] for r in rows]),
            "account": ("text", [r[1] for r in rows]),
            "normal": ("bigint", normal),
            "constrained": ("boolean", [
                chart.is_constrained(account) and sign * (d - c) >= 0
                for sign, (_b, account, d, c) in zip(normal, rows, strict=True)
            ]),
            "debits": ("bigint", [r[2] for r in rows]),
            "credits": ("bigint", [r[3] for r in rows]),
        },
    )  # fmt: skip
    found = selects.fetch(_UPSERT.format(rows=want), params)
    kept = {(selects.id_of(b), a) for b, a, held in found if bool(held) == chart.is_constrained(a)}
    return [] if len(kept) == len(rows) else [(r[0], r[1]) for r in rows if (r[0], r[1]) not in kept]


def standing_in(account: str, pairs: Sequence[tuple[UUID, UUID]]) -> list[int]:
    """What each (book, story) has left in one account, on its normal side, in the order asked; summed where it lies."""
    debit, credit = (1, -1) if chart.is_debit_normal(account) else (-1, 1)
    want, params = _want(
        [p[0] for p in pairs], story_id=("uuid", [p[1] for p in pairs]), n=("bigint", list(range(len(pairs))))
    )
    # A subquery for each, not a join: the planner cannot turn it round and walk the list for every transfer.
    statement = (
        f"SELECT w.n, (SELECT SUM(t.amount * CASE WHEN t.debit = %s THEN {debit} ELSE {credit} END) FROM ledger_transfer t"  # noqa: S608
        " WHERE t.book_id = w.book_id AND t.story_id = w.story_id AND (t.debit = %s OR t.credit = %s))"
        f" FROM {want}"
    )
    out = [0] * len(pairs)
    for n, amount in selects.fetch(statement, [account, account, account, *params]):
        out[n] = int(amount or 0)
    return out


def balances(book_ids: Sequence[UUID], accounts: Sequence[str] | None = None) -> dict[UUID, dict[str, int]]:
    """Balances on the normal side, by book and account."""
    rows = AccountBalance.objects.filter(book_id__in=book_ids)
    if accounts is not None:
        rows = rows.filter(account__in=accounts)
    out: dict[UUID, dict[str, int]] = {book: {} for book in book_ids}
    for book, account, normal, debits, credits in rows.values_list("book_id", "account", "normal", "debits", "credits"):
        out[book][account] = normal * (debits - credits)
    return out


def line(row: Transfer) -> StatementLine:
    """A transfer, read with its posting, as it crosses the wall."""
    p = row.posting
    return StatementLine(
        p.id, p.kind, p.reference, p.story_id, p.effective_at, p.recorded_at, row.debit, row.credit, row.amount,
        p.plan_version, row.id, row.book_id,
    )  # fmt: skip
