"""A throw-away mall: a database, web, worker and sandbox bank as real processes, and what they cost."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
TICK = os.sysconf("SC_CLK_TCK")


class Stop(Exception):
    """A benchmark cannot go on; the message says why and what to do."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A PostgreSQL cluster in a temporary folder, with its own defaults: fsync, full_page_writes, synchronous_commit on.

    Spoken to over its socket file, as a mall on one machine would. Two roles tell apart whose statements
    ``pg_stat_statements`` counts; it tracks only while asked to.
    """

    def __init__(self, folder: Path) -> None:
        self.bin, self.socket = _postgres_bin(), folder / "socket"
        self.who: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            self.who = {"user": "postgres", "group": "postgres"}
        self.data = folder / "postgres"
        for made in (self.data, self.socket):
            made.mkdir()
            if self.who:
                shutil.chown(made, "postgres", "postgres")
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": self.data, **self.who}
        subprocess.run(
            [self.bin / "initdb", "-D", self.data, "-A", "trust", "-U", "mall", "-E", "UTF8", "--locale=C.UTF-8"],
            check=True, **quiet,
        )  # fmt: skip
        options = {
            "listen_addresses": "", "unix_socket_directories": str(self.socket),
            "logging_collector": "off", "shared_preload_libraries": "pg_stat_statements",
            "pg_stat_statements.track": "none", "pg_stat_statements.max": "20000",
        }  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{k} = '{v}'\n" for k, v in options.items())
        with (folder / "postgres.log").open("w") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data], stderr=log, start_new_session=True, **quiet
            )
        _wait(lambda: any(self.socket.iterdir()), "PostgreSQL", 30, self.process)
        _patiently(
            self.url("mall", "postgres"),
            ["CREATE ROLE web SUPERUSER LOGIN", "CREATE ROLE worker SUPERUSER LOGIN", "CREATE DATABASE mall"],
        )
        _patiently(self.url("mall"), ["CREATE EXTENSION pg_stat_statements"])

    def url(self, role: str, database: str = "mall") -> str:
        """The address for one role."""
        return f"postgresql://{role}@{quote(str(self.socket), safe='')}/{database}"

    def stop(self) -> None:
        """Fast shutdown."""
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=20)


def _postgres_bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        raise Stop("No PostgreSQL server programs found. Install postgresql, or give --database-url.")
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def _patiently(url: str, statements: Sequence[str]) -> None:
    import psycopg

    for attempt in range(50):
        try:
            with psycopg.connect(url, autocommit=True) as link:
                for statement in statements:
                    link.execute(statement.encode())
            return
        except psycopg.OperationalError:
            if attempt == 49:
                raise
            time.sleep(0.2)


def _wait(ready: Any, what: str, seconds: float, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise Stop(f"{what} ended while starting (exit {process.returncode}).")
        if time.monotonic() > until:
            raise Stop(f"{what} did not answer within {seconds:.0f} s.")
        time.sleep(0.05)


class Mall:
    """Web, worker and bank over one database. ``engine``: ``postgresql``, ``sqlite``, or the URL of a server."""

    def __init__(self, engine: str, *, web_workers: int, folder: Path) -> None:
        self.folder, self.web_workers = folder, web_workers
        self.port, bank_port = free_port(), free_port()
        self.postgres = Postgres(folder) if engine == "postgresql" else None
        self.url = engine if "://" in engine else f"sqlite:///{folder / 'mall.sqlite3'}"
        self.secret = secrets.token_urlsafe(32)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ, "TONGZHOU_HOME": str(folder), "TONGZHOU_ENV": "demo", "PORT": str(self.port),
            "TONGZHOU_SANDBOX_PORT": str(bank_port), "TONGZHOU_SANDBOX_SECRET": self.secret,
            "TONGZHOU_SECRET_KEY": secrets.token_urlsafe(48), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT),
            "TONGZHOU_PROFILE": "CN", "TONGZHOU_CURRENCY": "CNY",
        }  # fmt: skip
        for name in ("TONGZHOU_SITE_URL", "TONGZHOU_SANDBOX_URL", "TONGZHOU_DEBUG"):
            self.environment.pop(name, None)
        self.bank_port = bank_port

    def env(self, role: str) -> dict[str, str]:
        """A process's environment; its database role says whose statements are whose."""
        url = self.postgres.url(role) if self.postgres else self.url
        return {**self.environment, "DATABASE_URL": url}

    def run(self, *command: str, role: str = "mall", allow: Sequence[int] = (0,)) -> str:
        """A command of the mall or of the benchmark, to its end; its output."""
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, env=self.env(role), stdout=subprocess.PIPE, text=True
        )
        if done.returncode not in allow:
            raise Stop(f"`{' '.join(command)}` ended with {done.returncode}.\n{done.stdout[-2000:]}")
        return done.stdout

    def start(self) -> None:
        """Start web, worker and bank, and wait until the web answers."""
        self.processes["bank"] = self._spawn(
            "bank", "tongzhou.sandbox", "--port", str(self.bank_port), "--home", str(self.folder)
        )
        self.processes["worker"] = self._spawn("worker", "tongzhou.cli", "worker")
        self.processes["web"] = self._spawn(
            "web", "tongzhou.cli", "web", "--port", str(self.port), "--workers", str(self.web_workers)
        )
        _wait(self._ready, "The web process", 60, self.processes["web"])

    def _spawn(self, role: str, *command: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{role}.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command], cwd=ROOT, env=self.env(role if role != "bank" else "mall"),
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """End what was started, and only that."""
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        if self.postgres:
            self.postgres.stop()

    def log(self, role: str) -> str:
        """What a process said."""
        return (self.folder / f"{role}.log").read_text(errors="replace")

    def cpu(self) -> dict[str, float]:
        """User + system seconds so far of web, worker and database, children included."""
        table = _process_table()
        roots = {name: p.pid for name, p in self.processes.items() if name != "bank"}
        if self.postgres:
            roots["postgresql"] = self.postgres.process.pid
        return {name: _tree_seconds(pid, table) for name, pid in roots.items()}


@contextlib.contextmanager
def mall(engine: str, *, web_workers: int = 2, keep: bool = False) -> Iterator[Mall]:
    """A mall for the length of a block; its folder goes with it unless ``keep``."""
    folder = Path(tempfile.mkdtemp(prefix="tongzhou-bench-"))
    folder.chmod(0o755)
    made: Mall | None = None
    try:
        made = Mall(engine, web_workers=web_workers, folder=folder)
        yield made
    finally:
        if made:
            made.stop()
        if keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def client(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the load client, a process of its own whose cost is not the mall's; its answer."""
    path = folder / "load.json"
    path.write_text(json.dumps(spec))
    done = subprocess.run([sys.executable, "-m", "benchmarks.client", str(path)], cwd=ROOT, stdout=subprocess.PIPE)
    if done.returncode:
        raise Stop("The load client ended early; what it said is above.")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _process_table() -> dict[int, tuple[int, float]]:
    """pid → (parent, seconds of itself and of its ended children)."""
    table: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        table[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICK)
    return table


def _tree_seconds(root: int, table: dict[int, tuple[int, float]]) -> float:
    members, grew = {root}, True
    while grew:
        grew = False
        for pid, (parent, _seconds) in table.items():
            if parent in members and pid not in members:
                members.add(pid)
                grew = True
    return sum(table[pid][1] for pid in members if pid in table)
