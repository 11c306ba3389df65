"""Running the mall: doctor, serve, web, worker, migrate, demo."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from tongzhou.cli.main import app, boot, err, say

Port = Annotated[int, typer.Option(help="Port of the shop.", envvar="PORT")]
demo = typer.Typer(no_args_is_help=True, help="A mall with living demo data.")
app.add_typer(demo, name="demo")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """What is installed, reachable, missing, and how to mend it.

    Example: tongzhou doctor
    """
    boot()
    from django.conf import settings
    from django.db import connection

    from tongzhou.sharing.poster import font_path

    checks: list[dict[str, str]] = []

    def check(name: str, good: bool, said: str, mend: str = "") -> None:
        checks.append({"check": name, "state": "ok" if good else "missing", "said": said, "mend": "" if good else mend})

    check("python", sys.version_info >= (3, 11), sys.version.split()[0], "Install Python 3.11 or newer.")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        check("database", True, connection.vendor)
    except Exception as error:
        check("database", False, type(error).__name__, "Check DATABASE_URL and that the server runs.")
    home = Path(settings.TONGZHOU_HOME)
    check("home", os.access(home, os.W_OK), str(home.name), "Make TONGZHOU_HOME writable.")
    check("chinese font for posters", font_path() is not None, str(bool(font_path())),
          "Posters are drawn as SVG; for PNG install fonts-noto-cjk or fonts-wqy-microhei.")  # fmt: skip
    check("browser for tests", shutil.which("chromium") is not None, str(shutil.which("chromium") is not None),
          "Only needed for `make test` journeys: install chromium.")  # fmt: skip
    if as_json:
        say({"checks": checks})
        return
    for row in checks:
        err.print(
            f"{'✓' if row['state'] == 'ok' else '·'} {row['check']}: {row['said']} {row['mend']}", highlight=False
        )


@app.command()
def migrate() -> None:
    """Bring the database up to date.

    Example: tongzhou migrate
    """
    boot()
    from django.core.management import call_command

    from tongzhou.catalog import commands as catalog

    call_command("migrate", verbosity=0, interactive=False)
    if not catalog.index_is_current():
        with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("search index", total=None)
            catalog.reindex(tell=lambda n, of: bar.update(task, completed=n, total=of))
    err.print("The database is up to date.")


def web_command(port: int, workers: int) -> list[str]:
    """How the web process is started: granian, single-threaded workers."""
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", os.environ.get("TONGZHOU_BIND", "127.0.0.1"),
        "--port", str(port), "--workers", str(workers), "--blocking-threads", "1", "--no-ws", "--respawn-failed-workers",
        "--log-level", "warning", "tongzhou.config.wsgi:application",
    ]  # fmt: skip


@app.command()
def web(port: Port = 8000, workers: int = 2) -> None:
    """The shop alone.

    Example: tongzhou web --port 8000
    """
    os.execv(sys.executable, web_command(port, workers))  # noqa: S606 - replaces this process by the server


@app.command()
def worker(pause: Annotated[float, typer.Option(help="Seconds between looks when idle.")] = 0.2) -> None:
    """The worker alone: deliveries, retries, periodic jobs.

    Example: tongzhou worker
    """
    boot()
    from django.db import close_old_connections

    from tongzhou.config.wiring import periodic
    from tongzhou.kit import clock
    from tongzhou.kit import worker as work

    stopping: list[int] = []
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda number, _frame: stopping.append(number))
    jobs, name, next_jobs = periodic(), f"worker-{os.getpid()}", 0.0
    while not stopping:
        try:
            done = work.run_once(at=clock.now(), worker=name)
            if time.monotonic() >= next_jobs:
                work.run_periodic(jobs, at=clock.now())
                next_jobs = time.monotonic() + 5
        except Exception as error:  # the database may be away for a while; the worker stays
            err.print(f"worker: {type(error).__name__}: {error}", markup=False)
            close_old_connections()
            done = 0
            time.sleep(2)
        if not done:
            time.sleep(pause)


@app.command()
def serve(port: Port = 8000, workers: int = 2) -> None:
    """Shop and worker together; outside production the sandbox counterparty too. Ctrl-C ends all of it.

    Example: tongzhou serve --port 8000
    """
    os.environ["PORT"] = str(port)
    boot()
    from django.conf import settings

    from tongzhou.people import queries
    from tongzhou.people.commands.roles import setup_code

    commands = [web_command(port, workers), [sys.executable, "-m", "tongzhou.cli", "worker"]]
    if settings.TONGZHOU_ENV != "production":
        os.environ["TONGZHOU_HOME"] = str(settings.TONGZHOU_HOME)
        commands.append(
            [
                sys.executable,
                "-m",
                "tongzhou.sandbox",
                "--port",
                str(settings.SANDBOX_PORT),
                "--home",
                str(settings.TONGZHOU_HOME),
            ]
        )
    if not queries.operators():
        err.print(f"No owner yet: open {settings.SITE_URL}/console/ and use the setup code [bold]{setup_code()}[/bold]")
    supervise(commands)


def supervise(commands: Sequence[Sequence[str]]) -> None:
    """Run processes together; when one ends, or somebody asks, all end."""
    running = [subprocess.Popen(c) for c in commands]
    stopping: list[int] = []
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda number, _frame: stopping.append(number))
    try:
        while not stopping and all(p.poll() is None for p in running):
            time.sleep(0.2)
    finally:
        for p in running:
            if p.poll() is None:
                p.terminate()
        for p in running:
            try:
                p.wait(timeout=10)
            except subprocess.TimeoutExpired:
                p.kill()
    if not stopping:
        raise typer.Exit(1)


@demo.command("seed")
def demo_seed(scale: Annotated[int, typer.Option(help="How many products.", min=1, max=5000)] = 60) -> None:
    """Fill an empty mall with goods, people and ninety days of orders, made by the real commands.

    Example: tongzhou demo seed --scale 60
    """
    boot()
    from tongzhou.demo import seed

    seed.run(scale=scale, tell=lambda text: err.print(text, highlight=False))


@demo.command("traffic")
def demo_traffic(minutes: Annotated[int, typer.Option(help="How long.", min=1)] = 10) -> None:
    """Keep the demo alive: friends open links, buy, receive, return.

    Example: tongzhou demo traffic --minutes 5
    """
    boot()
    from tongzhou.demo import seed

    seed.traffic(minutes=minutes, tell=lambda text: err.print(text, highlight=False))


@demo.command("up")
def demo_up(port: Port = 8000) -> None:
    """What `make demo` does: migrate, seed when empty, serve, and say who can sign in.

    Example: tongzhou demo up --port 8000
    """
    os.environ["PORT"] = str(port)
    migrate()
    from tongzhou.demo import seed

    seed.run(scale=60, tell=lambda text: err.print(text, highlight=False), only_if_empty=True)
    err.print(f"\n[bold]http://127.0.0.1:{port}/[/bold]")
    for line in seed.who_can_sign_in():
        err.print("  " + line, highlight=False)
    serve(port=port)
