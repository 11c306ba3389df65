"""The sandbox bank: a counterparty with its own page, its own records and its own word, signed.

It knows nothing of the mall but the secret they share. It pays, fails, delays, repeats itself, states
a wrong amount or says nothing at all, whatever the person on its page chooses.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from tongzhou.sandbox.disputes import Disputes
from tongzhou.sandbox.notifier import Notifier
from tongzhou.sandbox.records import Records, new_txn, now
from tongzhou.sandbox.signing import check_pay_url, check_request

PAYER = "bank_payer"
CHOICES = ("pay", "fail", "late", "twice", "wrong", "silent")
WORDS = {  # what the records' page calls its tables and columns: Chinese, English
    "payment": ("付款", "Payments"), "dispute": ("拒付", "Chargebacks (dispute)"), "refund": ("退款", "Refunds"),
    "payout": ("打款", "Payouts"), "notification": ("通知", "Notifications"), "trade_no": ("交易号", "Trade"),
    "subject": ("订单", "Order"), "amount": ("金额", "Amount"), "currency": ("币种", "Currency"), "outcome": ("结果", "Outcome"),
    "paid": ("实付", "Paid"), "txn": ("银行流水", "Bank number"), "at": ("时间", "When"), "refund_no": ("退款号", "Refund"),
    "status": ("状态", "Status"), "state": ("状态", "State"), "dispute_no": ("拒付号", "Chargeback"), "fee": ("手续费", "Fee"),
    "bill_no": ("单号", "Bill"), "name": ("户名", "Name"), "account": ("账号", "Account"), "reason": ("原因", "Reason"),
    "id": ("编号", "Number"), "body": ("内容", "Body"), "due": ("发送时间", "Due"), "tries": ("次数", "Tries"), "last": ("回答", "Answer"),
}  # fmt: skip
FIELDS = ("trade_no", "amount", "currency", "subject", "notify_url", "return_url")


def create_app(records: Records, secret: str, notifier: Notifier) -> Flask:
    """The counterparty as a WSGI application."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    bank = _Bank(records, secret, notifier)
    app.add_url_rule("/", view_func=bank.listing, methods=["GET"], endpoint="home")
    app.add_url_rule("/records", view_func=bank.listing, methods=["GET"])
    app.add_url_rule("/pay", view_func=bank.page, methods=["GET"])
    app.add_url_rule("/pay", view_func=bank.choose, methods=["POST"], endpoint="choose")
    app.add_url_rule("/disputes", view_func=Disputes(records, notifier).act, methods=["POST"], endpoint="disputes")
    app.add_url_rule("/v1/payments/<trade_no>", view_func=bank.payment, methods=["GET"])
    app.add_url_rule("/v1/refunds", view_func=bank.refund, methods=["POST"])
    app.add_url_rule("/v1/refunds/<number>", view_func=bank.refund_status, methods=["GET"])
    app.add_url_rule("/v1/payouts", view_func=bank.payout, methods=["POST"])
    app.add_url_rule("/v1/payouts/<number>", view_func=bank.payout_status, methods=["GET"])
    return app


class _Bank:
    """The views, over one set of records."""

    def __init__(self, records: Records, secret: str, notifier: Notifier) -> None:
        self.records, self.secret, self.notifier = records, secret, notifier

    def _lang(self) -> str:
        asked = request.args.get("lang") or (request.accept_languages.best_match(["zh", "en"]) or "zh")
        return "en" if asked.startswith("en") else "zh"

    def _signed(self) -> bool:
        return check_request(self.secret, dict(request.headers), request.method, request.path, request.get_data())

    def _fields(self) -> dict[str, str] | None:
        """The signed parameters of a pay address, or None when the signature is not the mall's."""
        fields = {k: request.values.get(k, "") for k in FIELDS}
        at, sign = request.values.get("at", "0"), request.values.get("sign", "")
        text = urlencode(sorted(fields.items()))
        good = (
            at.isascii()
            and at.isdigit()
            and len(at) < 13
            and check_pay_url(self.secret, fields["trade_no"], int(at), sign, text)
        )
        amount = fields["amount"]
        return fields if good and amount.isascii() and amount.isdigit() and len(amount) < 17 else None

    def page(self) -> str | tuple[str, int]:
        """What the person sees: whom they pay, how much, and how this bank shall behave."""
        fields = self._fields()
        if fields is None:
            return render_template("pay.html", bad=True, lang=self._lang(), f={}, choices=CHOICES), 403
        row = self.records.one("SELECT outcome FROM payment WHERE trade_no = ?", fields["trade_no"])
        done = bool(row and row["outcome"] == "succeeded")
        return render_template(
            "pay.html", bad=False, done=done, lang=self._lang(), f=fields, choices=CHOICES, at=request.values["at"],
            sign=request.values["sign"], yuan=f"{int(fields['amount']) // 100}.{int(fields['amount']) % 100:02d}",
        )  # fmt: skip

    def choose(self) -> Answer | tuple[str, int]:
        """Carry the choice out: write it down, queue what is to be said, send the person back."""
        fields, choice = self._fields(), request.form.get("choice", "")
        if fields is None or choice not in CHOICES:
            return render_template("pay.html", bad=True, lang=self._lang(), f={}, choices=CHOICES), 403
        amount = int(fields["amount"])
        paid = 0 if choice == "fail" else amount - 1 if choice == "wrong" and amount > 1 else amount
        outcome = "failed" if choice == "fail" else "succeeded"
        with self.records.write() as db:
            before = db.execute("SELECT outcome FROM payment WHERE trade_no = ?", (fields["trade_no"],)).fetchone()
            if before and before["outcome"] == "succeeded":
                return redirect(fields["return_url"])
            db.execute(
                "INSERT OR REPLACE INTO payment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (fields["trade_no"], fields["subject"], amount, fields["currency"], fields["notify_url"], outcome, paid,
                 new_txn("pay_"), now()),
            )  # fmt: skip
            payer = request.cookies.get(PAYER) or new_txn("acct_")
            db.execute("INSERT OR REPLACE INTO payer VALUES (?, ?)", (fields["trade_no"], payer[:60]))
        self._announce(fields["trade_no"], choice)
        answer = redirect(fields["return_url"])
        answer.set_cookie(PAYER, payer[:60], max_age=86400 * 365, samesite="Lax", httponly=True)
        return answer

    def _payer(self, trade_no: str) -> str:
        """The account that pays: one a browser, as a person has one wallet on a phone."""
        row = self.records.one("SELECT payer FROM payer WHERE trade_no = ?", trade_no)
        return str(row["payer"]) if row else ""

    def _announce(self, trade_no: str, choice: str) -> None:
        row = self.records.one("SELECT * FROM payment WHERE trade_no = ?", trade_no)
        if row is None or choice == "silent":
            return
        body = {
            "event_id": new_txn("evt_"), "trade_no": trade_no, "outcome": row["outcome"], "amount": row["paid"],
            "currency": row["currency"], "txn": row["txn"], "payer": self._payer(trade_no),
        }  # fmt: skip
        self.notifier.queue(row["notify_url"], body, after=20 if choice == "late" else 0)
        if choice == "twice":
            self.notifier.queue(row["notify_url"], body, after=2)
            self.notifier.queue(row["notify_url"], {**body, "event_id": new_txn("evt_")}, after=3)

    def payment(self, trade_no: str) -> Response | tuple[Response, int]:
        """What this bank knows of a payment."""
        if not self._signed():
            return jsonify(error="signature"), 401
        row = self.records.one("SELECT * FROM payment WHERE trade_no = ?", trade_no)
        if row is None:
            return jsonify(error="unknown"), 404
        return jsonify(outcome=row["outcome"], amount=row["paid"], currency=row["currency"], txn=row["txn"],
                       payer=self._payer(trade_no))  # fmt: skip

    def refund(self) -> Response | tuple[Response, int]:
        """Refund under a number: the same number again is the same refund, another amount is refused."""
        if not self._signed():
            return jsonify(error="signature"), 401
        data: dict[str, Any] = request.get_json(silent=True) or {}
        number, trade_no, amount = str(data.get("refund_no", "")), str(data.get("trade_no", "")), data.get("amount")
        if not number or not isinstance(amount, int) or amount <= 0:
            return jsonify(error="amount"), 422
        with self.records.write() as db:
            old = db.execute("SELECT * FROM refund WHERE refund_no = ?", (number,)).fetchone()
            if old:
                same = (old["trade_no"], old["amount"]) == (trade_no, amount)
                return jsonify(status=old["status"], txn=old["txn"]) if same else (jsonify(error="number reused"), 409)
            paid = db.execute(
                "SELECT paid FROM payment WHERE trade_no = ? AND outcome = 'succeeded'", (trade_no,)
            ).fetchone()
            gone = db.execute(
                "SELECT COALESCE(SUM(amount), 0) AS n FROM refund WHERE trade_no = ?", (trade_no,)
            ).fetchone()
            taken = db.execute("SELECT 1 FROM dispute WHERE trade_no = ? AND state <> 'won'", (trade_no,)).fetchone()
            if taken:
                return jsonify(error="disputed: the payer's bank has the money"), 409
            if paid is None or gone["n"] + amount > paid["paid"]:
                return jsonify(error="exceeds what was paid"), 409
            txn = new_txn("ref_")
            db.execute("INSERT INTO refund VALUES (?, ?, ?, 'succeeded', ?, ?)", (number, trade_no, amount, txn, now()))
        return jsonify(status="succeeded", txn=txn)

    def refund_status(self, number: str) -> Response | tuple[Response, int]:
        """What this bank knows of a refund number."""
        if not self._signed():
            return jsonify(error="signature"), 401
        row = self.records.one("SELECT * FROM refund WHERE refund_no = ?", number)
        return jsonify(status=row["status"], txn=row["txn"]) if row else (jsonify(error="unknown"), 404)

    def payout(self) -> Response | tuple[Response, int]:
        """Pay a person out. Accounts ending in 0000 fail, in 9999 stay pending, all others are paid."""
        if not self._signed():
            return jsonify(error="signature"), 401
        data: dict[str, Any] = request.get_json(silent=True) or {}
        bill, amount, account = str(data.get("bill_no", "")), data.get("amount"), str(data.get("account", ""))
        if not bill.isalnum() or len(bill) > 32 or not isinstance(amount, int) or amount < 0:
            return jsonify(error="bill"), 422
        with self.records.write() as db:
            old = db.execute("SELECT * FROM payout WHERE bill_no = ?", (bill,)).fetchone()
            if old:
                same = (old["amount"], old["account"]) == (amount, account)
                return jsonify(status=old["status"], txn=old["txn"], reason=old["reason"]) if same else (
                    jsonify(error="number reused"), 409)  # fmt: skip
            status = "failed" if account.endswith("0000") else "pending" if account.endswith("9999") else "paid"
            reason = "account closed" if status == "failed" else ""
            txn = new_txn("out_")
            db.execute(
                "INSERT INTO payout VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    bill,
                    amount,
                    str(data.get("name", "")),
                    account,
                    str(data.get("currency", "")),
                    status,
                    txn,
                    reason,
                    now(),
                ),
            )
        return jsonify(status=status, txn=txn, reason=reason)

    def payout_status(self, number: str) -> Response | tuple[Response, int]:
        """What this bank knows of a bill number."""
        if not self._signed():
            return jsonify(error="signature"), 401
        row = self.records.one("SELECT * FROM payout WHERE bill_no = ?", number)
        return (
            jsonify(status=row["status"], txn=row["txn"], reason=row["reason"])
            if row
            else (jsonify(error="unknown"), 404)
        )

    def listing(self) -> str:
        """Everything this bank did, newest first."""
        recent = {
            name: self.records.all(f"SELECT * FROM {name} ORDER BY rowid DESC LIMIT 50")  # noqa: S608 - fixed names
            for name in ("payment", "dispute", "refund", "payout", "notification")
        }
        fought = {r["trade_no"] for r in self.records.all("SELECT trade_no FROM dispute WHERE state <> 'won'")}
        return render_template("records.html", tables=recent, fought=fought, words=WORDS, lang=self._lang(), seen=_seen)


def _seen(name: str, value: Any) -> Any:
    """A recorded value as people read it: money with two places, a moment as one."""
    if value is None:
        return ""
    if name in {"amount", "paid", "fee"}:
        return f"{int(value) // 100}.{int(value) % 100:02d}"
    return f"{datetime.fromtimestamp(value):%Y-%m-%d %H:%M:%S}" if name in {"at", "due"} else value  # noqa: DTZ006 - this machine's own clock
