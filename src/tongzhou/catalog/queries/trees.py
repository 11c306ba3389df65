"""The category tree, from this process's memory."""

from uuid import UUID

from tongzhou.catalog import tree, wording
from tongzhou.catalog.tokens import normal
from tongzhou.catalog.values import CategoryNode

__all__ = ["categories", "category", "category_by_id", "forget", "named", "shelves", "slugs_up", "trail"]


def forget() -> None:
    """Drop what this process remembers of the catalog; for tests that roll the database back."""
    tree.forget()
    wording.forget()


def categories() -> tuple[CategoryNode, ...]:
    """The top categories with everything below them; at most one small query every two seconds."""
    return tree.current().roots


def shelves() -> tree.Shelves:
    """What visitors browse: the categories that have something on sale, on them or below; at most ten seconds old."""
    return tree.shelves()


def named(text: str, *, limit: int = 3) -> list[CategoryNode]:
    """Shelves whose own name has the text, as search compares it; what is nearer the top first. No query of its own."""
    phrase = " ".join(normal(text).split())
    level: tuple[CategoryNode, ...] = tree.shelves().roots if phrase else ()
    found: list[CategoryNode] = []
    while level and len(found) < limit:
        found += [n for n in level if tree.has_phrase(f" {normal(n.name)} {normal(n.name_en)}", phrase)]
        level = tuple(child for n in level for child in n.children)
    return found[:limit]


def category(slug: str) -> CategoryNode | None:
    """The category with this slug, or None."""
    return tree.current().by_slug.get(slug)


def category_by_id(category_id: UUID) -> CategoryNode | None:
    """The category with this id, or None."""
    return tree.current().by_id.get(category_id)


def trail(node: CategoryNode) -> list[CategoryNode]:
    """The way down to a category, top first, itself last."""
    by_id = tree.current().by_id
    return [by_id[i] for i in reversed(node.path) if i in by_id]


def slugs_up(category_id: UUID) -> tuple[str, ...]:
    """The slugs of a category and of all above it, itself first: what a plan's rules are matched with."""
    return tree.current().upward.get(category_id, ())
