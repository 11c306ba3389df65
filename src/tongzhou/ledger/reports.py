"""What the books say as a whole: profit and loss of a period, how old what is owed is, and the rows behind any figure.

Each is a sum over transfers at the moment of asking; nothing here is kept, so nothing can be stale.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, Sum

from tongzhou.ledger import chart, sql
from tongzhou.ledger.chart import Type
from tongzhou.ledger.models import AccountBalance, Transfer
from tongzhou.ledger.values import StatementLine

AGES = (7, 30, 90)  # days: up to a week, a month, a quarter, and older


@dataclass(frozen=True, slots=True)
class ProfitLoss:
    """Income and expense accounts of a period, minor units; ``profit`` = income − expense."""

    income: tuple[tuple[str, int], ...]
    expense: tuple[tuple[str, int], ...]

    @property
    def income_minor(self) -> int:
        """All income."""
        return sum(n for _a, n in self.income)

    @property
    def expense_minor(self) -> int:
        """All expense."""
        return sum(n for _a, n in self.expense)

    @property
    def profit_minor(self) -> int:
        """What is left; negative in a loss."""
        return self.income_minor - self.expense_minor


def profit_and_loss(since: datetime, until: datetime) -> ProfitLoss:
    """Income and expense by account of what happened in [since, until), on the delivered basis.

    Revenue is earned when goods arrive (money.md), so what is only paid does not show. Days are those
    on which things happened (``effective_at``), also when they were learned later.
    """
    kinds = {Type.INCOME: -1, Type.EXPENSE: 1}
    sums: dict[str, int] = {}
    moves = Transfer.objects.filter(posting__effective_at__gte=since, posting__effective_at__lt=until)
    for side, sign in (("debit", 1), ("credit", -1)):
        likely = moves.filter(Q(**{f"{side}__startswith": "revenue."}) | Q(**{f"{side}__startswith": "expense."}))
        for row in likely.values(account=F(side)).annotate(total=Sum("amount")):
            sums[row["account"]] = sums.get(row["account"], 0) + sign * row["total"]
    rows = [(a, kinds[t] * n) for a, n in sorted(sums.items()) if (t := chart.entry(a)[0]) in kinds]
    return ProfitLoss(
        tuple((a, n) for a, n in rows if chart.entry(a)[0] == Type.INCOME),
        tuple((a, n) for a, n in rows if chart.entry(a)[0] == Type.EXPENSE),
    )


@dataclass(frozen=True, slots=True)
class Aged:
    """One account's balance over all books, spread over the ages of what makes it up; minor units."""

    account: str
    total_minor: int
    by_age: tuple[int, ...]  # up to each of AGES days, then older


_AGED = """
WITH standing AS (
  SELECT book_id, normal * (debits - credits) AS balance FROM ledger_balance
  WHERE account = %s AND debits <> credits),
grown AS (
  SELECT t.book_id, t.amount, p.effective_at, s.balance,
    SUM(t.amount) OVER (PARTITION BY t.book_id ORDER BY p.effective_at DESC, t.id DESC) AS newer
  FROM ledger_transfer t JOIN ledger_posting p ON p.id = t.posting_id JOIN standing s ON s.book_id = t.book_id
  WHERE t.{side} = %s)
SELECT {buckets} FROM (
  SELECT effective_at, CASE WHEN newer <= balance THEN amount ELSE amount - (newer - balance) END AS part
  FROM grown WHERE newer - amount < balance) AS parts
"""


def ages(account: str, at: datetime) -> Aged:
    """How old the balance of one account is, first in first out within each book.

    Source: what was paid down first is what stood longest, so what is left is the newest growth.
    """
    side = "debit" if chart.is_debit_normal(account) else "credit"
    edges = [at - timedelta(days=d) for d in AGES]
    parts, values = [], []
    for low, high in zip([*edges, None], [None, *edges], strict=True):
        rules = [*(["effective_at >= %s"] if low else []), *(["effective_at < %s"] if high else [])]
        values += [v for v in (low, high) if v]
        parts.append(f"COALESCE(SUM(CASE WHEN {' AND '.join(rules)} THEN part ELSE 0 END), 0)")
    statement = _AGED.format(side=side, buckets=", ".join(parts))
    with connection.cursor() as cursor:
        cursor.execute(statement, [account, account, *[_moment(v) for v in values]])
        row = cursor.fetchone()
    found = tuple(int(n) for n in row)
    return Aged(account, sum(found), found)


def _moment(at: datetime) -> Any:
    """A moment as the engine at hand compares it."""
    return connection.ops.adapt_datetimefield_value(at)


def owed_by_age(at: datetime) -> list[Aged]:
    """Every liability and receivable that stands, by age; accounts whose balance is zero are left out."""
    accounts = AccountBalance.objects.exclude(debits=F("credits")).values_list("account", flat=True).distinct()
    wanted = [a for a in sorted(set(accounts)) if chart.entry(a)[0] == Type.LIABILITY or a.startswith("receivable.")]
    return [ages(account, at) for account in wanted]


def behind(
    account: str, *, since: datetime | None = None, until: datetime | None = None, book_id: UUID | None = None,
    before: UUID | None = None, limit: int = 50,
) -> list[tuple[UUID, StatementLine]]:  # fmt: skip
    """The transfers behind a figure of one account: (book, line), newest first, keyset-paged by transfer id.

    What ``trial_balance``, ``profit_and_loss`` or a book's balance shows is the sum of these rows.
    """
    rows = Transfer.objects.filter(Q(debit=account) | Q(credit=account)).select_related("posting").order_by("-id")
    if since:
        rows = rows.filter(posting__effective_at__gte=since)
    if until:
        rows = rows.filter(posting__effective_at__lt=until)
    if book_id:
        rows = rows.filter(book_id=book_id)
    if before:
        rows = rows.filter(id__lt=before)
    return [(row.book_id, sql.line(row)) for row in rows[:limit]]
