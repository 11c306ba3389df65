"""The worker: takes deliveries up in batches, retries, buries the dead, gives back what crashed, runs periodic jobs.

Statuses are django-tasks': READY → (external only: RUNNING →) SUCCESSFUL, or FAILED once its
attempts are used up: the dead letters, which ``revive`` puts back. ``worker_ids`` counts attempts.
"""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django_tasks_db.models import DBTaskResult

from tongzhou.kit import outbox
from tongzhou.kit.models import PeriodicTurn
from tongzhou.kit.refusals import Refusal
from tongzhou.kit.transactions import command

log = logging.getLogger("tongzhou.worker")
Row = Any  # a django-tasks row; its class is generic over a task this module does not know

READY, RUNNING, DONE, DEAD = "READY", "RUNNING", "SUCCESSFUL", "FAILED"
LEASE = timedelta(minutes=5)  # longer than any external call's timeout
CLAIM = 64


def backoff(attempt: int) -> timedelta:
    """Wait before try ``attempt`` + 1: 2 s, 4 s, 8 s … at most an hour."""
    return timedelta(seconds=min(3600, 2 ** min(attempt, 12)))


def run_once(*, at: datetime, limit: int = CLAIM, worker: str = "worker") -> int:
    """Take one claim of local deliveries, then one of external ones; returns how many rows were finished or retried."""
    return _run_local(at=at, limit=limit, worker=worker) + _run_external(at=at, limit=8, worker=worker)


def drain(*, at: datetime, most: int = 100_000) -> int:
    """Work until nothing is ready at ``at``; for tests, imports and the demo's moving clock."""
    total = 0
    while total < most:
        done = run_once(at=at)
        if not done:
            break
        total += done
    return total


def drain_local(*, at: datetime) -> int:
    """Work the local deliveries off, and leave what needs a network; for the demo's and imports' moving clock."""
    total = 0
    while done := _run_local(at=at, limit=CLAIM, worker="drain"):
        total += done
    return total


def _ready(queue: str, at: datetime, limit: int) -> "list[Row]":
    rows = DBTaskResult.objects.filter(status=READY, queue_name=queue, run_after__lte=at).order_by(
        "-priority", "run_after", "id"
    )
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    return list(rows[:limit])


def _run_local(*, at: datetime, limit: int, worker: str) -> int:
    with transaction.atomic():
        rows = _ready("outbox", at, limit)
        if not rows:
            return 0
        done: list[UUID] = []
        groups: dict[str, list[Row]] = {}
        for row in rows:
            groups.setdefault(row.args_kwargs["args"][0], []).append(row)
        for key, members in groups.items():
            done += _run_group(key, members, at=at, worker=worker)
        if done:
            DBTaskResult.objects.filter(id__in=done).update(status=DONE, started_at=at, finished_at=at)
    return len(rows)


def _run_group(key: str, rows: "list[Row]", *, at: datetime, worker: str) -> list[UUID]:
    """One handler's rows: first all together in a savepoint, and if that fails, one by one."""
    try:
        handler, fact = outbox.handler(key)
    except KeyError as error:
        for row in rows:
            _failed(row, error, at=at, worker=worker, most=12)
        return []
    done: list[UUID] = []
    for start in range(0, len(rows), handler.batch):
        part = rows[start : start + handler.batch]
        try:
            _deliver(handler, fact, part, at)
            done += [row.id for row in part]
            continue
        except Exception as error:
            if len(part) == 1:
                _failed(part[0], error, at=at, worker=worker, most=handler.max_attempts)
                continue
        for row in part:
            try:
                _deliver(handler, fact, [row], at)
                done.append(row.id)
            except Exception as error:
                _failed(row, error, at=at, worker=worker, most=handler.max_attempts)
    return done


def _deliver(handler: outbox.Handler, fact: type, rows: "Sequence[Row]", at: datetime) -> None:
    with command():
        handler.run([outbox.load(fact, row.args_kwargs["args"][1]) for row in rows], at)


def _failed(row: "Row", error: Exception, *, at: datetime, worker: str, most: int) -> None:
    """Count the attempt; schedule the next, or bury the row with its traceback."""
    tries = [*row.worker_ids, worker]
    dead = len(tries) >= most
    no = isinstance(error, Refusal)  # a counterparty that is silent or says no: one line; a crash shows where
    log.warning(
        "delivery failed%s", f": {error}" if no else "", exc_info=None if no else error,
        extra={"row": str(row.id), "attempt": len(tries), "dead": dead},
    )  # fmt: skip
    DBTaskResult.objects.filter(id=row.id).update(
        status=DEAD if dead else READY,
        worker_ids=tries,
        started_at=at,
        finished_at=at if dead else None,
        run_after=at if dead else at + backoff(len(tries)),
        exception_class_path=f"{type(error).__module__}.{type(error).__qualname__}",
        traceback="".join(traceback.format_exception(error))[-8000:],
    )


def _run_external(*, at: datetime, limit: int, worker: str) -> int:
    """Claim, leave the transaction, call the network, then record the end: at least once, never inside a transaction."""
    with transaction.atomic():
        rows = _ready("external", at, limit)
        if not rows:
            return 0
        DBTaskResult.objects.filter(id__in=[row.id for row in rows]).update(status=RUNNING, started_at=at)
    for row in rows:
        try:
            handler, fact = outbox.handler(row.args_kwargs["args"][0])
        except KeyError as error:
            _failed(row, error, at=at, worker=worker, most=12)
            continue
        try:
            handler.run([outbox.load(fact, row.args_kwargs["args"][1])], at)
        except Exception as error:
            _failed(row, error, at=at, worker=worker, most=handler.max_attempts)
            continue
        DBTaskResult.objects.filter(id=row.id, status=RUNNING).update(status=DONE, finished_at=at)
    return len(rows)


def reap(*, at: datetime) -> int:
    """Give back external rows whose worker died: RUNNING longer than the lease."""
    return DBTaskResult.objects.filter(status=RUNNING, started_at__lt=at - LEASE).update(status=READY, run_after=at)


def prune(*, at: datetime, keep: timedelta = timedelta(days=7)) -> int:
    """Delete finished deliveries older than ``keep``; dead letters stay until somebody decides."""
    gone: int = DBTaskResult.objects.filter(status=DONE, finished_at__lt=at - keep).delete()[0]
    return gone


def dead_letters() -> Any:
    """Deliveries whose attempts are used up, newest first."""
    return DBTaskResult.objects.filter(status=DEAD).order_by("-finished_at")


def revive(row_id: UUID, *, at: datetime) -> bool:
    """Put a dead letter back with fresh attempts; False when it is not dead."""
    return bool(
        DBTaskResult.objects.filter(id=row_id, status=DEAD).update(
            status=READY, worker_ids=[], run_after=at, finished_at=None
        )
    )


def last_seen() -> datetime | None:
    """When a worker last took a periodic turn; None when none ever did."""
    return PeriodicTurn.objects.order_by("-last_at").exclude(last_at=None).values_list("last_at", flat=True).first()


def backlog(most: int | None = None) -> int:
    """How many deliveries wait (ready or running), counted to ``most`` when given."""
    return DBTaskResult.objects.filter(status__in=[READY, RUNNING])[:most].count()


def jobs() -> "list[PeriodicTurn]":
    """The periodic jobs as they last ran, by name."""
    return list(PeriodicTurn.objects.order_by("name"))


@dataclass(frozen=True, slots=True)
class Periodic:
    """A job that somebody must run every ``every``; ``run`` returns a short sentence of what it did."""

    name: str
    every: timedelta
    run: Callable[[datetime], str]


def run_periodic(jobs: Sequence[Periodic], *, at: datetime) -> list[str]:
    """Run each job that is due and whose turn this worker wins; returns the names run.

    The turn is won by a conditional UPDATE of ``due_at``; a job that fails is logged and tried at
    its next turn.
    """
    PeriodicTurn.objects.bulk_create([PeriodicTurn(name=j.name, due_at=at) for j in jobs], ignore_conflicts=True)
    due = set(PeriodicTurn.objects.filter(due_at__lte=at).values_list("name", flat=True))
    ran = []
    for job in jobs:
        if job.name not in due:
            continue
        if not PeriodicTurn.objects.filter(name=job.name, due_at__lte=at).update(due_at=at + job.every, last_at=at):
            continue
        try:
            said = job.run(at)
        except Exception as error:
            log.exception("periodic job failed: %s", job.name)
            said = f"failed: {type(error).__name__}"
        PeriodicTurn.objects.filter(name=job.name).update(last_result=said[:200])
        ran.append(job.name)
    return ran
