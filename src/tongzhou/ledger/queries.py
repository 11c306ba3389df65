"""Reads of the books: balances, stories, statements, trial balance."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from tongzhou.ledger import chart, sql
from tongzhou.ledger.models import AccountBalance, Book, DaySeal, MallCurrency, Posting, ProofRun, Transfer
from tongzhou.ledger.reports import AGES, Aged, ProfitLoss, ages, behind, owed_by_age, profit_and_loss
from tongzhou.ledger.values import StatementLine, VerifyReport
from tongzhou.ledger.verify import register, verify

__all__ = [
    "AGES", "Aged", "ProfitLoss", "VerifyReport", "ages", "behind", "owed_by_age", "profit_and_loss", "register", "verify",
]  # fmt: skip


def balances(book_id: UUID, accounts: Sequence[str] | None = None) -> dict[str, int]:
    """A book's balances on each account's normal side, minor units."""
    return sql.balances([book_id], accounts)[book_id]


def balances_many(book_ids: Sequence[UUID], accounts: Sequence[str] | None = None) -> dict[UUID, dict[str, int]]:
    """The same for several books in one query."""
    return sql.balances(book_ids, accounts) if book_ids else {}


def story_balances(book_id: UUID, story_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """What each story has left in each account of one book, on the normal side."""
    found = standing_many([(book_id, story) for story in story_ids])
    return {story: found[book_id, story] for story in story_ids}


def standing_many(
    pairs: Sequence[tuple[UUID, UUID]], accounts: Sequence[str] | None = None
) -> dict[tuple[UUID, UUID], dict[str, int]]:
    """What each (book, story) has left in each account, on the normal side; one query for all."""
    out: dict[tuple[UUID, UUID], dict[str, int]] = {pair: {} for pair in pairs}
    if not pairs:
        return out
    rows = Transfer.objects.filter(
        book_id__in={book for book, _s in out}, story_id__in={story for _b, story in out}
    ).values_list("book_id", "story_id", "debit", "credit", "amount")
    for book, story, debit, credit, amount in rows:
        have = out.get((book, story))
        if have is None:
            continue
        for account, side in ((debit, 1), (credit, -1)):
            if accounts is None or account in accounts:
                sign = side if chart.is_debit_normal(account) else -side
                have[account] = have.get(account, 0) + sign * amount
    return out


def standing_in(account: str, pairs: Sequence[tuple[UUID, UUID]]) -> list[int]:
    """What each (book, story) has left in one account, on its normal side, in the order asked; one query for all."""
    return sql.standing_in(account, pairs) if pairs else []


def stories_apart(accounts: Sequence[str], known: "QuerySet[Any, Any]", limit: int = 50) -> list[UUID]:
    """Stories that move these accounts and are none of the ``known`` (a query of ids); for the proofs of rooms above."""
    moves = Transfer.objects.filter(Q(debit__in=accounts) | Q(credit__in=accounts)).exclude(story_id__in=known)
    return list(moves.order_by("story_id").values_list("story_id", flat=True).distinct()[:limit])


def story_transfers(book_id: UUID, story_ids: Sequence[UUID]) -> "QuerySet[Transfer]":
    """The transfers of stories in one book, oldest first: what a later posting cites."""
    return Transfer.objects.filter(book_id=book_id, story_id__in=story_ids).order_by("id")


def first_debits(book_ids: Collection[UUID], story_ids: Collection[UUID], account: str) -> dict[UUID, UUID]:
    """Story → its first transfer that debits ``account``: the capture of each order, for what cites it."""
    rows = Transfer.objects.filter(book_id__in=book_ids, story_id__in=story_ids, debit=account).order_by("-id")
    return dict(rows.values_list("story_id", "id"))


def cited_room(transfer_id: UUID) -> int:
    """How much of a transfer has not been reversed yet."""
    row = Transfer.objects.filter(id=transfer_id).values_list("amount", "reversed").first()
    return row[0] - row[1] if row else 0


def statement(book_id: UUID, *, before: UUID | None = None, limit: int = 50) -> list[StatementLine]:
    """A book's transfers, newest first, keyset-paged by transfer id."""
    rows = Transfer.objects.filter(book_id=book_id).select_related("posting").order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    return [sql.line(row) for row in rows[:limit]]


def story(story_id: UUID) -> list[StatementLine]:
    """Every transfer of one story over all its books, in order."""
    rows = Transfer.objects.filter(posting__story_id=story_id).select_related("posting").order_by("id")
    return [sql.line(row) for row in rows]


def stories(story_ids: Sequence[UUID], limit: int = 400) -> list[StatementLine]:
    """Every transfer of several stories over all their books, in order; one query."""
    rows = Transfer.objects.filter(posting__story_id__in=story_ids).select_related("posting").order_by("id")
    return [sql.line(row) for row in rows[:limit]]


def postings(
    *, before: UUID | None = None, kind: str = "", book_id: UUID | None = None, since: datetime | None = None,
    until: datetime | None = None, limit: int = 50,
) -> list[Posting]:  # fmt: skip
    """Postings of the whole mall, newest first, keyset-paged by id; ``since`` and ``until`` by the moment of recording."""
    rows = Posting.objects.order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    if kind:
        rows = rows.filter(kind=kind)
    if book_id:
        rows = rows.filter(book_id=book_id)
    if since:
        rows = rows.filter(recorded_at__gte=since)
    if until:
        rows = rows.filter(recorded_at__lt=until)
    return list(rows[:limit])


def amounts_of(posting_ids: Sequence[UUID]) -> dict[UUID, list[Transfer]]:
    """The transfers of several postings, in order; one query."""
    out: dict[UUID, list[Transfer]] = {i: [] for i in posting_ids}
    for row in Transfer.objects.filter(posting_id__in=posting_ids).order_by("posting_id", "seq"):
        out[row.posting_id].append(row)
    return out


def holders(account: str, *, after: UUID | None = None, limit: int = 50) -> list[tuple[UUID, UUID, int]]:
    """(row, book, balance) of the books that have an account, keyset-paged by row; what a trial balance's line is made of."""
    rows = AccountBalance.objects.filter(account=account).exclude(debits=F("credits")).order_by("id")
    if after:
        rows = rows.filter(id__gt=after)
    found = rows.values_list("id", "book_id", "normal", "debits", "credits")[:limit]
    return [(i, book, normal * (d - c)) for i, book, normal, d, c in found]


def small_enough(most: int) -> bool:
    """Whether the books have at most so many transfers; counted no further than that."""
    return Transfer.objects.order_by()[: most + 1].count() <= most


def posting(posting_id: UUID) -> tuple[Posting, list[Transfer]] | None:
    """One posting and its transfers, or None."""
    row = Posting.objects.filter(id=posting_id).first()
    return (row, list(Transfer.objects.filter(posting_id=row.id).order_by("seq"))) if row else None


def book_kind(book_id: UUID) -> str:
    """member, guest, supplier, card, platform, or empty when the book was never opened."""
    return Book.objects.filter(id=book_id).values_list("kind", flat=True).first() or ""


def trial_balance(at: datetime | None = None) -> list[dict[str, Any]]:
    """Each account's debits, credits and balance over all books; as of an effective moment when given."""
    if at is None:
        rows = AccountBalance.objects.values("account").annotate(d=Sum("debits"), c=Sum("credits"))
        sums = {r["account"]: [r["d"], r["c"]] for r in rows}
    else:
        sums = {}
        moves = Transfer.objects.filter(posting__effective_at__lte=at)
        for side, position in (("debit", 0), ("credit", 1)):
            for r in moves.values(account=F(side)).annotate(total=Sum("amount")):
                sums.setdefault(r["account"], [0, 0])[position] = r["total"]
    return [
        {
            "account": account,
            "type": str(chart.entry(account)[0]),
            "debit_minor": d,
            "credit_minor": c,
            "balance_minor": (d - c) if chart.is_debit_normal(account) else (c - d),
        }
        for account, (d, c) in sorted(sums.items())
    ]


def total(account: str, *, book_ids: Sequence[UUID] | None = None) -> int:
    """One account's balance on its normal side over all books (or some)."""
    rows = AccountBalance.objects.filter(account=account)
    if book_ids is not None:
        rows = rows.filter(book_id__in=book_ids)
    found = rows.aggregate(d=Sum("debits"), c=Sum("credits"))
    net = (found["d"] or 0) - (found["c"] or 0)
    return net if chart.is_debit_normal(account) else -net


def totals_by_book(accounts: Sequence[str], kind: str) -> dict[UUID, dict[str, int]]:
    """Balances of chosen accounts in every book of a kind; a declared scatter, for exports and summaries."""
    books = Book.objects.filter(kind=kind).values("id")
    out: dict[UUID, dict[str, int]] = {}
    rows = AccountBalance.objects.filter(account__in=accounts, book_id__in=books)
    for book, account, normal, d, c in rows.values_list("book_id", "account", "normal", "debits", "credits"):
        out.setdefault(book, {})[account] = normal * (d - c)
    return out


def balances_of(account: str) -> dict[UUID, int]:
    """One account's balance in every book where it is not zero; a declared scatter."""
    rows = AccountBalance.objects.filter(account=account).exclude(debits=F("credits"))
    return {book: normal * (d - c) for book, normal, d, c in rows.values_list("book_id", "normal", "debits", "credits")}


def balances_before(account: str, moment: datetime) -> dict[UUID, int]:
    """The same as it stood just before an effective moment, from the transfers."""
    out: dict[UUID, int] = {}
    sign = 1 if chart.is_debit_normal(account) else -1
    for side, way in (("debit", sign), ("credit", -sign)):
        rows = Transfer.objects.filter(**{side: account, "posting__effective_at__lt": moment})
        for r in rows.values("book_id").annotate(total=Sum("amount")):
            out[r["book_id"]] = out.get(r["book_id"], 0) + way * r["total"]
    return out


def flow(
    account: str, side: str, *, kinds: Sequence[str] = (), book_id: UUID | None = None
) -> dict[UUID, int]:  # fmt: skip
    """Gross debits or credits of an account per book, optionally of some posting kinds or one book only."""
    rows = Transfer.objects.filter(**{side: account})
    if book_id:
        rows = rows.filter(book_id=book_id)
    if kinds:
        rows = rows.filter(posting__kind__in=kinds)
    return {r["book_id"]: r["total"] for r in rows.values("book_id").annotate(total=Sum("amount"))}


def currency() -> str:
    """The currency the books are in, fixed by the first posting; empty before it."""
    return MallCurrency.objects.values_list("code", flat=True).first() or ""


def net_flow(accounts: Sequence[str], *, since: datetime, until: datetime) -> dict[UUID, int]:
    """Debits − credits of some accounts together, per book, over what happened in [since, until)."""
    out: dict[UUID, int] = {}
    within = Transfer.objects.filter(posting__effective_at__gte=since, posting__effective_at__lt=until)
    for side, sign in (("debit", 1), ("credit", -1)):
        rows = within.filter(**{f"{side}__in": accounts}).values("book_id").annotate(total=Sum("amount"))
        for r in rows.iterator():
            out[r["book_id"]] = out.get(r["book_id"], 0) + sign * r["total"]
    return out


def flow_between(account: str, *, since: datetime, until: datetime) -> int:
    """Everything credited to an account over all books in [since, until)."""
    rows = Transfer.objects.filter(credit=account, posting__effective_at__gte=since, posting__effective_at__lt=until)
    return rows.aggregate(n=Sum("amount"))["n"] or 0


def sealed_through() -> str:
    """The last sealed day (ISO), or empty."""
    day = DaySeal.objects.order_by("-day").values_list("day", flat=True).first()
    return day.isoformat() if day else ""


def seals(limit: int = 31) -> list[DaySeal]:
    """The newest seals."""
    return list(DaySeal.objects.order_by("-day")[:limit])


def last_proof() -> ProofRun | None:
    """The newest run of every proof, or None."""
    return ProofRun.objects.order_by("-at").first()


def proofs(limit: int = 31) -> list[ProofRun]:
    """The newest runs."""
    return list(ProofRun.objects.order_by("-at")[:limit])


def money_in_flight() -> dict[str, int]:
    """What is neither here nor there: all zero when every story is finished."""
    flight = ("deposit.orders", "suspense.payments", "refund.in_transit", "prepaid.rewards")
    rows = AccountBalance.objects.filter(Q(account__in=flight) | Q(account__startswith="payout.in_transit."))
    out: dict[str, int] = {}
    for r in rows.values("account", "normal").annotate(d=Sum("debits"), c=Sum("credits"), n=Count("id")):
        out[r["account"]] = r["normal"] * (r["d"] - r["c"])
    return out
