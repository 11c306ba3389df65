"""The books as plain-text accounting: beancount (accepted by `bean-check`), hledger, csv. Streaming, deterministic.

A book appears as a segment of the account name, so that every balance of every book is asserted
again by another program's arithmetic.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TextIO

from django.conf import settings

from tongzhou.kit import clock
from tongzhou.kit.money import plain
from tongzhou.ledger import chart, sql
from tongzhou.ledger.models import AccountBalance, Transfer
from tongzhou.ledger.values import StatementLine

FORMATS = ("beancount", "hledger", "csv")
Tick = Callable[[int], None]


def export(fmt: str, out: TextIO, *, tick: Tick | None = None) -> int:
    """Write all books to ``out``; returns the number of transfers. *Refuses:* ``KeyError`` for an unknown format."""
    return {"beancount": _beancount, "hledger": _hledger, "csv": _csv}[fmt](out, tick)


def _rows(tick: Tick | None) -> Iterator[tuple[Transfer, StatementLine]]:
    rows = Transfer.objects.select_related("posting").order_by("posting__effective_at", "posting_id", "seq")
    for count, row in enumerate(rows.iterator(chunk_size=5000)):
        if tick and count % 5000 == 0:
            tick(count)
        yield row, sql.line(row)


def _name(account: str, book: object) -> str:
    return f"{chart.beancount_name(account)}:B{str(book).replace('-', '').upper()}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'").replace("\n", " ")


def _beancount(out: TextIO, tick: Tick | None) -> int:
    currency = settings.CURRENCY
    zone = clock.mall_zone()
    first = Transfer.objects.order_by("posting__effective_at").values_list("posting__effective_at", flat=True).first()
    opened = first.astimezone(zone).date() if first else date(2000, 1, 1)
    out.write(f'option "title" "Tongzhou"\noption "operating_currency" "{currency}"\n\n')
    for book, account in AccountBalance.objects.order_by("book_id", "account").values_list("book_id", "account"):
        out.write(f"{opened} open {_name(account, book)} {currency}\n")
    count, last = 0, opened
    for row, line in _rows(tick):
        day = line.effective_at.astimezone(zone).date()
        last = max(last, day)
        amount = plain(row.amount, currency)
        out.write(
            f'\n{day} * "{_quoted(line.kind)}" "{_quoted(line.reference)}"\n  posting: "{line.posting_id}"\n'
            f"  {_name(row.debit, row.book_id)}  {amount} {currency}\n"
            f"  {_name(row.credit, row.book_id)}  -{amount} {currency}\n"
        )
        count += 1
    out.write("\n")
    check = last + timedelta(days=1)
    for b in AccountBalance.objects.order_by("book_id", "account").iterator(chunk_size=5000):
        net = plain(b.debits - b.credits, currency)
        out.write(f"{check} balance {_name(b.account, b.book_id)}  {net} {currency}\n")
    return count


def _hledger(out: TextIO, tick: Tick | None) -> int:
    currency, zone, count = settings.CURRENCY, clock.mall_zone(), 0
    out.write(f"; Tongzhou\ncommodity 1,000.00 {currency}\n" if currency != "JPY" else "; Tongzhou\n")
    for row, line in _rows(tick):
        day = line.effective_at.astimezone(zone).date()
        amount = plain(row.amount, currency)
        debit, credit = (_name(a, row.book_id).lower() for a in (row.debit, row.credit))
        reference = _quoted(line.reference).replace(";", ",").replace("|", "/")
        out.write(
            f"\n{day} * {line.kind} | {reference}  ; posting:{line.posting_id}\n"
            f"    {debit}  {amount} {currency}\n    {credit}  -{amount} {currency}\n"
        )
        count += 1
    return count


def _csv(out: TextIO, tick: Tick | None) -> int:
    writer, count = csv.writer(out), 0
    writer.writerow(
        ["transfer", "book", "posting", "kind", "reference", "story", "effective_at", "recorded_at", "debit", "credit",
         "amount_minor", "currency", "plan_version"]
    )  # fmt: skip
    for row, line in _rows(tick):
        writer.writerow(
            [row.id, row.book_id, line.posting_id, line.kind, line.reference, line.story_id,
             line.effective_at.isoformat(), line.recorded_at.isoformat(), row.debit, row.credit, row.amount,
             settings.CURRENCY, line.plan_version]
        )  # fmt: skip
        count += 1
    return count
