"""Tax verbs: finance decides on VAT by name; withheld tax goes to the tax office, prepared by one, confirmed by another."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import conflict, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Draw, Fill, Leg, PostingRequest
from tongzhou.payouts.commands.common import need_finance, need_reason
from tongzhou.payouts.models import REMITTANCE_MOVES, Remittance, RemittanceLine, RemittanceStatus, TaxDecision

DECISIONS = ("WITHHOLD", "EXEMPT")
BATCH = 500  # books booked in one transaction


@transaction.atomic
def decide_vat(*, decision: str, reason: str, by: Actor, at: datetime) -> UUID:
    """Finance signs whether VAT of natural persons is withheld; stands from now until the next decision.

    *Refuses:* ``not_allowed``, ``decision_unknown``, ``reason_missing``.
    """
    person, why = need_finance(by), need_reason(reason)
    if decision not in DECISIONS:
        raise invalid(
            "decision_unknown", _("要么代扣，要么不代扣。"), field="decision", value=decision, rule=", ".join(DECISIONS)
        )
    row = TaxDecision(
        id=new_id(), rule="vat_withholding", decision=decision, reason=why, by_id=person, by_name=by.name[:80], at=at
    )
    TaxDecision.objects.bulk_create([row])
    audit.record(by=by, action="tax.decide", subject_kind="tax_rule", subject_id="vat_withholding", at=at,
                 decision=decision, reason=why)  # fmt: skip
    return row.id


def month_end(month: date) -> datetime:
    """The first moment after a month of the mall."""
    return clock.day_start((month.replace(day=1) + timedelta(days=32)).replace(day=1))


@transaction.atomic
def prepare_remittance(*, month: date, by: Actor, at: datetime) -> UUID:
    """What is owed to the tax office through the end of a month, member by member, less what it owes back.

    A member's part is what stood in tax.withheld at the month's end and still does; what stands in receivable.tax is
    netted as far as there is tax to net it from. *Refuses:* ``not_allowed``, ``month_not_over``, ``remittance_open``,
    ``nothing_to_remit``.
    """
    person, first = need_finance(by), month.replace(day=1)
    if at < month_end(first):
        raise conflict("month_not_over", _("这个月还没有结束。"), field="month", value=first.isoformat()[:7])
    lines = _lines(month_end(first))
    if not lines:
        raise conflict("nothing_to_remit", _("没有要缴的税。"), field="month", value=first.isoformat()[:7])
    row = Remittance(
        id=new_id(), month=first, reference=f"TAX-{first:%Y%m}-{new_id().hex[-6:].upper()}",
        withheld_minor=sum(a for a, _n in lines.values()), netted_minor=sum(n for _a, n in lines.values()),
        books=len(lines), made_by=person, made_by_name=by.name[:80], made_at=at,
    )  # fmt: skip
    try:
        with transaction.atomic():
            Remittance.objects.bulk_create([row])
    except IntegrityError:
        raise conflict(
            "remittance_open", _("这个月已经有一张缴款单在办。"), field="month", value=first.isoformat()[:7]
        ) from None
    RemittanceLine.objects.bulk_create(
        [
            RemittanceLine(remittance=row, member_id=m, amount_minor=a, netted_minor=n)
            for m, (a, n) in sorted(lines.items())
        ],
        batch_size=500,
    )
    audit.record(by=by, action="tax.remit.prepare", subject_kind="remittance", subject_id=row.reference, at=at,
                 withheld_minor=row.withheld_minor, netted_minor=row.netted_minor, books=row.books)  # fmt: skip
    return row.id


def _lines(until: datetime) -> dict[UUID, tuple[int, int]]:
    """member → (tax.withheld to pay, receivable.tax to net)."""
    then = books.balances_before("tax.withheld", until)
    now = books.balances_of("tax.withheld")
    owed_back = books.balances_of("receivable.tax")
    lines = {m: (min(amount, now.get(m, 0)), 0) for m, amount in then.items() if min(amount, now.get(m, 0)) > 0}
    room = sum(a for a, _n in lines.values())
    for member, amount in sorted(owed_back.items()):
        part = min(amount, room)
        if part > 0:
            lines[member] = (lines.get(member, (0, 0))[0], part)
            room -= part
    return lines


@transaction.atomic
def confirm_remittance(*, remittance_id: UUID, typed_minor: int, by: Actor, at: datetime) -> None:
    """A second person confirms that this amount was paid to the tax office, typing it from the receipt; it is then booked.

    *Refuses:* ``remittance_not_found``, ``not_allowed``, ``same_person``, ``net_mistyped``, ``state_moved_on``.
    """
    row, person = _get(remittance_id), need_finance(by)
    if person == row.made_by:
        raise conflict("same_person", _("制单和确认要由两个人来做。"))
    if typed_minor != row.paid_minor:
        raise invalid(
            "net_mistyped", _("金额不对。"), field="amount", value=typed_minor, fix=_("照着完税凭证再输一遍。")
        )
    if not move(
        Remittance.objects.filter(id=row.id), RemittanceStatus.CONFIRMED, moves=REMITTANCE_MOVES,
        confirmed_by_name=by.name[:80],
    ):  # fmt: skip
        raise conflict("state_moved_on", _("这张缴款单刚刚有了变化，请刷新后再看。"))
    audit.record(by=by, action="tax.remit.confirm", subject_kind="remittance", subject_id=row.reference, at=at)


@transaction.atomic
def cancel_remittance(*, remittance_id: UUID, by: Actor, at: datetime) -> None:
    """Take back what nobody confirmed. *Refuses:* ``remittance_not_found``, ``not_allowed``, ``state_moved_on``."""
    row = _get(remittance_id)
    need_finance(by)
    if not move(Remittance.objects.filter(id=row.id), RemittanceStatus.CANCELLED, moves=REMITTANCE_MOVES):
        raise conflict("state_moved_on", _("这张缴款单刚刚有了变化，请刷新后再看。"))
    audit.record(by=by, action="tax.remit.cancel", subject_kind="remittance", subject_id=row.reference, at=at)


def _get(remittance_id: UUID) -> Remittance:
    row = Remittance.objects.filter(id=remittance_id).first()
    if row is None:
        raise not_found(_("没有这张缴款单。"), code="remittance_not_found")
    return row


def book_remittances(*, at: datetime) -> int:
    """Book what was confirmed, some books at a time; returns how many lines. Goes on where it was interrupted."""
    done = 0
    for row in Remittance.objects.filter(status=RemittanceStatus.CONFIRMED).order_by("id"):
        while part := _book_some(row, at):
            done += part
        with transaction.atomic():
            move(Remittance.objects.filter(id=row.id), RemittanceStatus.BOOKED, moves=REMITTANCE_MOVES, booked_at=at)
    return done


@transaction.atomic
def _book_some(row: Remittance, at: datetime) -> int:
    """One batch: the lines' mark and their postings in one transaction, each under the remittance's one reference."""
    waiting = RemittanceLine.objects.filter(remittance=row, booked_at__isnull=True).order_by("member_id")
    lines = list(waiting[:BATCH])
    taken = RemittanceLine.objects.filter(id__in=[x.id for x in lines], booked_at__isnull=True).update(booked_at=at)
    if taken != len(lines):
        raise conflict("state_moved_on", _("另一个工作进程正在记这张单。"), retryable=True)
    requests = []
    for line in lines:
        legs: list[Leg] = []
        if line.amount_minor:  # a return since then took its tax along: the office now owes that part back
            legs.append(Draw("tax.withheld", "receivable.tax", "bank", line.amount_minor))
        if line.netted_minor:  # a payout since then netted it first: that part is owed to the office again
            legs.append(Fill("bank", "tax.withheld", line.netted_minor, nets="receivable.tax"))
        requests.append(PostingRequest(line.member_id, "tax_remitted", row.reference, row.id, tuple(legs), at))
    ledger.post_many(requests, by=Actor("operator", row.made_by, row.made_by_name), at=at)
    return len(lines)
