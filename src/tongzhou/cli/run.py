"""Running the mall: doctor, serve, web, worker, migrate, demo."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from tongzhou.cli.main import Json, app, boot, err, progress, say, tell

Port = Annotated[int, typer.Option(help="Port of the shop.", envvar="PORT")]
demo = typer.Typer(no_args_is_help=True, help="A mall with living demo data.")
app.add_typer(demo, name="demo")


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
        with progress("search index") as bar:
            catalog.reindex(tell=bar)
    tell("The database is up to date.")


def start_safely() -> None:
    """Load Django; in production, not with what would cost a mall its money. *Refuses:* ``unsafe_environment``."""
    boot()
    from tongzhou.config import safety
    from tongzhou.kit.refusals import Refusal

    wrong = [f for f in safety.findings() if f.needed]
    if wrong:
        errors = [Refusal("unsafe", f.said, field=f.name, fix=f.mend) for f in wrong]
        raise Refusal("unsafe_environment", "The mall does not start in production like this.", errors=errors)


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
    os.environ["PORT"] = str(port)
    start_safely()
    os.execv(sys.executable, web_command(port, workers))  # noqa: S606 - replaces this process by the server


@app.command()
def worker(pause: Annotated[float, typer.Option(help="Seconds between looks when idle.")] = 0.2) -> None:
    """The worker alone: deliveries, retries, periodic jobs.

    Example: tongzhou worker
    """
    start_safely()
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
            tell(f"worker: {type(error).__name__}: {error}")
            close_old_connections()
            done = 0
            time.sleep(2)
        if done < work.CLAIM:  # no full claim: the queue is empty, and what comes meanwhile is booked together
            time.sleep(pause)


def free_ports(*ports: int) -> None:
    """Ports nobody listens on: a web server shares a port without a word, and two malls would answer in turn.

    *Refuses:* ``port_taken``.
    """
    from tongzhou.kit.refusals import Kind, Refusal

    host = os.environ.get("TONGZHOU_BIND", "127.0.0.1")
    for port in ports:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one just left counts as free
            try:
                probe.bind((host, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    continue
                raise Refusal(
                    "port_taken", f"Something answers on port {port} already, perhaps another mall.", kind=Kind.CONFLICT,
                    field="PORT", value=port, fix="Stop it, or choose another: PORT=8100 make demo.",
                ) from None  # fmt: skip


@app.command()
def serve(port: Port = 8000, workers: int = 2) -> None:
    """Shop and worker together; outside production the sandbox counterparty too. Ctrl-C ends all of it.

    Example: tongzhou serve --port 8000
    """
    os.environ["PORT"] = str(port)
    start_safely()
    from django.conf import settings

    from tongzhou.people import queries
    from tongzhou.people.commands.roles import setup_code

    free_ports(port, *([] if settings.TONGZHOU_ENV == "production" else [settings.SANDBOX_PORT]))
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
    """Run processes together; when one ends, or somebody asks, all end.

    Each has a group of its own: a signal to ours (Ctrl-C, a stopped service) reaches only us, and each process is
    asked once, so that a web server ends its workers before itself and none outlives the mall.
    """
    running = [subprocess.Popen(c, start_new_session=True) for c in commands]
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
                os.killpg(p.pid, signal.SIGKILL)
    if not stopping:
        raise typer.Exit(1)


def _demo_only() -> None:
    from django.conf import settings

    from tongzhou.kit.refusals import forbidden

    if settings.PRODUCTION:
        raise forbidden("demo_in_production", "Demo data does not go into a mall with TONGZHOU_ENV=production.")


@demo.command("seed")
def demo_seed(scale: Annotated[int, typer.Option(help="How many products.", min=1, max=5000)] = 60) -> None:
    """Fill an empty mall with goods, people and ninety days of orders, made by the real commands.

    Example: tongzhou demo seed --scale 60
    """
    boot()
    _demo_only()
    from tongzhou.demo import seed

    seed.run(scale=scale, tell=tell)


@demo.command("traffic")
def demo_traffic(minutes: Annotated[int, typer.Option(help="How long.", min=1)] = 10) -> None:
    """Keep the demo alive beside a running `tongzhou serve`: friends open links, join, buy, receive, return.

    Example: tongzhou demo traffic --minutes 5
    """
    boot()
    _demo_only()
    from tongzhou.demo import traffic

    traffic.run(minutes=minutes, tell=tell)


@demo.command("pass")
def demo_pass(
    days: Annotated[int, typer.Option(help="How many days.", min=1, max=365)] = 16, as_json: Json = False
) -> None:
    """Let the windows of the coming days end now: unconfirmed parcels are received, held rewards become available.

    Example: tongzhou demo pass --days 16
    """
    boot()
    _demo_only()
    from tongzhou.demo import passing

    done = passing.run(days, (lambda _line: None) if as_json else tell)
    if as_json:
        say(done)


@demo.command("up")
def demo_up(port: Port = 8000) -> None:
    """What `make demo` does: migrate, seed when empty, serve, and say who can sign in.

    Example: tongzhou demo up --port 8000
    """
    os.environ["PORT"] = str(port)
    migrate()
    _demo_only()
    from django.conf import settings

    from tongzhou.demo import seed

    free_ports(port, settings.SANDBOX_PORT)
    seed.run(scale=60, tell=tell, only_if_empty=True)
    for line in seed.next_steps(f"http://127.0.0.1:{port}", settings.SANDBOX_URL):
        tell(line)
    serve(port=port)
