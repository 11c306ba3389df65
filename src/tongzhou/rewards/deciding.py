"""Who earns from a sale, under which version, and within which month: shared by accrual and simulation."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from tongzhou.catalog import queries as goods
from tongzhou.compliance import queries as compliance
from tongzhou.kit import clock
from tongzhou.people import queries as people
from tongzhou.plans.rules import LineFacts, deepest, owed_version
from tongzhou.plans.values import PlanVersionValue

Sale = tuple[UUID, UUID, datetime]  # sharer, buyer, when the order was placed
Chain = tuple[UUID | None, ...]


def slugs() -> dict[UUID, str]:
    """Category id → slug, as rules name categories."""
    out: dict[UUID, str] = {}
    todo = list(goods.categories())
    while todo:
        node = todo.pop()
        out[node.id] = node.slug
        todo += node.children
    return out


def version_of(
    versions: Mapping[UUID, PlanVersionValue], *, now_id: UUID | None, touched_id: UUID | None,
    touched_at: datetime | None, placed_at: datetime, lines: Sequence[LineFacts],
) -> PlanVersionValue | None:  # fmt: skip
    """The version an order is owed: the one in force, or the locked one of the touch where that pays more."""
    now = versions.get(now_id) if now_id else None
    if now is None:
        return None
    touched = versions.get(touched_id) if touched_id else None
    return owed_version(now, touched, touched_at=touched_at, order_at=placed_at, lines=lines)


def levels(versions: Iterable[PlanVersionValue]) -> int:
    """How deep the engine pays: what the plans ask for, never more than the mall's jurisdiction allows.

    The jurisdiction is asked only where a plan goes deeper than the sharer, so a lawful one-level mall
    pays no statement for the question.
    """
    asked = max((deepest(v.plan) for v in versions), default=1)
    return min(asked, compliance.max_depth()) if asked > 1 else 1


def chains(sales: Sequence[Sale], depth: int) -> dict[Sale, Chain]:
    """Each sale's sharer and the inviters above, as the bindings stood when the order was placed.

    Nobody earns from their own order: where the buyer stands in the chain there is a None. Two queries
    for each level beyond the first.
    """
    out: dict[Sale, list[UUID | None]] = {sale: [sale[0]] for sale in sales}
    top: dict[Sale, UUID | None] = {sale: sale[0] for sale in sales}
    for _level in range(1, depth):
        asked = {(who, sale[2]) for sale, who in top.items() if who is not None}
        above = people.inviters_as_of(asked)
        for sale, who in top.items():
            found = above.get((who, sale[2])) if who is not None else None
            top[sale] = found
            out[sale].append(None if found == sale[1] or found in out[sale] else found)
    return {sale: tuple(chain) for sale, chain in out.items()}


def story_of(line_id: UUID, depth: int) -> UUID:
    """The story a reward's money is told under: the line's own for the sharer, one of its own for each deeper one."""
    return line_id if depth == 1 else uuid5(line_id, f"reward:{depth}")


def reference_of(line_id: UUID, depth: int) -> str:
    """The reward's name in its sharer's book."""
    return f"reward:{line_id}" if depth == 1 else f"reward:{line_id}:d{depth}"


def month_of(at: datetime) -> datetime:
    """When the mall's month of a moment began."""
    return clock.day_start(clock.mall_day(at).replace(day=1))
