"""Proofs of payouts for `ledger verify`: the books and what payouts wrote down agree, book by book.

The mall goes on meanwhile, and a proof reads in several statements: what looks wrong is looked at again, and only what
stays wrong is a problem.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db.models import F, QuerySet, Sum

from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Problem
from tongzhou.payouts.models import OPEN, Payout, RemittanceLine, Status

TAX, BACK = "tax.withheld", "receivable.tax"
LOOKS = 3
KNOWN = ("payout_paid", "payout_returned", "tax_remitted", "opening")


def _flow(accounts: Iterable[str], side: str, *kinds: str) -> dict[UUID, int]:
    out: dict[UUID, int] = {}
    for account in accounts:
        for book, amount in books.flow(account, side, kinds=kinds).items():
            out[book] = out.get(book, 0) + amount
    return out


def _recorded(rows: "QuerySet[Payout]") -> dict[UUID, int]:
    sums = rows.values("member_id").annotate(n=Sum(F("tax_minor") + F("vat_minor")))
    return {r["member_id"]: r["n"] for r in sums if r["n"]}


def _lines(column: str) -> dict[UUID, int]:
    rows = RemittanceLine.objects.filter(booked_at__isnull=False).values("member_id").annotate(n=Sum(column))
    return {r["member_id"]: r["n"] for r in rows if r["n"]}


def tax_reconciles() -> Iterable[Problem]:
    """In every book: tax withheld = the tax recorded on payouts that were paid; given back = that of those returned;
    remitted and netted = the remittances' lines; and nothing else moves tax.withheld or receivable.tax."""
    return _stays(_tax)


def payouts_in_transit() -> Iterable[Problem]:
    """In every book: what is in transit = the member's open payout."""
    return _stays(_transit)


def _stays(look: Callable[[], list[Problem]]) -> list[Problem]:
    """What is wrong at every look."""
    found = look()
    for _again in range(LOOKS - 1):
        if not found:
            break
        now = look()
        found = [p for p in found if p in now]
    return found


def _tax() -> list[Problem]:
    paid = Payout.objects.filter(status__in=[Status.PAID, Status.RETURNED])
    pairs = (
        ("withheld", _flow((TAX, BACK), "credit", "payout_paid"), _recorded(paid)),
        ("given back", _flow((TAX, BACK), "debit", "payout_returned"), _recorded(paid.filter(status=Status.RETURNED))),
        ("remitted", _flow((TAX, BACK), "debit", "tax_remitted"), _lines("amount_minor")),
        ("netted", _flow((TAX, BACK), "credit", "tax_remitted"), _lines("netted_minor")),
        ("debited in all", _flow((TAX, BACK), "debit"), _flow((TAX, BACK), "debit", *KNOWN)),
        ("credited in all", _flow((TAX, BACK), "credit"), _flow((TAX, BACK), "credit", *KNOWN)),
    )
    return [
        Problem("tax_reconciles", str(book), f"{what}: the book says {have.get(book, 0)}, payouts {want.get(book, 0)}")
        for what, have, want in pairs
        for book in sorted({*have, *want})
        if have.get(book, 0) != want.get(book, 0)
    ]


def _transit() -> list[Problem]:
    have = books.balances_of("payout.in_transit.reward")
    rows = Payout.objects.filter(status__in=OPEN).values("member_id").annotate(n=Sum("gross_minor"))
    want = {r["member_id"]: r["n"] for r in rows}
    return [
        Problem("payouts_in_transit", str(book), f"in transit {have.get(book, 0)}, open payouts {want.get(book, 0)}")
        for book in sorted({*have, *want})
        if have.get(book, 0) != want.get(book, 0)
    ]
