"""The sandbox bank's side of the demo's story: what the seed says was paid, refunded or sent, the bank has in its books.

Without it the bank would deny the past: a seeded order could not be refunded, a payout under way would be unknown.
"""

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from tongzhou.payments import queries as payments
from tongzhou.payouts import queries as payouts
from tongzhou.sandbox.records import Records, new_txn


@lru_cache(maxsize=2)
def _records(home: Path) -> Records:
    return Records(home / "sandbox.sqlite3")


def _write(sql: str, *values: object) -> None:
    with _records(Path(settings.TONGZHOU_HOME)).write() as db:
        db.execute(sql, values)


def paid(*, trade_no: str, order_no: str, amount_minor: int, txn: str, at: datetime) -> None:
    """A payment arrived."""
    _write(
        "INSERT OR IGNORE INTO payment VALUES (?, ?, ?, ?, ?, 'succeeded', ?, ?, ?)",
        trade_no, order_no, amount_minor, settings.CURRENCY, f"{settings.SITE_URL}/pay/sandbox/notify", amount_minor, txn,
        at.timestamp(),
    )  # fmt: skip


def refunded(refund_id: UUID, *, txn: str, at: datetime) -> None:
    """A refund reached its buyer."""
    row = payments.refund(refund_id)
    _write(
        "INSERT OR IGNORE INTO refund VALUES (?, ?, ?, 'succeeded', ?, ?)",
        row.refund_no, row.payment.trade_no, row.amount_minor, txn, at.timestamp(),
    )  # fmt: skip


def disputed(*, trade_no: str, number: str, amount_minor: int, fee_minor: int, at: datetime) -> None:
    """A payer asked for the money back, and nobody has decided yet."""
    _write(
        "INSERT OR IGNORE INTO dispute VALUES (?, ?, ?, ?, 'open', ?)",
        number, trade_no, amount_minor, fee_minor, at.timestamp(),
    )  # fmt: skip


def sent(payout_id: UUID, *, status: str, at: datetime) -> None:
    """A payout was handed in; ``status`` is how far it came: pending, paid or failed."""
    row = payouts.payout(payout_id)
    _write(
        "INSERT OR REPLACE INTO payout VALUES (?, ?, '', '', ?, ?, ?, '', ?)",
        row.bill_no, row.net_minor, settings.CURRENCY, status, new_txn("out_"), at.timestamp(),
    )  # fmt: skip
