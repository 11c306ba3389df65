"""The few statements the ledger writes by hand, the same on SQLite and PostgreSQL.

Each takes rows already sorted, so that locks are taken in one order everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from tongzhou.kit import inserts
from tongzhou.kit.ids import new_id
from tongzhou.ledger import chart
from tongzhou.ledger.models import AccountBalance, Book, Transfer
from tongzhou.ledger.values import StatementLine

_open: set[UUID] = set()
currency_seen: dict[str, str] = {}


def _uuid(value: UUID | None) -> Any:
    """A UUID as the engine at hand stores it."""
    return value if value is None or connection.vendor == "postgresql" else value.hex


def _read_uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


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


def insert_new(model: type[models.Model], new: Sequence[models.Model], *, conflict: Sequence[str]) -> set[UUID]:
    """INSERT … ON CONFLICT DO NOTHING RETURNING id: the ids that were new."""
    one = f"({', '.join(['%s'] * len(model._meta.concrete_fields))})"
    written: set[UUID] = set()
    for start in range(0, len(new), 1000):
        part = new[start : start + 1000]
        statement = (
            f"INSERT INTO {model._meta.db_table} ({inserts.columns(model)}) VALUES {', '.join([one] * len(part))}"  # noqa: S608
            f" ON CONFLICT ({', '.join(conflict)}) DO NOTHING RETURNING id"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [value for row in part for value in inserts.values(row)])
            written |= {_read_uuid(r[0]) for r in cursor.fetchall()}
    return written


def lock_balances(pairs: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
    """Lock the existing rows of these (book, account) pairs in order; their balances on the normal side."""
    standing: dict[tuple[UUID, str], int] = {}
    lock = " ORDER BY book_id, account FOR UPDATE" if connection.vendor == "postgresql" else ""
    for start in range(0, len(pairs), 400):
        part = pairs[start : start + 400]
        marks = ", ".join(["(%s, %s)"] * len(part))
        statement = (
            "SELECT book_id, account, normal * (debits - credits) FROM ledger_balance"  # noqa: S608
            f" WHERE (book_id, account) IN (VALUES {marks})" + lock
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [v for book, account in part for v in (_uuid(book), account)])
            standing.update({(_read_uuid(b), a): int(n) for b, a, n in cursor.fetchall()})
    return standing


def raise_reversed(rows: Sequence[tuple[UUID, UUID, int]]) -> int:
    """Raise ``reversed`` of cited transfers where enough is left; returns how many rows had it."""
    cast = "(%s::uuid, %s::uuid, %s::bigint)" if connection.vendor == "postgresql" else "(%s, %s, %s)"
    total = 0
    for start in range(0, len(rows), 300):
        part = rows[start : start + 300]
        statement = (
            f"WITH want(book_id, id, amount) AS (VALUES {', '.join([cast] * len(part))})"  # noqa: S608
            " UPDATE ledger_transfer SET reversed = reversed + want.amount FROM want"
            " WHERE ledger_transfer.id = want.id AND ledger_transfer.book_id = want.book_id"
            " AND reversed + want.amount <= ledger_transfer.amount RETURNING ledger_transfer.id"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [v for book, cited, n in part for v in (_uuid(book), _uuid(cited), n)])
            total += len(cursor.fetchall())
    return total


_UPSERT = (
    "INSERT INTO ledger_balance (id, book_id, account, normal, constrained, debits, credits) VALUES {rows}"
    " ON CONFLICT (book_id, account) DO UPDATE SET"
    " debits = ledger_balance.debits + excluded.debits, credits = ledger_balance.credits + excluded.credits"
    " WHERE NOT ledger_balance.constrained OR ledger_balance.normal *"
    " (ledger_balance.debits + excluded.debits - ledger_balance.credits - excluded.credits) >= 0"
    " RETURNING book_id, account, constrained"
)


def apply_deltas(deltas: Mapping[tuple[UUID, str], Sequence[int]]) -> list[tuple[UUID, str]]:
    """Add debits and credits to balances, in (book, account) order; returns the pairs that refused.

    A row that would take from a constrained account is proposed as unconstrained, because
    PostgreSQL checks a proposed row before it finds the conflict. If the account turns out not to
    exist, the row comes back unconstrained and counts as refused; the caller's transaction is
    rolled back either way.
    """
    ordered = sorted(deltas.items(), key=lambda item: (item[0][0].hex, item[0][1]))
    refused: list[tuple[UUID, str]] = []
    for start in range(0, len(ordered), 1000):
        part = ordered[start : start + 1000]
        values: list[Any] = []
        for (book, account), (debit, credit) in part:
            normal = 1 if chart.is_debit_normal(account) else -1
            grows = normal * (debit - credit) >= 0
            held = chart.is_constrained(account) and grows
            values += [_uuid(new_id()), _uuid(book), account, normal, held, debit, credit]
        statement = _UPSERT.format(rows=", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(part)))
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            kept = {(_read_uuid(b), a) for b, a, held in cursor.fetchall() if bool(held) == chart.is_constrained(a)}
        refused += [pair for pair, _delta in part if pair not in kept]
    return refused


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
