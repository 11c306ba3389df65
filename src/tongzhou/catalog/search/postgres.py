"""tsvector columns made by ``array_to_tsvector`` from our own tokens, under GIN. No parser, no dictionary."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from tongzhou.catalog.tokens import Term

if TYPE_CHECKING:
    from tongzhou.catalog.search import Doc

CREATE = """
CREATE TABLE catalog_search (product_id uuid PRIMARY KEY, title tsvector NOT NULL, everything tsvector NOT NULL);
CREATE INDEX catalog_search_everything ON catalog_search USING gin (everything);
"""


def _term(term: Term) -> str:
    ways = [f"'{token}'{':*' if term.prefix else ''}" for token in term.ways]
    return ways[0] if len(ways) == 1 else f"({' | '.join(ways)})"


class TsVector:
    """Entries in one table of two tsvectors."""

    def write(self, docs: "Sequence[Doc]") -> None:
        """One upsert for all of them, in id order."""
        if not docs:
            return
        one = "(%s::uuid, array_to_tsvector(%s::text[]), array_to_tsvector(%s::text[]))"
        rows = sorted(docs, key=lambda d: d.id)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO catalog_search (product_id, title, everything) VALUES {', '.join([one] * len(rows))}"  # noqa: S608
                " ON CONFLICT (product_id) DO UPDATE SET title = excluded.title, everything = excluded.everything",
                [part for doc in rows for part in (doc.id, doc.title_tokens, doc.all_tokens)],
            )

    def drop(self, ids: Sequence[UUID]) -> None:
        """Delete by key."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM catalog_search WHERE product_id = ANY(%s::uuid[])", [list(ids)])

    def matching(self, ways: "Sequence[Sequence[Term]]", *, title: bool) -> tuple[str, list[Any]]:
        """``@@`` with quoted lexemes: tokens are letters and digits only, so quoting is safe by construction."""
        query = " | ".join(f"({' & '.join(map(_term, terms))})" for terms in ways)
        column = "title" if title else "everything"
        return f"SELECT product_id FROM catalog_search WHERE {column} @@ (%s::text)::tsquery", [query]  # noqa: S608
