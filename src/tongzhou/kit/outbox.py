"""The transactional outbox: facts that travel up, one delivery row per handler, on django-tasks rows.

``publish`` inserts delivery rows in the caller's transaction, so a fact exists exactly when what it
tells of was committed. ``kit.worker`` takes rows up. A handler of the usual kind works on the
database only: its effects and the row's end commit together, so a killed worker repeats nothing and
loses nothing. A handler that talks to a network is *external*: its row is claimed first, and a
lease that runs out gives it back.

``config.wiring`` registers who is woken by what; no room imports one above it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django_tasks import task
from django_tasks_db.models import DBTaskResult
from pydantic import TypeAdapter

from tongzhou.kit import clock, inserts
from tongzhou.kit.ids import new_id

BATCH_PATH = "tongzhou.kit.outbox.deliver"
BACKEND = "default"


@dataclass(frozen=True, slots=True)
class Handler:
    """Who is woken by a fact.

    ``run`` receives the facts of one claim, oldest first, and the moment. ``batch`` handlers get
    up to ``batch`` facts in one transaction; ``external`` ones get one at a time outside any
    transaction and must be idempotent towards their counterparty.
    """

    name: str
    run: Callable[[Sequence[Any], datetime], None]
    batch: int = 1
    external: bool = False
    max_attempts: int = 12


_wiring: dict[type, tuple[Handler, ...]] = {}
_handlers: dict[str, tuple[Handler, type]] = {}


def register(wiring: dict[type, Sequence[Handler]]) -> None:
    """Install the wiring table; called once by ``config`` when Django is ready."""
    _wiring.clear()
    _handlers.clear()
    for fact, handlers in wiring.items():
        _wiring[fact] = tuple(handlers)
        for handler in handlers:
            key = handler_key(handler, fact)
            if key in _handlers:
                raise ValueError(f"handler wired twice: {key}")
            _handlers[key] = (handler, fact)


def handler_key(handler: Handler, fact: type) -> str:
    """The name a delivery row carries: stable across releases, never a code path."""
    return f"{handler.name}<{fact.__name__}"


def wiring() -> dict[type, tuple[Handler, ...]]:
    """Who is woken by what, for docs and tests."""
    return dict(_wiring)


def handler(key: str) -> tuple[Handler, type]:
    """The handler of a delivery row and the type of its fact; KeyError when no longer wired."""
    return _handlers[key]


@cache
def _adapter(fact: Any) -> "TypeAdapter[Any]":
    return TypeAdapter(fact)


def dump(fact: Any) -> Any:
    """A fact (frozen dataclass) as plain JSON."""
    kind: Any = type(fact)
    return _adapter(kind).dump_python(fact, mode="json")


def load(fact: type, data: Any) -> Any:
    """The fact back from its JSON; field defaults cover what an older release did not write."""
    return _adapter(fact).validate_python(data)


def publish(*facts: Any, at: datetime) -> None:
    """Insert one delivery row per fact and wired handler, in the caller's transaction (one statement)."""
    inserts.write(
        DBTaskResult(
            id=new_id(),
            enqueued_at=at,
            args_kwargs={"args": [handler_key(h, type(fact)), dump(fact)], "kwargs": {}},
            task_path=BATCH_PATH,
            queue_name="external" if h.external else "outbox",
            backend_name=BACKEND,
            run_after=at,
            exception_class_path="",
            traceback="",
        )
        for fact in facts
        for h in _wiring.get(type(fact), ())
    )


@task
def deliver(key: str, data: Any) -> None:
    """Deliver one fact: the single-row path that any django-tasks worker can take."""
    found, fact = handler(key)
    found.run([load(fact, data)], clock.now())
