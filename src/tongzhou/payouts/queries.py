"""Reads of payouts."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Sum

from tongzhou.kit import clock
from tongzhou.kit.refusals import not_found
from tongzhou.payouts import policy as policies
from tongzhou.payouts import tax, vault
from tongzhou.payouts.models import OPEN, BankFile, Payee, Payout, PolicySetting, Release, Status, TaxDecision
from tongzhou.payouts.values import Before, PayeeShown, Policy, Withholding

TAXED = (Status.RELEASED, Status.SENT, Status.PAID)  # whose tax stands


def policy() -> Policy:
    """The settings in force: the deployment's defaults, then what operators changed. One query."""
    changed = dict(PolicySetting.objects.values_list("code", "value"))
    rails = "" if settings.TONGZHOU_ENV == "production" else "sandbox"
    return policies.policy(changed, least=settings.PAYOUT_MIN_MINOR, rails=rails)


def changed_settings() -> dict[str, PolicySetting]:
    """Which settings an operator changed, by whom and when."""
    return {row.code: row for row in PolicySetting.objects.all()}


def _shown(row: Payee) -> PayeeShown:
    details = vault.unseal(row.sealed)
    return PayeeShown(
        vault.mask_name(details.legal_name), vault.mask_account(details.account), row.rail, bool(details.id_number)
    )


def payee(member_id: UUID) -> PayeeShown | None:
    """A member's payee, masked; None when none was given."""
    row = Payee.objects.filter(member_id=member_id).first()
    return _shown(row) if row else None


def payees(member_ids: Iterable[UUID]) -> dict[UUID, PayeeShown]:
    """Payees of many members, masked; one query."""
    return {row.member_id: _shown(row) for row in Payee.objects.filter(member_id__in=set(member_ids))}


def payouts_of(member_id: UUID, limit: int = 50) -> list[Payout]:
    """A member's payouts, newest first."""
    return list(Payout.objects.filter(member_id=member_id).order_by("-id")[:limit])


def payout(payout_id: UUID, *, member_id: UUID | None = None) -> Payout:
    """One payout; a member's own only. *Refuses:* ``payout_not_found``."""
    rows = Payout.objects.filter(id=payout_id)
    if member_id is not None:
        rows = rows.filter(member_id=member_id)
    row = rows.first()
    if row is None:
        raise not_found("payout", code="payout_not_found")
    return row


def payouts_by_id(ids: Iterable[UUID]) -> list[Payout]:
    """Several payouts, oldest first; unknown ones are left out."""
    return list(Payout.objects.filter(id__in=set(ids)).order_by("id"))


def view_counts(most: int = 100) -> dict[str, int]:
    """How many payouts are in each state that is not over, each counted to ``most``."""
    open_ = (Status.REQUESTED, Status.CHECKED, Status.SENT, Status.FAILED)
    return {s: Payout.objects.filter(status=s)[:most].count() for s in open_}


def console_list(*, status: str = "", before: UUID | None = None, limit: int = 50) -> list[Payout]:
    """Payouts for the console, newest first, keyset-paged by id."""
    rows = Payout.objects.order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if before:
        rows = rows.filter(id__lt=before)
    return list(rows[:limit])


def releases_of(payout_ids: Sequence[UUID]) -> dict[UUID, list[Release]]:
    """Who released payouts, in order."""
    out: dict[UUID, list[Release]] = {p: [] for p in payout_ids}
    for row in Release.objects.filter(payout_id__in=payout_ids).order_by("step"):
        out[row.payout_id].append(row)
    return out


def waiting() -> dict[str, int]:
    """What waits for a decision: how many, and how much in all."""
    rows = Payout.objects.filter(status__in=[Status.REQUESTED, Status.CHECKED])
    found = rows.aggregate(total=Sum("gross_minor"))
    return {"count": rows[:1000].count(), "gross_minor": found["total"] or 0}


def waiting_count(most: int = 100) -> int:
    """How many payouts wait for a person, counted to ``most``."""
    return Payout.objects.filter(status__in=[Status.REQUESTED, Status.CHECKED])[:most].count()


def tax_statement(member_id: UUID, year: int) -> dict[str, int]:
    """A member's year in four figures: gross paid, tax withheld, VAT withheld, received (``statements`` has the rows)."""
    rows = Payout.objects.filter(member_id=member_id, tax_year=year, status=Status.PAID)
    found = rows.aggregate(gross=Sum("gross_minor"), tax=Sum("tax_minor"), vat=Sum("vat_minor"))
    gross, withheld, vat = found["gross"] or 0, found["tax"] or 0, found["vat"] or 0
    return {"gross_minor": gross, "tax_minor": withheld, "vat_minor": vat, "net_minor": gross - withheld - vat}


def has_open(member_id: UUID) -> bool:
    """Whether a payout of this member is under way."""
    return Payout.objects.filter(member_id=member_id, status__in=OPEN).exists()


def vat_decision() -> TaxDecision | None:
    """The newest named decision on VAT of natural persons, or None (REVIEW)."""
    return TaxDecision.objects.filter(rule="vat_withholding").order_by("-id").first()


def decisions(limit: int = 20) -> list[TaxDecision]:
    """Decisions on tax rules, newest first."""
    return list(TaxDecision.objects.order_by("-id")[:limit])


def withholding(row: Payout, at: datetime) -> Withholding:
    """What releasing a payout at this moment would withhold."""
    return withholdings([row], at)[row.id]


def withholdings(rows: Sequence[Payout], at: datetime) -> dict[UUID, Withholding]:
    """The same for many payouts: two queries, whatever their number. Members differ: one open payout each."""
    day = clock.mall_day(at)
    kind, _table = tax.rule_on(day)
    decided = vat_decision()
    vat = decided.decision if decided else "REVIEW"
    history: dict[UUID, list[Payout]] = {}
    asked = {row.id for row in rows}
    earlier = Payout.objects.filter(
        member_id__in={row.member_id for row in rows}, tax_year=day.year, status__in=[*TAXED, Status.RETURNED]
    )
    for one in earlier.order_by("released_at"):
        if one.id not in asked:
            history.setdefault(one.member_id, []).append(one)
    return {
        row.id: tax.withhold(
            row.gross_minor, on=day, before=_before(history.get(row.member_id, ()), kind, day), vat=vat
        )
        for row in rows
    }


def _before(rows: Iterable[Payout], kind: str, day: date) -> Before:
    """What counts before a payout of a day. A payout returned after it was paid is no income, but its month was one of
    service, so it still sets the first day."""
    gross = taxed = vat = month_gross = month_vat = 0
    first: date | None = None
    for row in rows:
        released = clock.mall_day(row.released_at) if row.released_at else day
        same_month = released.month == day.month
        counts = row.status in TAXED
        if counts and same_month:
            month_gross, month_vat = month_gross + row.gross_minor, month_vat + row.vat_minor
        if not row.tax_rule.startswith(kind + "@"):
            continue
        first = first or released
        if counts and (kind == "cumulative" or same_month):
            gross, taxed, vat = gross + row.gross_minor, taxed + row.tax_minor, vat + row.vat_minor
    return Before(gross, taxed, vat, month_gross, month_vat, first)


def bank_files(limit: int = 50) -> list[BankFile]:
    """Files for the bank, newest first."""
    return list(BankFile.objects.order_by("-id")[:limit])


def bank_file(file_id: UUID) -> BankFile:
    """One file. *Refuses:* ``bank_file_not_found``."""
    row = BankFile.objects.filter(id=file_id).first()
    if row is None:
        raise not_found("bank file", code="bank_file_not_found")
    return row


def of_file(file_id: UUID) -> list[Payout]:
    """The payouts of a bank file in its order."""
    return list(Payout.objects.filter(file_id=file_id).order_by("id"))


def file_ends(file_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many payouts of each file are in which status."""
    out: dict[UUID, dict[str, int]] = {f: {} for f in file_ids}
    rows = Payout.objects.filter(file_id__in=file_ids).values("file_id", "status").annotate(n=Count("id"))
    for row in rows:
        out[UUID(str(row["file_id"]))][row["status"]] = row["n"]
    return out


def waiting_for_file(most: int = 2_000) -> dict[str, int]:
    """Released payouts of the bank rail that are in no file yet: what the next file would hold."""
    rows = Payout.objects.filter(status=Status.RELEASED, rail="bank", file_id__isnull=True).order_by("id")[:most]
    found = [g - t - v for g, t, v in rows.values_list("gross_minor", "tax_minor", "vat_minor")]
    return {"count": len(found), "net_minor": sum(found)}


def by_bill(bill_no: str) -> Payout | None:
    """A payout by its bill number."""
    return Payout.objects.filter(bill_no=bill_no).first()
