"""Chargebacks: the payer's bank takes a payment back, and gives it back or not.

Notices may come late, twice and in any order: the chargeback's own row decides, by conditional UPDATE. An end
that overtakes its beginning opens it first. While one is open no refund of its payment is sent (the bank already
has the money); the refunds wait where they are.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import outbox
from tongzhou.kit.actor import provider as provider_actor
from tongzhou.kit.refusals import Refusal, conflict, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Leg, Move
from tongzhou.payments.events import RefundRequested
from tongzhou.payments.models import (
    DISPUTE_MOVES,
    REFUND_MOVES,
    Dispute,
    DisputeStatus,
    Payment,
    Refund,
    RefundStatus,
    Status,
)
from tongzhou.payments.values import DisputeTaken, Notice

NUMBER = 64  # characters of a provider's own name of a chargeback
_WAITS = (RefundStatus.REQUESTED, RefundStatus.FAILED)
_ENDS = {"dispute_won": DisputeStatus.WON, "dispute_lost": DisputeStatus.LOST}


@command()
def take_dispute(notice: Notice, *, book_kind: str, at: datetime) -> list[DisputeTaken]:
    """Take a verified notice of a chargeback in; what it did, step by step (an end may bring its beginning along).

    Called inside ``orders.commands.settle``, which books it; the order's payments are held. *Refuses:*
    ``trade_unknown``, ``currency_mismatch``, ``dispute_unnamed``, ``dispute_reused``, ``dispute_open``, ``dispute_amount_mismatch``
    (not the whole of what the mall still had of the payment), ``dispute_fee_mismatch``.
    """
    if not 0 < len(notice.dispute_no) <= NUMBER:
        raise invalid(
            "dispute_unnamed", _("拒付通知没有编号。"), field="dispute_no", value=notice.dispute_no, rule=f"1–{NUMBER}"
        )
    if notice.currency != settings.CURRENCY:
        raise invalid(
            "currency_mismatch", _("付款的货币不对。"), field="currency", value=notice.currency, rule=settings.CURRENCY
        )
    row = Dispute.objects.filter(provider=notice.provider, dispute_no=notice.dispute_no).first()
    payment = _payment(notice)
    if row is not None and row.payment_id != payment.id:
        raise conflict("dispute_reused", _("这个拒付编号属于另一笔付款。"), field="dispute_no", value=notice.dispute_no)
    steps: list[DisputeTaken] = []
    if row is None:
        row = _open(notice, payment, book_kind, at)
        steps.append(_taken(row, payment, "opened"))
    elif notice.outcome == "dispute_opened" and row.assumed_fee_minor is not None:
        steps.append(_beginning_heard(row, payment, notice, row.assumed_fee_minor))
    if notice.outcome in _ENDS and row.status == DisputeStatus.OPEN:
        steps.append(_end(row, payment, notice, at))
    return steps or [_taken(row, payment, "repeated")]


def _payment(notice: Notice) -> Payment:
    rows = Payment.objects.filter(trade_no=notice.trade_no, provider=notice.provider)
    row = (rows.select_for_update() if connection.vendor == "postgresql" else rows).first()
    if row is None:
        raise not_found(_("没有这笔付款。"), code="trade_unknown")
    return row


def _open(notice: Notice, payment: Payment, book_kind: str, at: datetime) -> Dispute:
    """A new chargeback. The provider may take what the mall still has of the payment: all of it, and no more.

    A refund that was sent and has no end yet may be out of it already or not: both are the whole. Where an end opens
    it, the fee it speaks of is assumed until the beginning is heard.
    """
    done, sent = _refunds(payment.id, RefundStatus.SUCCEEDED), _refunds(payment.id, RefundStatus.SENT)
    whole = payment.captured_minor - done - _lost_before(payment.id)
    if payment.status != Status.SUCCEEDED or not max(1, whole - sent) <= notice.amount_minor <= whole:
        raise invalid(
            "dispute_amount_mismatch", _("拒付金额不是这笔付款剩下的全部。"), field="amount", value=notice.amount_minor,
            rule=f"{max(0, whole - sent)}–{whole}" if sent else str(whole), fix=_("请和支付方核对这笔付款退过多少。"),
        )  # fmt: skip
    if Dispute.objects.filter(payment_id=payment.id, status=DisputeStatus.OPEN).exists():
        raise conflict(
            "dispute_open", _("这笔付款已经有一个拒付在等结果。"), field="dispute_no", value=notice.dispute_no
        )
    return Dispute.objects.create(
        payment_id=payment.id, order_id=payment.order_id, buyer_id=payment.buyer_id, book_kind=book_kind,
        provider=notice.provider, dispute_no=notice.dispute_no, amount_minor=notice.amount_minor,
        fee_minor=notice.fee_minor, reason=notice.reason[:80], opened_at=at,
        assumed_fee_minor=None if notice.outcome == "dispute_opened" else notice.fee_minor,
    )  # fmt: skip


def _beginning_heard(row: Dispute, payment: Payment, notice: Notice, assumed: int) -> DisputeTaken:
    """The beginning, after an end that overtook it: what its fee differs by from what was assumed is booked now."""
    more = notice.fee_minor - assumed
    if row.fee_minor + more < 0:
        raise _fee_mismatch(assumed, notice.fee_minor)
    heard = Dispute.objects.filter(id=row.id, assumed_fee_minor__isnull=False)
    changed = heard.update(assumed_fee_minor=None, fee_minor=F("fee_minor") + more)
    return _taken(row, payment, "fee" if changed and more else "repeated", fee=more)


def _fee_mismatch(back: int, taken: int) -> Refusal:
    return invalid("dispute_fee_mismatch", _("退回的手续费比收过的多。"), field="fee", value=back, rule=str(taken))


def _end(row: Dispute, payment: Payment, notice: Notice, at: datetime) -> DisputeTaken:
    status = _ENDS[notice.outcome]
    back = notice.fee_minor if status == DisputeStatus.WON else 0
    if back > row.fee_minor:
        raise _fee_mismatch(back, row.fee_minor)
    changed = move(
        Dispute.objects.filter(id=row.id), status, moves=DISPUTE_MOVES, settled_at=at, fee_minor=row.fee_minor - back
    )
    if not changed:
        return _taken(row, payment, "repeated")
    waiting = list(Refund.objects.filter(payment_id=payment.id, status__in=_WAITS).order_by("created_at", "id"))
    if status == DisputeStatus.WON:
        _send(waiting, at)
        return _taken(row, payment, "won", fee=back)
    gone = _answered(row, payment, waiting, at)
    return _taken(row, payment, "lost", waiting=gone, sent=_refunds(payment.id, RefundStatus.SENT))


def _answered(row: Dispute, payment: Payment, waiting: Sequence[Refund], at: datetime) -> int:
    """End the refunds that wait: the bank paid them, as far as what it took goes beyond what stands of the payment.

    A refund it had counted as paid when it opened, and then did not pay, is beyond that: it is still owed and is
    sent. The payment is held, so no refund of it moves meanwhile. Returns what was answered, minor units.
    """
    room = start = row.amount_minor - (payment.captured_minor - payment.refunded_minor)
    ended: list[Refund] = []
    for refund in sorted(waiting, key=lambda r: r.status != RefundStatus.REQUESTED):
        if refund.amount_minor <= room:
            room -= refund.amount_minor
            ended.append(refund)
    move(Refund.objects.filter(id__in=[r.id for r in ended]), RefundStatus.DISPUTED, moves=REFUND_MOVES, settled_at=at)
    _send([r for r in waiting if r not in ended], at)
    return start - room


def _send(waiting: Sequence[Refund], at: datetime) -> None:
    outbox.publish(*[RefundRequested(r.id) for r in waiting if r.status == RefundStatus.REQUESTED], at=at)


def _taken(
    row: Dispute, payment: Payment, outcome: str, *, fee: int | None = None, waiting: int = 0, sent: int = 0
) -> DisputeTaken:
    not_owed = Refund.objects.filter(payment_id=payment.id, reference=f"excess:{payment.id}")
    excess = not_owed.aggregate(n=Sum("amount_minor", default=0))["n"]
    return DisputeTaken(
        row.id, row.order_id, row.buyer_id, row.book_kind, row.provider, row.dispute_no, outcome, row.amount_minor,
        row.fee_minor if fee is None else fee, excess < payment.captured_minor, payment.capture_transfer_id, waiting, sent,
    )  # fmt: skip


def _refunds(payment_id: UUID, status: RefundStatus) -> int:
    rows = Refund.objects.filter(payment_id=payment_id, status=status)
    return int(rows.aggregate(n=Sum("amount_minor", default=0))["n"])


def _lost_before(payment_id: UUID) -> int:
    rows = Dispute.objects.filter(payment_id=payment_id, status=DisputeStatus.LOST)
    return int(rows.aggregate(n=Sum("amount_minor", default=0))["n"])


@command()
def dispute_lost(*, dispute_id: UUID, given_up_minor: int, unsettled_minor: int) -> None:
    """What a lost chargeback took of the payment's captures, so that no refund takes it again; and what stays open."""
    row = Dispute.objects.get(id=dispute_id)
    taken = Payment.objects.filter(id=row.payment_id, captured_minor__gte=F("refunded_minor") + given_up_minor)
    if not taken.update(refunded_minor=F("refunded_minor") + given_up_minor):
        raise conflict("refund_exceeds_captures", _("退款超过了收到的钱。"), field="amount", value=given_up_minor)
    Dispute.objects.filter(id=dispute_id).update(unsettled_minor=unsettled_minor)


def waits_for_dispute(payment_id: UUID) -> bool:
    """True while a chargeback of this payment is open: the bank has the money, its refunds are not sent."""
    return Dispute.objects.filter(payment_id=payment_id, status=DisputeStatus.OPEN).exists()


@command()
def refund_after_loss(*, refund_id: UUID, paid: bool, at: datetime) -> bool:
    """A refund that was under way when its payment's chargeback was lost has come to its end; its payment is held.

    Of refunds under way, what the chargeback did not take had been paid before it: that much is no loss. Beyond it,
    paid means that the buyer has the money twice, the second time at the mall's loss; not paid, the chargeback was
    its payment. Returns True when it was settled so (a failed one needs no second try then).
    """
    row = Refund.objects.select_related("payment").get(id=refund_id)
    lost = Dispute.objects.filter(payment_id=row.payment_id, status=DisputeStatus.LOST, unsettled_minor__gt=0).first()
    if lost is None:
        return False
    open_ = Refund.objects.filter(payment_id=row.payment_id, status__in=(*_WAITS, RefundStatus.SENT)).exclude(id=row.id)
    others = open_.aggregate(n=Sum("amount_minor", default=0))["n"]
    before = row.amount_minor + others - lost.unsettled_minor  # left the mall before the bank took the rest
    if paid:
        part = min(row.amount_minor - before, lost.unsettled_minor)
    else:
        part = row.amount_minor if row.amount_minor <= lost.unsettled_minor else 0
    if part <= 0:
        return False
    held = Dispute.objects.filter(id=lost.id, unsettled_minor__gte=part)
    if not held.update(unsettled_minor=F("unsettled_minor") - part):
        return False
    source = "expense.dispute" if paid else "refund.in_transit"
    legs: list[Leg] = [Move(source, "receivable.dispute", part)]
    ledger.post(
        book_id=row.buyer_id, book_kind=row.book_kind, kind="dispute_refund", reference=f"dispute-refund:{row.refund_no}",
        story_id=row.order_id, legs=legs, by=provider_actor(lost.provider), at=at,
    )  # fmt: skip
    return not paid
