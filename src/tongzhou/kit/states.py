"""State moves: a table beside each ``Status`` enum, and one conditional UPDATE that trusts its row count."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Refusal, conflict

Moves = Mapping[Any, frozenset[Any]]  # status → the statuses it may become


def reachable(moves: Mapping[Any, Iterable[Any]], start: Any) -> set[Any]:
    """Every status one can get to from ``start``, itself included; tests hold it to the whole enum."""
    seen, todo = {start}, [start]
    while todo:
        for nxt in moves.get(todo.pop(), ()):
            if nxt not in seen:
                seen.add(nxt)
                todo.append(nxt)
    return seen


def move(
    rows: "models.QuerySet[Any]",
    to: StrEnum,
    *,
    moves: Mapping[Any, Iterable[Any]],
    refusal: Refusal | None = None,
    **changes: Any,
) -> int:
    """Move ``rows`` to ``to`` from whichever statuses ``moves`` lets become it; returns how many moved.

    One UPDATE … WHERE status IN (…): two racing callers cannot both win. With ``refusal`` given,
    zero rows raises it.
    """
    origins = [origin for origin, targets in moves.items() if to in targets]
    count = rows.filter(status__in=origins).update(status=to, **changes)
    if count == 0 and refusal is not None:
        raise refusal
    return count


def moved_on(what: str) -> Refusal:
    """The usual refusal of a lost race."""
    return conflict("state_moved_on", _("“%(what)s”的状态已经变了，请刷新后再看。") % {"what": what})
