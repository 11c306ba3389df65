"""The counterparty's own books: payments, refunds, chargebacks, payouts and notifications in its own SQLite file."""

import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (trade_no TEXT PRIMARY KEY, subject TEXT, amount INTEGER, currency TEXT,
  notify_url TEXT, outcome TEXT DEFAULT 'open', paid INTEGER DEFAULT 0, txn TEXT DEFAULT '', at REAL);
CREATE TABLE IF NOT EXISTS payer (trade_no TEXT PRIMARY KEY, payer TEXT);
CREATE TABLE IF NOT EXISTS refund (refund_no TEXT PRIMARY KEY, trade_no TEXT, amount INTEGER, status TEXT, txn TEXT, at REAL);
CREATE TABLE IF NOT EXISTS dispute (dispute_no TEXT PRIMARY KEY, trade_no TEXT, amount INTEGER, fee INTEGER, state TEXT, at REAL);
CREATE TABLE IF NOT EXISTS payout (bill_no TEXT PRIMARY KEY, amount INTEGER, name TEXT, account TEXT, currency TEXT,
  status TEXT, txn TEXT, reason TEXT, at REAL);
CREATE TABLE IF NOT EXISTS notification (id TEXT PRIMARY KEY, url TEXT, body TEXT, due REAL, tries INTEGER DEFAULT 0,
  state TEXT DEFAULT 'waiting', last TEXT DEFAULT '');
CREATE INDEX IF NOT EXISTS notification_due ON notification (state, due);
"""


class Records:
    """A thin, thread-safe wrapper; every write is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=20)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
        self._lock = threading.RLock()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One exclusive transaction."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def one(self, sql: str, *args: Any) -> dict[str, Any] | None:
        """One row, or None."""
        with self._lock:
            row = self._db.execute(sql, args).fetchone()
        return dict(row) if row else None

    def all(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """All rows."""
        with self._lock:
            return [dict(r) for r in self._db.execute(sql, args).fetchall()]


def new_txn(prefix: str) -> str:
    """A transaction number of the counterparty."""
    return f"{prefix}{uuid.uuid4().hex[:20]}"


def now() -> float:
    """Seconds since 1970."""
    return time.time()
