"""Delivers notifications until they are answered, with growing pauses; survives a restart."""

import json
import logging
import threading
from datetime import UTC, datetime
from typing import Any

import httpx

from tongzhou.sandbox.records import Records, new_txn, now
from tongzhou.sandbox.signing import signer

log = logging.getLogger("tongzhou.sandbox")
PAUSES = (1, 3, 10, 30, 120, 600, 1800)


class Notifier:
    """A thread that sends what is due."""

    def __init__(self, records: Records, secret: str) -> None:
        self.records, self.secret = records, secret
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox-notifier")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the current delivery."""
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=5)

    def queue(self, url: str, body: dict[str, Any], *, after: float = 0) -> None:
        """Send ``body`` to ``url`` after some seconds."""
        with self.records.write() as db:
            db.execute(
                "INSERT INTO notification (id, url, body, due) VALUES (?, ?, ?, ?)",
                (new_txn("ntf_"), url, json.dumps(body, separators=(",", ":")), now() + after),
            )
        self._wake.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.deliver_due()
            self._wake.wait(0.5)
            self._wake.clear()

    def deliver_due(self) -> int:
        """Send everything due once; returns how many were answered."""
        done = 0
        for row in self.records.all(
            "SELECT * FROM notification WHERE state = 'waiting' AND due <= ? ORDER BY due", now()
        ):
            answer = self._send(row)
            ok = answer == "200"
            tries = row["tries"] + 1
            state = "done" if ok else "given_up" if tries > len(PAUSES) else "waiting"
            due = now() + PAUSES[min(tries, len(PAUSES)) - 1]
            with self.records.write() as db:
                db.execute(
                    "UPDATE notification SET state = ?, tries = ?, due = ?, last = ? WHERE id = ?",
                    (state, tries, due, answer, row["id"]),
                )
            done += ok
        return done

    def _send(self, row: dict[str, Any]) -> str:
        at = datetime.now(tz=UTC)
        headers = {
            "webhook-id": row["id"], "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signer(self.secret).sign(row["id"], at, row["body"]), "content-type": "application/json",
        }  # fmt: skip
        try:
            return str(httpx.post(row["url"], content=row["body"], headers=headers, timeout=10).status_code)
        except httpx.HTTPError as error:
            log.warning("notification not delivered: %s", type(error).__name__)
            return type(error).__name__
