"""Chargebacks at the sandbox bank: a payer asks for the money back, and a person on its page decides who wins."""

from flask import redirect, request
from werkzeug.wrappers import Response as Answer

from tongzhou.sandbox.notifier import Notifier
from tongzhou.sandbox.records import Records, new_txn, now

FEE = 1000  # minor units, what a chargeback costs the mall; given back when it wins
ENDS = {"won": "dispute_won", "lost": "dispute_lost"}


class Disputes:
    """What the records' page does about them; the mall hears of each by a signed notification."""

    def __init__(self, records: Records, notifier: Notifier) -> None:
        self.records, self.notifier = records, notifier

    def act(self) -> Answer:
        """Open one on a payment, or end an open one: ``do`` = open | won | lost."""
        what, trade_no = request.form.get("do", ""), request.form.get("trade_no", "")
        if what == "open":
            self._open(trade_no)
        elif what in ENDS:
            self._end(trade_no, what)
        return redirect("/records")

    def _open(self, trade_no: str) -> None:
        with self.records.write() as db:
            paid = db.execute(
                "SELECT paid FROM payment WHERE trade_no = ? AND outcome = 'succeeded'", (trade_no,)
            ).fetchone()
            gone = db.execute(
                "SELECT COALESCE(SUM(amount), 0) AS n FROM refund WHERE trade_no = ?", (trade_no,)
            ).fetchone()
            known = db.execute("SELECT 1 FROM dispute WHERE trade_no = ? AND state <> 'won'", (trade_no,)).fetchone()
            if paid is None or known or paid["paid"] <= gone["n"]:
                return
            number = new_txn("dsp_")
            db.execute(
                "INSERT INTO dispute VALUES (?, ?, ?, ?, 'open', ?)",
                (number, trade_no, paid["paid"] - gone["n"], FEE, now()),
            )
        self._announce(number, "dispute_opened")

    def _end(self, trade_no: str, state: str) -> None:
        row = self.records.one("SELECT * FROM dispute WHERE trade_no = ? AND state = 'open'", trade_no)
        if row is None:
            return
        with self.records.write() as db:
            db.execute(
                "UPDATE dispute SET state = ? WHERE dispute_no = ? AND state = 'open'", (state, row["dispute_no"])
            )
        self._announce(row["dispute_no"], ENDS[state])

    def _announce(self, number: str, outcome: str) -> None:
        row = self.records.one(
            "SELECT d.*, p.currency, p.notify_url FROM dispute d JOIN payment p ON p.trade_no = d.trade_no"
            " WHERE dispute_no = ?", number,
        )  # fmt: skip
        if row is None:
            return
        self.notifier.queue(
            row["notify_url"],
            {
                "event_id": new_txn("evt_"), "trade_no": row["trade_no"], "outcome": outcome, "amount": row["amount"],
                "currency": row["currency"], "dispute_no": number, "fee": 0 if outcome == "dispute_lost" else row["fee"],
                "reason": "unrecognised",
            },
            after=0,
        )  # fmt: skip
