"""`ledger verify`: proofs over the whole of the books, set by set, in bounded memory.

Each check is one or two aggregate statements the database answers in one pass; only what is wrong
comes back as rows.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from tongzhou.ledger import chart
from tongzhou.ledger.models import AccountBalance, Book, DaySeal, Posting, Transfer
from tongzhou.ledger.values import Problem, VerifyReport

Check = Callable[[], Iterable[Problem]]
Progress = Callable[[str, int, int], None]

# Rooms above add their own proofs here (orders: every order's money = recomputation from its facts).
_extra: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Add a proof of another room; called when the application is wired."""
    _extra[name] = check


def verify(progress: Progress | None = None, *, only: Sequence[str] = ()) -> VerifyReport:
    """Run every proof; nothing is changed. ``progress(name, done, total)`` is called before each."""
    checks: dict[str, Check] = {
        "balances_are_sums": _balances,
        "books_balance": _books,
        "constraints_hold": _constraints,
        "postings_whole": _postings,
        "reversals": _reversals,
        "stories_sum_to_zero": _stories,
        "one_receivable": _one_receivable,
        "seals": _seals,
        **_extra,
    }
    chosen = {name: check for name, check in checks.items() if not only or name in only}
    problems: list[Problem] = []
    for done, (name, check) in enumerate(chosen.items()):
        if progress:
            progress(name, done, len(chosen))
        problems += list(check())[:100]
    last = DaySeal.objects.order_by("-day").values_list("day", flat=True).first()
    return VerifyReport(
        transfers=Transfer.objects.count(),
        postings=Posting.objects.count(),
        books=Book.objects.count(),
        sealed_through=last.isoformat() if last else "",
        checks=tuple(chosen),
        problems=tuple(problems),
    )


_SUMS = """
WITH moved AS (
  SELECT book_id, account, SUM(d) AS debits, SUM(c) AS credits FROM (
    SELECT book_id, debit AS account, amount AS d, 0 AS c FROM ledger_transfer
    UNION ALL SELECT book_id, credit, 0, amount FROM ledger_transfer) AS sides
  GROUP BY book_id, account)
SELECT COALESCE(b.book_id, m.book_id), COALESCE(b.account, m.account),
  COALESCE(b.debits, 0), COALESCE(m.debits, 0), COALESCE(b.credits, 0), COALESCE(m.credits, 0)
FROM ledger_balance b FULL OUTER JOIN moved m ON m.book_id = b.book_id AND m.account = b.account
WHERE b.id IS NULL OR m.book_id IS NULL AND (b.debits <> 0 OR b.credits <> 0)
  OR b.debits <> m.debits OR b.credits <> m.credits LIMIT 100
"""


def _balances() -> Iterable[Problem]:
    """Law 9: each balance = the sum of its transfers, and each transfer is in a balance."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS)
        for book, account, d, want_d, c, want_c in cursor.fetchall():
            yield Problem("balances_are_sums", f"{book}/{account}", f"debits {d} ≠ {want_d} or credits {c} ≠ {want_c}")


def _books() -> Iterable[Problem]:
    """Each book's debits equal its credits."""
    rows = AccountBalance.objects.values("book_id").annotate(d=Sum("debits"), c=Sum("credits")).exclude(d=F("c"))
    for row in rows[:100]:
        yield Problem("books_balance", str(row["book_id"]), f"debits {row['d']} ≠ credits {row['c']}")


def _constraints() -> Iterable[Problem]:
    """Constrained accounts stand at or above zero, and each balance row knows its account's nature."""
    low = AccountBalance.objects.filter(constrained=True).filter(
        Q(normal=1, debits__lt=F("credits")) | Q(normal=-1, credits__lt=F("debits"))
    )
    for row in low[:100]:
        yield Problem("constraints_hold", f"{row.book_id}/{row.account}", "below zero")
    kinds = AccountBalance.objects.values_list("account", "normal", "constrained").distinct()
    for account, normal, constrained in kinds:
        try:
            right = (1 if chart.is_debit_normal(account) else -1, chart.is_constrained(account))
        except KeyError:
            yield Problem("constraints_hold", account, "not in the chart of accounts")
            continue
        if (normal, constrained) != right:
            yield Problem("constraints_hold", account, f"row says {(normal, constrained)}, the chart says {right}")


def _postings() -> Iterable[Problem]:
    """Every posting has transfers; every transfer lies in its posting's book and story."""
    # NOT EXISTS, an anti-join: NOT IN over a million transfers would be read again for each posting.
    empty = Posting.objects.filter(~Exists(Transfer.objects.filter(posting_id=OuterRef("pk"))))
    for row in empty[:50]:
        yield Problem("postings_whole", str(row.id), "has no transfer")
    apart = Transfer.objects.exclude(book_id=F("posting__book_id"), story_id=F("posting__story_id"))
    for move in apart[:50]:
        yield Problem("postings_whole", str(move.id), "is in another book or story than its posting")


def _reversals() -> Iterable[Problem]:
    """Each ``reversed`` counter equals what cites it, and never exceeds the amount."""
    sums = (
        "SELECT t.id, t.amount, t.reversed, COALESCE(c.total, 0) FROM ledger_transfer t LEFT JOIN ("
        "SELECT cites, SUM(amount) AS total FROM ledger_transfer WHERE cites IS NOT NULL GROUP BY cites) c"
        " ON c.cites = t.id WHERE t.reversed <> COALESCE(c.total, 0) OR t.reversed > t.amount LIMIT 100"
    )
    with connection.cursor() as cursor:
        cursor.execute(sums)
        for identity, amount, counted, total in cursor.fetchall():
            yield Problem("reversals", str(identity), f"amount {amount}, reversed {counted}, cited by {total}")


def _stories() -> Iterable[Problem]:
    """Stories told in several books sum to zero over ``clearing.books``."""
    sums: dict[object, int] = {}
    for side, sign in (("debit", 1), ("credit", -1)):
        for row in Transfer.objects.filter(**{side: "clearing.books"}).values("story_id").annotate(n=Sum("amount")):
            sums[row["story_id"]] = sums.get(row["story_id"], 0) + sign * row["n"]
    for story, rest in sums.items():
        if rest:
            yield Problem("stories_sum_to_zero", str(story), f"{rest} undelivered")


def _one_receivable() -> Iterable[Problem]:
    """Law 5: for one source, what is available and what is receivable are never both above zero."""
    for available, receivable in chart.NETS.items():
        both = AccountBalance.objects.filter(account__in=[available, receivable]).exclude(debits=F("credits"))
        for row in both.values("book_id").annotate(n=Count("id")).filter(n=2)[:50]:
            yield Problem("one_receivable", str(row["book_id"]), f"{available} and {receivable} both stand")


def _seals() -> Iterable[Problem]:
    """Each sealed day hashes to its seal, and the chain is unbroken."""
    from tongzhou.ledger.commands.seal import day_digest

    previous, expected = "", None
    for row in DaySeal.objects.order_by("day").iterator():
        if expected is not None and row.day != expected:
            yield Problem("seals", row.day.isoformat(), "a day is missing before it")
        if row.previous != previous:
            yield Problem("seals", row.day.isoformat(), "the chain is broken here")
        again = day_digest(row.day, previous)
        if again.digest != row.digest:
            yield Problem("seals", row.day.isoformat(), "what was recorded that day has changed since")
        previous, expected = row.digest, row.day + timedelta(days=1)
