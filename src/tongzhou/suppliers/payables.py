"""Which snapshots of order lines were booked for their suppliers already."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

_TAKE = (
    "INSERT INTO suppliers_seen (line_id, supplier_id, version) VALUES {rows} ON CONFLICT (line_id)"
    " DO UPDATE SET version = excluded.version WHERE suppliers_seen.version < excluded.version RETURNING line_id"
)


def take_newest(rows: Sequence[tuple[UUID, UUID, int]]) -> set[UUID]:
    """Write (line, supplier, version) where it is newer than what was booked; the lines that were.

    One statement decides and locks: a worker with another snapshot of the same line waits for this
    transaction, and then reads what it left standing.
    """
    fresh: set[UUID] = set()
    plain = connection.vendor == "postgresql"
    ordered = sorted(rows, key=lambda row: row[0].hex)
    for start in range(0, len(ordered), 300):
        part = ordered[start : start + 300]
        values = [v for line, who, n in part for v in ((line, who, n) if plain else (line.hex, who.hex, n))]
        with connection.cursor() as cursor:
            cursor.execute(_TAKE.format(rows=", ".join(["(%s, %s, %s)"] * len(part))), values)
            fresh |= {found if isinstance(found, UUID) else UUID(found) for (found,) in cursor.fetchall()}
    return fresh
