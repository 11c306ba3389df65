"""Tax on paper: a member's year, the quarterly platform report, what was remitted. Reads and files, nothing changes."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from tongzhou.kit import audit, clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.money import plain
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.ledger import queries as books
from tongzhou.payouts import vault
from tongzhou.payouts.commands.common import need_finance
from tongzhou.payouts.models import Payee, Payout, Remittance, Status
from tongzhou.payouts.rails.bank.files import cell
from tongzhou.payouts.values import Statement, StatementRow
from tongzhou.rewards import queries as rewards

BOM = "\ufeff"  # so that spreadsheets read Chinese


def statement(member_id: UUID, year: int) -> Statement:
    """A member's year: each payout with its tax and the table it was taken from. What came back is shown and not summed.
    The year is that of the release, which fixed the tax."""
    rows = Payout.objects.filter(member_id=member_id, tax_year=year, status__in=[Status.PAID, Status.RETURNED])
    shown = tuple(
        StatementRow(
            r.id, r.ended_at or r.requested_at, r.gross_minor, r.tax_minor, r.vat_minor, r.net_minor, r.tax_rule,
            r.tax_months or 0, r.status == Status.RETURNED,
        )
        for r in rows.order_by("released_at", "id")
    )  # fmt: skip
    stands = [r for r in shown if not r.returned]
    return Statement(
        year, shown, sum(r.gross_minor for r in stands), sum(r.tax_minor for r in stands),
        sum(r.vat_minor for r in stands), sum(r.net_minor for r in stands),
    )  # fmt: skip


def years_of(member_id: UUID) -> list[int]:
    """The years a member has a statement for, newest first."""
    rows = Payout.objects.filter(member_id=member_id, tax_year__isnull=False, status__in=[Status.PAID, Status.RETURNED])
    return sorted({y for y in rows.values_list("tax_year", flat=True).distinct() if y}, reverse=True)


def statement_csv(found: Statement) -> str:
    """A statement as CSV; the last line is the sum."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        [_("到账日"), _("税前"), _("代扣个税"), _("代扣增值税"), _("到手"), _("税表"), _("累计月数"), _("已退回")]
    )
    for r in found.rows:
        writer.writerow([clock.mall_day(r.at).isoformat(), *_plain(r.gross_minor, r.tax_minor, r.vat_minor, r.net_minor),
                         r.rule, r.months, _("是") if r.returned else ""])  # fmt: skip
    writer.writerow(
        [_("合计"), *_plain(found.gross_minor, found.tax_minor, found.vat_minor, found.net_minor), "", "", ""]
    )
    return BOM + out.getvalue()


def _plain(*amounts: int) -> list[str]:
    return [plain(a, settings.CURRENCY) for a in amounts]


def quarter(text: str) -> tuple[datetime, datetime]:
    """``2026Q3`` → its first moment and the first moment after it. *Refuses:* ``quarter``."""
    year, _mark, number = text.strip().upper().partition("Q")
    if (
        not (year.isascii() and year.isdigit() and len(year) == 4 and number in ("1", "2", "3", "4"))
        or not 2019 <= int(year) <= 2100
    ):
        raise invalid("quarter", _("季度写成 2026Q3 这样。"), field="quarter", value=text, rule="YYYYQ1–YYYYQ4")
    first = int(number) * 3 - 2
    after = date(int(year) + (number == "4"), (first + 3 - 1) % 12 + 1, 1)
    return clock.day_start(date(int(year), first, 1)), clock.day_start(after)


REPORT = ("name", "certificate_type", "certificate_number", "income_kind", "income", "returned", "tax_withheld",
          "vat_withheld", "payouts", "orders", "currency", "quarter")  # fmt: skip


def platform_report(text: str, *, by: Actor, at: datetime) -> tuple[str, int, int]:
    """(CSV, people, people without a certificate number) of a quarter: identity, income by kind, order count.

    Income is the gross of payouts that arrived in the quarter; what came back in it is a column of its own; orders are
    those whose rewards became available in it. It shows identities, so taking it is written down.
    *Refuses:* ``quarter``, ``not_allowed``.
    """
    need_finance(by)
    since, until = quarter(text)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(REPORT)
    people = without = 0
    for row, bare in _report_rows(since, until, text.strip().upper()):
        writer.writerow(row)
        people, without = people + 1, without + bare
    audit.record(
        by=by, action="tax.report", subject_kind="quarter", subject_id=text.strip().upper(), at=at, people=people
    )
    return BOM + out.getvalue(), people, without


def _report_rows(since: datetime, until: datetime, name: str) -> Iterator[tuple[list[object], int]]:
    came = Payout.objects.filter(ended_at__gte=since, ended_at__lt=until, status__in=[Status.PAID, Status.RETURNED])
    went = Payout.objects.filter(returned_at__gte=since, returned_at__lt=until, status=Status.RETURNED)
    orders = rewards.orders_settled(since, until)
    paid: dict[UUID, list[int]] = {}
    for r in came.values("member_id", "gross_minor", "tax_minor", "vat_minor").order_by("member_id").iterator():
        have = paid.setdefault(r["member_id"], [0, 0, 0, 0])
        for i, amount in enumerate((r["gross_minor"], r["tax_minor"], r["vat_minor"], 1)):
            have[i] += amount
    back = {r["member_id"]: r for r in went.values("member_id").annotate(
        gross=Sum("gross_minor"), tax=Sum("tax_minor"), vat=Sum("vat_minor"))}  # fmt: skip
    members = sorted({*paid, *back, *orders})
    for start in range(0, len(members), 500):
        part = members[start : start + 500]
        who = _identities(part)
        for m in part:
            gross, tax, vat, count = paid.get(m, [0, 0, 0, 0])
            b = back.get(m, {"gross": 0, "tax": 0, "vat": 0})
            person = who.get(m)
            number = person.id_number if person else ""
            yield [
                cell(person.legal_name) if person else "", _("居民身份证") if number else "", number, _("劳务报酬（分享佣金）"),
                *_plain(gross, b["gross"], tax - b["tax"], vat - b["vat"]), count, orders.get(m, 0), settings.CURRENCY, name,
            ], int(not number)  # fmt: skip


def _identities(member_ids: Sequence[UUID]) -> dict[UUID, vault.Details]:
    out = {}
    for row in Payee.objects.filter(member_id__in=member_ids):
        try:
            out[row.member_id] = vault.unseal(row.sealed)
        except Refusal:  # a lost key leaves the row in the report, without identity
            continue
    return out


def year_totals(year: int) -> dict[str, int]:
    """The mall's year: what was paid and what was withheld."""
    rows = Payout.objects.filter(tax_year=year, status=Status.PAID)
    found = rows.aggregate(gross=Sum("gross_minor"), tax=Sum("tax_minor"), vat=Sum("vat_minor"))
    gross, tax, vat = found["gross"] or 0, found["tax"] or 0, found["vat"] or 0
    return {"gross_minor": gross, "tax_minor": tax, "vat_minor": vat, "net_minor": gross - tax - vat}


def members_of(year: int, *, limit: int = 50, after: UUID | None = None) -> list[dict[str, Any]]:
    """Members with payouts in a year, by id, with their sums."""
    rows = Payout.objects.filter(tax_year=year, status=Status.PAID)
    if after:
        rows = rows.filter(member_id__gt=after)
    found = rows.values("member_id").annotate(
        gross=Sum("gross_minor"), tax=Sum("tax_minor"), vat=Sum("vat_minor")
    )  # fmt: skip
    return [dict(row) for row in found.order_by("member_id")[:limit]]


def standing() -> dict[str, int]:
    """What is withheld and not yet remitted, and what the tax office owes back, over all books."""
    return {"withheld_minor": books.total("tax.withheld"), "owed_back_minor": books.total("receivable.tax")}


def remittances(limit: int = 24) -> list[Remittance]:
    """Remittances, newest first."""
    return list(Remittance.objects.order_by("-id")[:limit])
