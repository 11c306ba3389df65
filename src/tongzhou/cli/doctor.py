"""`tongzhou doctor`: what is installed, reachable, missing, and how to mend it."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import typer

from tongzhou.cli.main import REFUSED, Json, app, boot, say, show


@dataclass(frozen=True, slots=True)
class Check:
    """One look. ``state`` is ``ok``, ``note`` (works without, but worth knowing) or ``missing`` (mend it)."""

    check: str
    state: str
    said: str
    mend: str = ""


def _check(name: str, good: bool, said: str, mend: str, *, needed: bool = True) -> Check:
    return Check(name, "ok", said) if good else Check(name, "missing" if needed else "note", said, mend)


@app.command()
def doctor(as_json: Json = False) -> None:
    """What is installed, reachable, missing, and how to mend it. Exit 1 when something needed is missing.

    Example: tongzhou doctor --json
    """
    boot()
    checks = list(_looks())
    good = all(c.state != "missing" for c in checks)
    if as_json:
        say({"ok": good, "checks": [asdict(c) for c in checks]})
    else:
        for c in checks:
            mark = {"ok": "✓", "note": "·", "missing": "✗"}[c.state]
            show(f"{mark} {c.check}: {c.said}" + (f"\n    → {c.mend}" if c.mend else ""))
    if not good:
        raise typer.Exit(REFUSED)


def _looks() -> Iterator[Check]:
    """Every look, the database's own only where it answers."""
    from django.conf import settings

    version = sys.version.split()[0]
    yield _check("python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")
    home = Path(settings.TONGZHOU_HOME)
    yield _check("home", os.access(home, os.W_OK | os.X_OK), str(home), "Make TONGZHOU_HOME writable for this user.")
    free = shutil.disk_usage(home).free // 2**20
    yield _check("disk", free > 500, f"{free} MB free", "Make room: the database needs it.", needed=False)
    yield Check("time zone", "ok", f"{settings.TIME_ZONE}; days, windows and tax months follow it")
    reached = _database()
    yield reached
    if reached.state == "ok":
        pending = _pending()
        yield pending
        if pending.state == "ok":
            for look in (_currency, _worker, _letters, _owner):
                yield look()
    yield from (
        _production() if settings.PRODUCTION else [Check("environment", "ok", "demo: the sandbox bank may be used")]
    )
    yield from _pictures()


def _database() -> Check:
    from django.db import DatabaseError, connection

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Check("database", "missing", said, "Check DATABASE_URL, and that the server runs and lets this user in.")
    return Check("database", "ok", connection.vendor)


def _pending() -> Check:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return _check("migrations", not plan, f"{len(plan)} pending" if plan else "up to date", "Run `tongzhou migrate`.")


def _currency() -> Check:
    from django.conf import settings

    from tongzhou.ledger import queries

    fixed = queries.currency() or settings.CURRENCY
    return _check(
        "currency", fixed == settings.CURRENCY, fixed, f"The books are in {fixed}: set TONGZHOU_CURRENCY to it."
    )


def _worker() -> Check:
    from django.conf import settings

    from tongzhou.kit import clock, worker

    seen = worker.last_seen()
    late = seen is None or clock.now() - seen > timedelta(minutes=2)
    said = "never seen" if seen is None else f"last seen {int((clock.now() - seen).total_seconds())} s ago"
    mend = "Start `tongzhou worker` (or `tongzhou serve`): without it no reward is booked and no payout is sent."
    return _check("worker", not late, f"{said}; {worker.backlog()} deliveries wait", mend, needed=settings.PRODUCTION)


def _letters() -> Check:
    from tongzhou.kit import worker

    count = worker.dead_letters().count()
    return _check(
        "failed deliveries",
        not count,
        str(count),
        "See them in the console, mend the cause, revive them.",
        needed=False,
    )


def _owner() -> Check:
    from tongzhou.people import queries

    count = len(queries.operators())
    return _check(
        "owner", bool(count), f"{count} people have a role", "Run `tongzhou serve` and open /console/.", needed=False
    )


def _production() -> Iterator[Check]:
    """What a mall with real money must not have."""
    from django.conf import settings

    from tongzhou.config import safety

    for finding in safety.findings():
        yield Check(finding.name, "missing" if finding.needed else "note", finding.said, finding.mend)
    known = safety.demo_operators()
    yield _check(
        "demo password", not known, ", ".join(known) or "nobody has it", "Give these operators a new password."
    )
    yield Check("environment", "ok", f"production at {settings.SITE_URL}")


def _pictures() -> Iterator[Check]:
    from tongzhou.sharing.poster import font_path

    font = font_path()
    yield _check(
        "chinese font", font is not None, Path(str(font)).name if font else "none found",
        "Posters are drawn as SVG; for PNG install fonts-noto-cjk or fonts-wqy-microhei.", needed=False,
    )  # fmt: skip
    find: Callable[[str], str | None] = shutil.which
    browser = find("chromium") or find("chromium-browser") or find("google-chrome")
    yield _check(
        "browser", browser is not None, browser or "none found", "Only `make test` drives one: install chromium.",
        needed=False,
    )  # fmt: skip
