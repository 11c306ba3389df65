"""The category tree, kept per process under a stamp: a random mark in the database that every change replaces."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from tongzhou.catalog.models import Category, Product, Stamp, Status
from tongzhou.catalog.tokens import normal
from tongzhou.catalog.values import CategoryNode
from tongzhou.kit.ids import new_id

_NAME = "categories"
_TRUST_SECONDS = 2.0  # how long a process answers from its copy before it looks at the stamp again


def has_phrase(names: str, phrase: str) -> bool:
    """Whether names (as search compares them, each after a space) have the phrase; Latin at a word's start."""
    return (f" {phrase}" if phrase[:1].isascii() else phrase) in names


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole tree at one mark."""

    mark: UUID | None
    roots: tuple[CategoryNode, ...]
    by_id: Mapping[UUID, CategoryNode]
    by_slug: Mapping[str, CategoryNode]
    upward: Mapping[UUID, tuple[str, ...]]  # the slugs of a category and of all above it, itself first
    called: Mapping[
        UUID, str
    ]  # the names of a category and of all above it, in both languages, as search compares them

    def named(self, phrase: str) -> list[UUID]:
        """The categories whose name, or a name above it, has the phrase (as search compares it); Latin at a word's start."""
        return [i for i, names in self.called.items() if has_phrase(names, phrase)] if phrase else []


_FILLED_SECONDS = 10.0  # how long a process believes which categories have goods on sale


@dataclass(frozen=True, slots=True)
class Shelves:
    """The part of the tree that leads to goods on sale; ``mark`` changes whenever it does."""

    mark: str
    roots: tuple[CategoryNode, ...]


_copy: Tree | None = None
_looked = 0.0
_shelves: tuple[float, Tree, Shelves] | None = None


def changed() -> None:
    """Replace the mark, in the caller's transaction, and forget this process's copy now and again at commit."""
    Stamp.objects.update_or_create(name=_NAME, defaults={"mark": new_id()})
    forget()
    transaction.on_commit(forget)


def forget() -> None:
    """Drop this process's copy."""
    global _copy, _shelves
    _copy = _shelves = None


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


def shelves() -> Shelves:
    """The tree without the categories that have nothing on sale, neither on them nor below; looked up every ten seconds."""
    global _shelves
    tree, now = current(), time.monotonic()
    fresh = _shelves is not None and now - _shelves[0] < _FILLED_SECONDS and not connection.in_atomic_block
    if _shelves is not None and fresh and _shelves[1] is tree:
        return _shelves[2]
    on_sale = Product.objects.filter(category_id=OuterRef("id"), status=Status.PUBLISHED)
    filled = set(Category.objects.filter(Exists(on_sale)).values_list("id", flat=True))
    found = Shelves(f"{tree.mark}:{hash(frozenset(filled))}", _leading(tree.roots, filled))
    _shelves = (now, tree, found)
    return found


def _leading(nodes: tuple[CategoryNode, ...], filled: set[UUID]) -> tuple[CategoryNode, ...]:
    kept = (replace(node, children=_leading(node.children, filled)) for node in nodes)
    return tuple(node for node in kept if node.children or node.id in filled)


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
    upward = {n.id: tuple(by_id[i].slug for i in n.path if i in by_id) for n in by_id.values()}
    own = {n.id: f" {normal(n.name)} {normal(n.name_en)}" for n in by_id.values()}
    called = {n.id: "".join(own[i] for i in n.path if i in own) for n in by_id.values()}
    return Tree(mark, roots, by_id, {n.slug: n for n in by_id.values()}, upward, called)
