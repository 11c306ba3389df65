"""FTS5 with unicode61. Tokens are ours already, so they go in as words of plain ASCII.

unicode61 knows the letters of Unicode 6.1 only and would split at newer ones; spelling a
non-ASCII character as its code point keeps every token whole, prefixes included.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from tongzhou.catalog.tokens import Term

if TYPE_CHECKING:
    from tongzhou.catalog.search import Doc

CREATE = """
CREATE VIRTUAL TABLE catalog_search USING fts5(
  product_id UNINDEXED, title, everything, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3 4', detail = column
)
"""


def spelled(token: str) -> str:
    """A token as one ASCII word: 茶 → u8336z."""
    return token if token.isascii() else "".join(c if c.isascii() else f"u{ord(c):x}z" for c in token)


def _term(term: Term) -> str:
    ways = [f'"{spelled(token)}"{"*" if term.prefix else ""}' for token in term.ways]
    return ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})"


def row_id(product_id: UUID) -> int:
    """The 62 random bits of a UUIDv7: what an entry can be found by without an index of its own."""
    return product_id.int & ((1 << 62) - 1)


class Fts5:
    """Entries in one FTS5 table."""

    def write(self, docs: "Sequence[Doc]") -> None:
        """Delete and insert, by row id."""
        self.drop([doc.id for doc in docs])
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO catalog_search (rowid, product_id, title, everything) VALUES (%s, %s, %s, %s)",
                [
                    (
                        row_id(doc.id),
                        doc.id.hex,
                        " ".join(map(spelled, doc.title_tokens)),
                        " ".join(map(spelled, doc.all_tokens)),
                    )
                    for doc in docs
                ],
            )

    def drop(self, ids: Sequence[UUID]) -> None:
        """Delete by row id."""
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM catalog_search WHERE rowid = %s", [(row_id(i),) for i in ids])

    def matching(self, ways: "Sequence[Sequence[Term]]", *, title: bool) -> tuple[str, list[Any]]:
        """MATCH with every word quoted and ANDed, in one column."""
        words = " OR ".join(f"({' AND '.join(map(_term, terms))})" for terms in ways)
        column = "title" if title else "everything"
        # FTS5 has no bound column filters inside one MATCH but takes the whole expression as a parameter.
        return "SELECT product_id FROM catalog_search WHERE catalog_search MATCH %s", [f"{column} : ({words})"]
