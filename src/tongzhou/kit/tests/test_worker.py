"""Deliveries: tried again, buried, revived, given back; periodic turns are won by one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django_tasks_db.models import DBTaskResult

from tongzhou.kit import outbox, worker
from tongzhou.kit.outbox import Handler
from tongzhou.kit.refusals import Refusal
from tongzhou.kit.worker import Periodic, backoff

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Rang:
    """A fact."""

    number: int
    loud: bool = False


@pytest.fixture
def heard(monkeypatch):
    """A wiring of one fact; what was heard, and numbers that cannot be."""
    monkeypatch.setattr(outbox, "_wiring", {})
    monkeypatch.setattr(outbox, "_handlers", {})
    told: list[list[int]] = []
    told_bad: set[int] = set()

    def hear(facts, _at):
        if any(f.number in told_bad for f in facts):
            raise RuntimeError("cannot hear that")
        told.append([f.number for f in facts])

    outbox.register({Rang: [Handler("bell", hear, batch=4, max_attempts=3)]})
    return told, told_bad


def test_facts_come_in_batches_oldest_first(heard):
    told, _bad = heard
    outbox.publish(*[Rang(n) for n in range(6)], at=AT)
    assert worker.run_once(at=AT) == 6 and told == [[0, 1, 2, 3], [4, 5]]
    assert worker.run_once(at=AT) == 0 and worker.backlog() == 0


def test_one_bad_fact_holds_up_no_other_and_is_buried_and_revived(heard):
    told, bad = heard
    bad.add(2)
    outbox.publish(*[Rang(n) for n in range(4)], at=AT)
    worker.run_once(at=AT)
    assert told == [[0], [1], [3]]
    at = AT
    for attempt in (1, 2):
        assert worker.run_once(at=at + backoff(attempt) - timedelta(milliseconds=1)) == 0
        at += backoff(attempt)
        assert worker.run_once(at=at) == 1
    (dead,) = worker.dead_letters()
    assert len(dead.worker_ids) == 3 and "cannot hear that" in dead.traceback and worker.backlog() == 0
    bad.clear()
    assert worker.revive(dead.id, at=at) and not worker.revive(dead.id, at=at)
    assert worker.run_once(at=at) == 1 and told[-1] == [2] and not worker.dead_letters().exists()


def test_a_counterparty_that_is_silent_is_one_line_and_a_crash_shows_where(heard, caplog):
    def silent(_facts, _at):
        raise Refusal("rail_unreachable", "The rail is silent.", retryable=True)

    def crash(_facts, _at):
        raise RuntimeError("broken")

    for run, traced in ((silent, False), (crash, True)):
        caplog.clear()
        outbox.register({Rang: [Handler("bank", run, external=True)]})
        outbox.publish(Rang(1), at=AT)
        worker.run_once(at=AT)
        (record,) = [r for r in caplog.records if r.name == "tongzhou.worker"]
        assert (
            bool(record.exc_info) is traced
            and ("rail_unreachable: The rail is silent." in record.getMessage()) is not traced
        )


def test_a_fact_whose_handler_is_gone_waits_and_is_not_lost(heard):
    outbox.publish(Rang(1), at=AT)
    outbox.register({})
    worker.run_once(at=AT)
    row = DBTaskResult.objects.get()
    assert row.status == worker.READY and "KeyError" in row.exception_class_path


def test_an_older_releases_fact_is_read_with_defaults(heard):
    told, _bad = heard
    outbox.publish(Rang(7), at=AT)
    row = DBTaskResult.objects.get()
    key, data = row.args_kwargs["args"]
    data.pop("loud")
    DBTaskResult.objects.update(args_kwargs={"args": [key, data], "kwargs": {}})
    worker.run_once(at=AT)
    assert told == [[7]]


def test_what_a_dead_worker_had_claimed_is_given_back_after_its_lease(heard):
    told: list[int] = []
    outbox.register({Rang: [Handler("bank", lambda facts, _at: told.append(facts[0].number), external=True)]})
    outbox.publish(Rang(1), at=AT)
    DBTaskResult.objects.update(status=worker.RUNNING, started_at=AT)
    assert worker.reap(at=AT + worker.LEASE) == 0 and worker.run_once(at=AT + worker.LEASE) == 0
    late = AT + worker.LEASE + timedelta(seconds=1)
    assert worker.reap(at=late) == 1 and worker.run_once(at=late) == 1 and told == [1]


def test_only_what_is_done_and_old_is_pruned(heard):
    _told, bad = heard
    bad.add(9)
    outbox.publish(Rang(1), Rang(9), at=AT)
    worker.run_once(at=AT)
    assert worker.prune(at=AT + timedelta(days=6)) == 0
    assert worker.prune(at=AT + timedelta(days=8)) == 1 and worker.backlog() == 1


def test_a_periodic_turn_is_taken_once_and_a_failing_job_stops_no_other():
    ran: list[str] = []

    def fails(_at):
        raise RuntimeError

    jobs = [
        Periodic("a", timedelta(minutes=1), fails),
        Periodic("b", timedelta(minutes=5), lambda _at: ran.append("b") or "done"),
    ]
    assert worker.run_periodic(jobs, at=AT) == ["a", "b"] and worker.run_periodic(jobs, at=AT) == []
    assert worker.run_periodic(jobs, at=AT + timedelta(minutes=1)) == ["a"] and ran == ["b"]


def test_a_handler_is_wired_once():
    bell = Handler("bell", lambda *_: None)
    with pytest.raises(ValueError, match="twice"):
        outbox.register({Rang: [bell, bell]})
    from tongzhou.config.wiring import install

    install()
