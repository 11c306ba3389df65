"""Full-text search: one tokenizer (``catalog.tokens``), one table of index entries per engine.

An engine is chosen by the database at hand; both hold the same tokens and answer the same queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from tongzhou.catalog.search import postgres, sqlite
from tongzhou.catalog.sounds import heard_tokens
from tongzhou.catalog.tokens import Term, index_tokens

Terms = Sequence[Term]


@dataclass(frozen=True)
class Doc:
    """One product as the index sees it: texts of its name, and everything else one may look for."""

    id: UUID
    title: tuple[str, ...]
    rest: tuple[str, ...]

    @cached_property
    def title_tokens(self) -> list[str]:
        """Tokens of the name."""
        return index_tokens(*self.title)

    @cached_property
    def all_tokens(self) -> list[str]:
        """Tokens of everything, the name first, and how the name sounds."""
        return [*index_tokens(*self.title, *self.rest), *heard_tokens(*self.title)]


class Engine(Protocol):
    """What a database must be able to do to be searched."""

    def write(self, docs: Sequence[Doc]) -> None:
        """Put entries in, replacing those of the same products."""

    def drop(self, ids: Sequence[UUID]) -> None:
        """Take entries out."""

    def matching(self, ways: Sequence[Terms], *, title: bool) -> tuple[str, list[Any]]:
        """A subselect of product ids whose entry (or whose name alone) has all the terms of one of the ways, and
        its parameters."""


ENGINES: dict[str, Engine] = {"sqlite": sqlite.Fts5(), "postgresql": postgres.TsVector()}


def engine() -> Engine:
    """The engine of the database at hand."""
    return ENGINES[connection.vendor]
