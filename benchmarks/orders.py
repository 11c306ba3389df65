"""The order flow over HTTP, until its rewards are in the ledger.

One order = a cart with two lines → an order with a sharer's code → a payment → the bank's signed
notification. The clock stops when the outbox is empty and every reward is booked, by count.
"""

import json
import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, at_least, at_most, percentile
from benchmarks.mall import Mall, Stop, client, mall

WARM, COUNTED = 160, 200
OPEN = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status <> 'SUCCESSFUL'"
DEAD = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'FAILED'"
BOOKED = "SELECT count(*) FROM ledger_posting WHERE kind = 'reward_accrued'"
PAID = "SELECT count(*) FROM orders_order WHERE status = 'PAID'"


@dataclass(frozen=True)
class Options:
    """What the command line may change."""

    orders: int = 2000
    clients: int = 8
    skus: int = 1000
    database_url: str = ""
    keep: bool = False


class Books:
    """A look into the database beside the mall's own processes."""

    def __init__(self, there: Mall) -> None:
        self.url = there.postgres.url("mall") if there.postgres else there.url
        self.lite = self.url.startswith("sqlite")

    def one(self, statement: str) -> int:
        """The single number a statement answers."""
        if self.lite:
            link: Any = sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=30)
        else:
            import psycopg

            link = psycopg.connect(self.url, autocommit=True)
        try:
            return int(link.execute(statement).fetchone()[0])
        finally:
            link.close()

    def run(self, *statements: str) -> None:
        """Statements of the database's owner."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as link:
            for statement in statements:
                link.execute(statement.encode())

    def statements(self, role: str) -> dict[str, int]:
        """How often a role issued which statement since the last reset."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as link:
            rows = link.execute(
                b"SELECT s.query, s.calls FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid"
                b" WHERE r.rolname = %s ORDER BY s.calls DESC", [role],
            ).fetchall()  # fmt: skip
        out: dict[str, int] = {}
        for query, calls in rows:
            kind = re.sub(r'SAVEPOINT ".*"', "SAVEPOINT", str(query))
            out[kind] = out.get(kind, 0) + int(calls)
        return out


@dataclass(frozen=True)
class Round:
    """One measured stretch: orders done, seconds until the last reward was booked, seconds of CPU."""

    done: int
    seconds: float
    cpu: dict[str, float]
    took: list[float]


def drained(books: Books, rewards: int, *, began: float, limit: float = 300) -> float:
    """Wait until nothing waits and ``rewards`` are booked; the moment it was seen."""
    while True:
        if books.one(OPEN) == 0 and books.one(BOOKED) == rewards:
            return time.monotonic()
        if books.one(DEAD):
            raise Stop("A delivery failed for good; see worker.log (--keep).")
        if time.monotonic() - began > limit:
            raise Stop(
                f"The outbox was not empty {limit:.0f} s later: {books.one(BOOKED)} of {rewards} rewards booked."
            )
        time.sleep(0.02)


def stretch(there: Mall, books: Books, spec: dict[str, Any], first: int, count: int, clients: int) -> Round:
    """Drive ``count`` orders and wait for their rewards: two lines, two rewards each."""
    before = there.cpu()
    load = client(
        {**spec, "kind": "orders", "port": there.port, "secret": there.secret, "first": first, "count": count,
         "clients": clients}, there.folder,
    )  # fmt: skip
    if load["errors"]:
        raise Stop("\n".join(load["errors"]))
    ended = drained(books, 2 * (first + count), began=load["ended"])
    after = there.cpu()
    return Round(count, ended - load["began"], {k: after[k] - before[k] for k in after}, load["took"])


def prove(there: Mall, books: Books, orders: int) -> None:
    """Every order is paid, every reward booked once, and the books verify; or stop."""
    if books.one(PAID) != orders or books.one(BOOKED) != 2 * orders:
        raise Stop(
            f"{orders} orders were placed, but {books.one(PAID)} are paid and {books.one(BOOKED)} rewards booked."
        )
    report = json.loads(there.run("tongzhou.cli", "ledger", "verify", "--json"))
    if not report.get("ok"):
        raise Stop(f"The ledger does not verify: {report}")


def filled(there: Mall, options: Options, members: int) -> dict[str, Any]:
    """Migrate and fill; what the client needs."""
    there.run("tongzhou.cli", "migrate")
    spec: dict[str, Any] = json.loads(
        there.run("benchmarks.fill", "--skus", str(options.skus), "--members", str(members))
    )
    return spec


def counted(
    there: Mall, books: Books, spec: dict[str, Any], first: int, clients: int, show: Path | None
) -> list[Figure]:
    """SQL statements per order, by who issued them, over a stretch of its own (counting costs a little)."""
    if not there.postgres:
        return []
    books.run("ALTER SYSTEM SET pg_stat_statements.track = 'top'", "SELECT pg_reload_conf()")
    time.sleep(0.3)
    books.run("SELECT pg_stat_statements_reset()")
    stretch(there, books, spec, first, COUNTED, clients)
    found = {role: books.statements(role) for role in ("web", "worker")}
    books.run("ALTER SYSTEM RESET pg_stat_statements.track", "SELECT pg_reload_conf()")
    if show:
        rows = [
            f"{n / COUNTED:8.2f}  {role:6}  {' '.join(q.split())[:200]}"
            for role in found
            for q, n in found[role].items()
        ]
        show.write_text("\n".join(rows) + "\n")
    return [
        at_most("orders", f"SQL statements per order, {role}", sum(found[role].values()) / COUNTED, "", 40)
        for role in ("web", "worker")
    ]


def run(options: Options) -> list[Figure]:
    """The order flow on PostgreSQL."""
    members = WARM + COUNTED + options.orders
    with mall(options.database_url or "postgresql", keep=options.keep) as there:
        spec = filled(there, options, members)
        there.start()
        books = Books(there)
        stretch(there, books, spec, 0, WARM, options.clients)
        first = WARM
        figures = counted(there, books, spec, first, options.clients, there.folder / "statements.txt")
        first += COUNTED if figures else 0
        main = stretch(there, books, spec, first, options.orders, options.clients)
        prove(there, books, first + options.orders)
        cost = sum(main.cpu.values()) / main.done * 1000
        parts = ", ".join(f"{name} {seconds / main.done * 1000:.1f}" for name, seconds in main.cpu.items())
        whole = at_most("orders", "CPU per order", cost, "ms", 25)
        if not there.postgres:  # the server's own cost is not ours to read
            whole = Figure("orders", "CPU per order without the database server", round(cost, 1), "ms")
        return [
            at_least("orders", f"orders per second, {options.clients} clients", main.done / main.seconds, "", 60),
            whole,
            Figure("orders", "  of which", parts, "ms"),
            *figures,
            Figure("orders", "one order at the client, p50", round(percentile(main.took, 0.5) * 1000, 1), "ms"),
            Figure("orders", "one order at the client, p95", round(percentile(main.took, 0.95) * 1000, 1), "ms"),
            Figure("orders", "ledger verify", f"{first + options.orders} orders, {2 * (first + options.orders)} rewards", "", "holds", True),
        ]  # fmt: skip
