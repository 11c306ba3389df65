"""The category tree, kept per process under a stamp: a random mark in the database that every change replaces."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection, transaction

from tongzhou.catalog.models import Category, Stamp
from tongzhou.catalog.values import CategoryNode
from tongzhou.kit.ids import new_id

_NAME = "categories"
_TRUST_SECONDS = 2.0  # how long a process answers from its copy before it looks at the stamp again


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole tree at one mark."""

    mark: UUID | None
    roots: tuple[CategoryNode, ...]
    by_id: Mapping[UUID, CategoryNode]
    by_slug: Mapping[str, CategoryNode]


_copy: Tree | None = None
_looked = 0.0


def changed() -> None:
    """Replace the mark, in the caller's transaction, and forget this process's copy now and again at commit."""
    Stamp.objects.update_or_create(name=_NAME, defaults={"mark": new_id()})
    forget()
    transaction.on_commit(forget)


def forget() -> None:
    """Drop this process's copy."""
    global _copy
    _copy = None


def current() -> Tree:
    """The tree: from memory, after one look at the stamp when the copy is older than two seconds.

    Inside a transaction the stamp is always asked: what it sees may yet be rolled back.
    """
    global _copy, _looked
    now = time.monotonic()
    if _copy is not None and now - _looked < _TRUST_SECONDS and not connection.in_atomic_block:
        return _copy
    mark = Stamp.objects.filter(name=_NAME).values_list("mark", flat=True).first()
    if _copy is None or _copy.mark != mark:
        _copy = _read(mark)
    _looked = now
    return _copy


def _read(mark: UUID | None) -> Tree:
    rows = list(Category.objects.order_by("position", "id"))
    below: dict[UUID | None, list[Category]] = {}
    for row in rows:
        below.setdefault(row.parent_id, []).append(row)
    by_id: dict[UUID, CategoryNode] = {}

    def node(row: Category) -> CategoryNode:
        made = CategoryNode(
            row.id, row.slug, row.name, row.name_en, row.parent_id, row.position, row.art,
            tuple(UUID(i) for i in row.path),
        )  # fmt: skip
        made = replace(made, children=tuple(node(child) for child in below.get(row.id, ())))
        by_id[row.id] = made
        return made

    roots = tuple(node(row) for row in below.get(None, ()))
    return Tree(mark, roots, by_id, {n.slug: n for n in by_id.values()})
