"""The books, read-only: postings, one posting, one book, trial balance, the proof, exports."""

from datetime import timedelta
from io import StringIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tongzhou.console import forms, http, money, texts
from tongzhou.kit import audit, clock
from tongzhou.kit.refusals import Kind, Refusal, invalid, not_found
from tongzhou.ledger import commands
from tongzhou.ledger import export as writer
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import VerifyReport
from tongzhou.orders import queries as orders
from tongzhou.payouts import queries as payouts

MOST_TRANSFERS = 200_000  # a page proves and exports no more than this; the command line has no limit
FORMATS = {"beancount": "books.beancount", "hledger": "books.journal", "csv": "books.csv"}


@http.door("ledger")
def listing(request: HttpRequest) -> HttpResponse:
    """Postings, newest first; those of one book with its balances."""
    book = forms.identity(request.GET["book"]) if request.GET.get("book") else None
    kind = request.GET.get("kind", "")
    since, until = forms.days(request)
    rows = books.postings(
        before=forms.before(request), kind=kind, book_id=book, since=since, until=until, limit=forms.PAGE + 1
    )
    more, rows = len(rows) > forms.PAGE, rows[: forms.PAGE]
    moves, called = (
        books.amounts_of([r.id for r in rows]),
        money.names([r.book_id for r in rows] + ([book] if book else [])),
    )
    context = {
        "rows": [(r, called.get(r.book_id, str(r.book_id)[:8]), moves[r.id]) for r in rows], "book": book, "kind": kind,
        "more": rows[-1].id if more else None, "kinds": list(texts.WORDS["posting"].items()),
        "balances": _balances(books.balances(book)) if book else None, "sealed": books.seals(1),
        "book_kind": books.book_kind(book) if book else "", "book_name": called.get(book, "") if book else "",
    }  # fmt: skip
    return http.page(request, "ledger", context)


def _balances(found: dict[str, int]) -> list[tuple[str, int]]:
    return sorted((account, amount) for account, amount in found.items() if amount)


@http.door("ledger")
def balance(request: HttpRequest) -> HttpResponse:
    """The trial balance of all books, what is in flight, the seals; and the proof, when somebody asks for it."""
    report, refusal = None, None
    if request.method == "POST":
        try:
            report = _prove(request)
        except Refusal as caught:
            refusal = caught
    rows = books.trial_balance()
    debit, credit = ([r for r in rows if (r["type"] in ("asset", "expense")) == side] for side in (True, False))
    context = {
        "debit": debit, "credit": credit, "moved": sum(r["debit_minor"] for r in rows), "refusal": refusal,
        "even": sum(r["debit_minor"] - r["credit_minor"] for r in rows) == 0, "flight": books.money_in_flight(),
        "seals": books.seals(7), "report": report, "formats": list(FORMATS), "proof": books.last_proof(),
    }  # fmt: skip
    return http.page(request, "balance", context, status=http.refused(refusal))


def _prove(request: HttpRequest) -> VerifyReport:
    _bounded()
    report = commands.prove(by=http.actor(request), at=clock.now())
    audit.record(
        by=http.actor(request), action="ledger.verify", subject_kind="ledger", subject_id="all", at=clock.now(),
        ok=report.ok, transfers=report.transfers, problems=len(report.problems),
    )  # fmt: skip
    return report


def _bounded() -> None:
    if not books.small_enough(MOST_TRANSFERS):
        raise Refusal(
            "books_too_large", _("账本太大，不在网页上做。"), kind=Kind.LIMIT, value=f"> {MOST_TRANSFERS}",
            fix=_("在服务器上运行 tongzhou ledger verify 或 tongzhou ledger export。"),
        )  # fmt: skip


@http.door("ledger")
def reports(request: HttpRequest) -> HttpResponse:
    """Profit and loss of a period (this month unless asked otherwise), and how old what is owed is."""
    refusal, result, aged, at = None, None, [], clock.now()
    first = clock.day_start(clock.mall_day(at).replace(day=1))
    try:
        since, until = forms.days(request)
        since, until = since or first, until or at
        _bounded()
        result, aged = books.profit_and_loss(since, until), books.owed_by_age(at)
    except Refusal as caught:
        refusal, since, until = caught, first, at
    context = {"refusal": refusal, "result": result, "aged": aged, "since": since, "until": until,
               "days": books.AGES, "last": clock.mall_day(until - timedelta(microseconds=1))}  # fmt: skip
    return http.page(request, "reports", context, status=http.refused(refusal))


@http.door("ledger")
def account(request: HttpRequest, code: str) -> HttpResponse:
    """One account: which books have how much of it."""
    rows = books.holders(code, after=forms.before(request), limit=forms.PAGE + 1)
    more, rows = len(rows) > forms.PAGE, rows[: forms.PAGE]
    called = money.names([book for _row, book, _amount in rows])
    behind = books.behind(code, limit=20) if rows and not request.GET.get("before") else []
    context = {"code": code, "behind": money.shown([line for _book, line in behind]), "rows": [(b, called.get(b, str(b)[:8]), n) for _i, b, n in rows],
               "more": rows[-1][0] if more else None, "total": books.total(code) if rows else 0}  # fmt: skip
    return http.page(request, "account", context)


@http.door("ledger")
def posting(request: HttpRequest, identity: str) -> HttpResponse:
    """One posting with its transfers, and the whole story it belongs to."""
    found = books.posting(forms.identity(identity))
    if found is None:
        raise not_found(_("没有这笔记账。"), code="posting_not_found")
    row, transfers = found
    line = orders.lines_by_id([row.story_id]).get(row.story_id)
    about = list(orders.orders_by_id([row.story_id, *([line.order_id] if line else [])]).values())
    payout = payouts.payouts_by_id([row.story_id])
    context: dict[str, Any] = {
        "posting": row, "transfers": transfers, "story": money.of_stories([row.story_id]), "orders": about, "line": line,
        "payout": payout[0] if payout else None, "book": money.names([row.book_id]).get(row.book_id, ""),
        "late": int((row.recorded_at - row.effective_at).total_seconds()),
    }  # fmt: skip
    return http.page(request, "posting", context)


@http.door("ledger")
def export(request: HttpRequest) -> HttpResponse:
    """The whole of the books as a file for another program."""
    fmt = request.GET.get("format", "")
    if fmt not in FORMATS:
        raise invalid("format_unknown", _("不认识这种文件格式。"), field="format", value=fmt, rule=" | ".join(FORMATS))
    _bounded()
    out = StringIO()
    writer.export(fmt, out)
    answer = HttpResponse(out.getvalue(), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{FORMATS[fmt]}"'
    return answer
