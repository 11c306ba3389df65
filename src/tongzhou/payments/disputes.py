"""Chargebacks: the payer's bank takes a payment back, and gives it back or not.

Notices may come late, twice and in any order: the chargeback's own row decides, by conditional UPDATE. An end
that overtakes its beginning opens it first. While one is open no refund of its payment is sent (the bank already
has the money); the refunds wait where they are.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, Sum
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import outbox
from tongzhou.kit.actor import provider as provider_actor
from tongzhou.kit.refusals import conflict, invalid, not_found
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

_WAITS = (RefundStatus.REQUESTED, RefundStatus.FAILED)
_ENDS = {"dispute_won": DisputeStatus.WON, "dispute_lost": DisputeStatus.LOST}


@command()
def take_dispute(notice: Notice, *, book_kind: str, at: datetime) -> list[DisputeTaken]:
    """Take a verified notice of a chargeback in; what it did, step by step (an end may bring its beginning along).

    Called inside ``orders.commands.settle``, which books it; the order's payments are held. *Refuses:*
    ``trade_unknown``, ``currency_mismatch``, ``dispute_unnamed``, ``dispute_reused``, ``dispute_open``, ``dispute_amount_mismatch``
    (not the whole of what the mall still had of the payment), ``dispute_fee_mismatch``.
    """
    if not notice.dispute_no:
        raise invalid("dispute_unnamed", _("拒付通知没有编号。"), field="dispute_no", value="")
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

    A refund that was sent and has no end yet may be out of it already or not: both are the whole.
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
        provider=notice.provider, dispute_no=notice.dispute_no[:64], amount_minor=notice.amount_minor,
        fee_minor=0 if notice.outcome == "dispute_won" else notice.fee_minor, reason=notice.reason[:80], opened_at=at,
    )  # fmt: skip


def _end(row: Dispute, payment: Payment, notice: Notice, at: datetime) -> DisputeTaken:
    status = _ENDS[notice.outcome]
    back = notice.fee_minor if status == DisputeStatus.WON else 0
    if back > row.fee_minor:
        raise invalid(
            "dispute_fee_mismatch", _("退回的手续费比收过的多。"), field="fee", value=back, rule=str(row.fee_minor)
        )
    changed = move(
        Dispute.objects.filter(id=row.id), status, moves=DISPUTE_MOVES, settled_at=at, fee_minor=row.fee_minor - back
    )
    if not changed:
        return _taken(row, payment, "repeated")
    waiting = Refund.objects.filter(payment_id=payment.id, status__in=_WAITS)
    if status == DisputeStatus.WON:
        outbox.publish(
            *[RefundRequested(i) for i in waiting.filter(status=RefundStatus.REQUESTED).values_list("id", flat=True)],
            at=at,
        )
        return _taken(row, payment, "won", fee=back)
    gone = waiting.aggregate(n=Sum("amount_minor", default=0))["n"]
    move(waiting, RefundStatus.DISPUTED, moves=REFUND_MOVES, settled_at=at)
    return _taken(row, payment, "lost", waiting=gone, sent=_refunds(payment.id, RefundStatus.SENT))


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
    """A refund that was under way when its payment's chargeback was lost has come to its end.

    Paid, the buyer has the money twice and the second time is the mall's loss; not paid, the chargeback was its
    payment. Returns True when it was settled so (a failed one needs no second try then).
    """
    row = Refund.objects.select_related("payment").get(id=refund_id)
    lost = Dispute.objects.filter(payment_id=row.payment_id, status=DisputeStatus.LOST, unsettled_minor__gt=0).first()
    if lost is None:
        return False
    part = min(row.amount_minor, lost.unsettled_minor)
    held = Dispute.objects.filter(id=lost.id, unsettled_minor__gte=part)
    if not held.update(unsettled_minor=F("unsettled_minor") - part):
        return False
    source = "expense.dispute" if paid else "refund.in_transit"
    legs: list[Leg] = [Move(source, "receivable.dispute", part)]
    ledger.post(
        book_id=row.buyer_id, book_kind=row.book_kind, kind="dispute_refund", reference=f"dispute-refund:{row.refund_no}",
        story_id=row.order_id, legs=legs, by=provider_actor(lost.provider), at=at,
    )  # fmt: skip
    return not paid and part == row.amount_minor
