"""The verbs of payments. Providers are called only outside transactions (:func:`send_refund`, :func:`ask`)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import inserts, outbox, selects
from tongzhou.kit.actor import Actor
from tongzhou.kit.actor import provider as provider_actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import conflict, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.kit.transactions import command
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Move
from tongzhou.payments import providers
from tongzhou.payments.disputes import dispute_lost, refund_after_loss, take_dispute, waits_for_dispute
from tongzhou.payments.events import RefundRequested, RefundSettled
from tongzhou.payments.models import MOVES, REFUND_MOVES, Payment, Refund, RefundStatus, Status
from tongzhou.payments.values import Capture, Notice, PaymentStart, RefundOutcome

__all__ = ["dispute_lost", "take_dispute"]


@command()
def open_payment(
    *, order_id: UUID, buyer_id: UUID, order_no: str, amount_minor: int, provider: str, return_url: str, at: datetime
) -> PaymentStart:  # fmt: skip
    """Open a payment of an order at a provider; an open one of the same order, provider and amount is reused.

    No network: the buyer is sent to a signed address. *Refuses:* ``provider_unknown``,
    ``amount_not_positive``.
    """
    counterparty = providers.get(provider)
    if amount_minor <= 0:
        raise invalid("amount_not_positive", _("没有需要付的金额。"), field="amount", value=amount_minor)
    payment_id, trade_no = _opened(order_id, buyer_id, provider, amount_minor, at)
    url = counterparty.redirect_url(
        trade_no=trade_no, amount_minor=amount_minor, currency=settings.CURRENCY, return_url=return_url,
        subject=order_no,
    )  # fmt: skip
    return PaymentStart(payment_id, trade_no, url)


def _opened(order_id: UUID, buyer_id: UUID, provider: str, amount_minor: int, at: datetime) -> tuple[UUID, str]:
    """A new payment, or the open one there is: one statement, and one payment however many ask at once."""
    identity = new_id()
    row = Payment(
        id=identity, order_id=order_id, buyer_id=buyer_id, provider=provider, trade_no=f"P{identity.hex}",
        amount_minor=amount_minor, created_at=at,
    )  # fmt: skip
    given = inserts.values(row)
    statement = (
        f"INSERT INTO payments_payment ({inserts.columns(Payment)}) VALUES ({', '.join(['%s'] * len(given))})"  # noqa: S608
        " ON CONFLICT (order_id, provider, amount_minor) WHERE status = 'CREATED'"
        " DO UPDATE SET amount_minor = excluded.amount_minor RETURNING id, trade_no"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        found, trade_no = cursor.fetchone()
    return found if isinstance(found, UUID) else UUID(found), trade_no


@command()
def capture(notice: Notice, *, at: datetime) -> Capture:
    """Take a verified notice in: whatever really came in is on the payment, once.

    Called inside ``orders.commands.settle``, which books it. *Refuses:* ``trade_unknown``,
    ``currency_mismatch``. A repeat, an old failure after a success, or the provider's answer to a
    query for what is known changes nothing and says ``repeated``.
    """
    taken = _succeed(notice, at)
    if taken is not None:
        return taken
    rows = Payment.objects.filter(trade_no=notice.trade_no, provider=notice.provider)
    row = (rows.select_for_update() if connection.vendor == "postgresql" else rows).first()
    if row is None:
        raise not_found(_("没有这笔付款。"), code="trade_unknown")
    if notice.currency != settings.CURRENCY:
        raise invalid(
            "currency_mismatch", _("付款的货币不对。"), field="currency", value=notice.currency, rule=settings.CURRENCY
        )
    nothing = Capture(row.id, row.order_id, row.buyer_id, row.provider, 0, row.amount_minor, repeated=True)
    if notice.outcome != "succeeded":
        move(Payment.objects.filter(id=row.id), Status.FAILED, moves=MOVES, settled_at=at)
        return nothing
    if notice.amount_minor <= 0:
        raise invalid("amount_not_positive", _("付款金额不对。"), field="amount", value=notice.amount_minor)
    return nothing


def _succeed(notice: Notice, at: datetime) -> Capture | None:
    """The usual case in one statement: a payment that had not succeeded does now, by conditional UPDATE.

    The transfer that will book it is named here, so that refunds can cite it; None when there is nothing to take.
    """
    if notice.outcome != "succeeded" or notice.currency != settings.CURRENCY or notice.amount_minor <= 0:
        return None
    origins = [origin for origin, targets in MOVES.items() if Status.SUCCEEDED in targets]
    transfer = new_id()
    with connection.cursor() as cursor:
        cursor.execute(
            _SUCCEED.format(marks=", ".join(["%s"] * len(origins))),
            [Status.SUCCEEDED, notice.amount_minor, notice.provider_txn[:64], selects.value(at),
             selects.value(transfer), _payer_mark(notice), notice.trade_no, notice.provider, *origins],
        )  # fmt: skip
        row = cursor.fetchone()
    if row is None:
        return None
    payment, order, buyer = (v if isinstance(v, UUID) else UUID(v) for v in row[:3])
    return Capture(
        payment, order, buyer, notice.provider, notice.amount_minor, row[3], repeated=False, transfer_id=transfer
    )


_SUCCEED = (
    "UPDATE payments_payment SET status = %s, captured_minor = %s, provider_txn = %s, settled_at = %s,"
    " capture_transfer_id = %s, payer_mark = %s WHERE trade_no = %s AND provider = %s AND status IN ({marks})"
    " RETURNING id, order_id, buyer_id, amount_minor"
)


def _payer_mark(notice: Notice) -> str:
    """The paying account as a keyed hash; empty where the provider does not name it."""
    if not notice.payer:
        return ""
    return salted_hmac("tongzhou.payer", f"{notice.provider}|{notice.payer}", algorithm="sha256").hexdigest()


@command()
def request_refund(
    *, order_id: UUID, buyer_id: UUID, amount_minor: int, reference: str, at: datetime, book_kind: str = "member",
    payment_id: UUID | None = None, reason: str = "",
) -> list[UUID]:  # fmt: skip
    """Send ``amount_minor`` back to where it came from, the oldest capture first (or one payment's own).

    The caller has booked it into ``refund.in_transit``. The same reference again sends nothing more.
    *Refuses:* ``refund_exceeds_captures``.
    """
    rows = Payment.objects.filter(order_id=order_id, status=Status.SUCCEEDED).order_by("settled_at", "id")
    if payment_id:
        rows = rows.filter(id=payment_id)
    have = Refund.objects.filter(order_id=order_id, reference=reference)
    if have.exists():
        return list(have.values_list("id", flat=True))
    left, refunds = amount_minor, []
    for row in rows:
        part = min(left, row.captured_minor - row.refunded_minor)
        if part <= 0:
            continue
        taken = Payment.objects.filter(id=row.id, captured_minor__gte=F("refunded_minor") + part)
        if not taken.update(refunded_minor=F("refunded_minor") + part):
            raise conflict("state_moved_on", _("这笔付款刚刚又退了一笔，请重试。"), retryable=True)
        identity = new_id()
        refunds.append(
            Refund(
                id=identity, payment_id=row.id, order_id=order_id, buyer_id=buyer_id, refund_no=f"R{identity.hex}",
                reference=reference[:100], amount_minor=part, created_at=at, book_kind=book_kind, reason=reason[:200],
            )
        )  # fmt: skip
        left -= part
        if not left:
            break
    if left:
        raise conflict("refund_exceeds_captures", _("退款超过了收到的钱。"), field="amount", value=amount_minor)
    Refund.objects.bulk_create(refunds)
    outbox.publish(*[RefundRequested(r.id) for r in refunds], at=at)
    return [r.id for r in refunds]


def send_refund(refund_id: UUID, at: datetime) -> None:
    """Send one refund to its provider, outside any transaction, and record the answer.

    Before anything is sent again the provider is asked what it knows of the number, so a crash after
    the call repeats nothing. While the payer's bank disputes the payment nothing new is sent: the refund waits.
    """
    row = Refund.objects.select_related("payment").get(id=refund_id)
    if row.status not in (RefundStatus.REQUESTED, RefundStatus.SENT):
        return
    counterparty = providers.get(row.payment.provider)
    if row.status == RefundStatus.REQUESTED and not _take_up(row):
        return
    known = counterparty.query_refund(row.refund_no) if row.status == RefundStatus.SENT else None
    if known is None:
        known = counterparty.refund(
            trade_no=row.payment.trade_no, refund_no=row.refund_no, amount_minor=row.amount_minor
        )
    record_refund(row.id, known, at=at)


@transaction.atomic
def _take_up(row: Refund) -> bool:
    """Mark a refund as sent before it is; False when a chargeback has it wait, or answered it a moment ago."""
    hold(row.order_id)
    if waits_for_dispute(row.payment_id):
        return False
    return bool(move(Refund.objects.filter(id=row.id), RefundStatus.SENT, moves=REFUND_MOVES))


@transaction.atomic
def record_refund(refund_id: UUID, outcome: RefundOutcome, *, at: datetime) -> None:
    """Book a refund's end: success empties ``refund.in_transit``; failure waits for a person, nothing is lost."""
    row = Refund.objects.select_related("payment").get(id=refund_id)
    hold(row.order_id)  # a chargeback of the payment that ends at this moment sees the refund before its end or after
    if outcome.status == "failed":
        failed = move(
            Refund.objects.filter(id=row.id), RefundStatus.FAILED, moves=REFUND_MOVES, reason=outcome.reason[:200]
        )
        if failed and refund_after_loss(refund_id=row.id, paid=False, at=at):
            move(Refund.objects.filter(id=row.id), RefundStatus.DISPUTED, moves=REFUND_MOVES, settled_at=at)
        return
    if outcome.status != "succeeded":
        return
    if not move(Refund.objects.filter(id=row.id), RefundStatus.SUCCEEDED, moves=REFUND_MOVES, settled_at=at):
        return
    ledger.post(
        book_id=row.buyer_id, book_kind=row.book_kind, kind="refund_paid", reference=f"refund-paid:{row.refund_no}",
        story_id=row.order_id, legs=[Move("refund.in_transit", f"gateway.{row.payment.provider}", row.amount_minor)],
        by=provider_actor(row.payment.provider), at=at,
    )  # fmt: skip
    refund_after_loss(refund_id=row.id, paid=True, at=at)
    outbox.publish(RefundSettled(row.order_id, row.buyer_id, row.reference, row.amount_minor, at), at=at)


@transaction.atomic
def retry_refund(*, refund_id: UUID, by: Actor, at: datetime) -> None:
    """Try a failed refund again under its own number. *Refuses:* ``state_moved_on``; ``refund_disputed`` while
    the payer's bank has the money."""
    held = Refund.objects.filter(id=refund_id).values_list("payment_id", flat=True).first()
    if held and waits_for_dispute(held):
        raise conflict("refund_disputed", _("这笔付款正在被拒付，银行已经拿走了钱；等结果出来。"))
    if not move(Refund.objects.filter(id=refund_id), RefundStatus.REQUESTED, moves=REFUND_MOVES):
        raise conflict("state_moved_on", _("这笔退款不在失败状态。"))
    outbox.publish(RefundRequested(refund_id), at=at)


def hold(order_id: UUID) -> None:
    """Lock an order's payments until the caller's transaction ends, before the order itself.

    A notice holds its payment and then its order; whoever takes both in the other order could wait for it in
    a circle.
    """
    if connection.vendor == "postgresql":
        rows = Payment.objects.filter(order_id=order_id).order_by("id").select_for_update()
        list(rows.values_list("id", flat=True))


@transaction.atomic
def close(*, order_ids: list[UUID], at: datetime) -> int:
    """Close the open payments of orders that ended unpaid; money that still comes is settled by rule."""
    return move(Payment.objects.filter(order_id__in=order_ids), Status.CLOSED, moves=MOVES)


def pending(at: datetime, *, older: timedelta = timedelta(minutes=3), limit: int = 50) -> list[tuple[str, str]]:
    """(provider, trade_no) of payments open for a while and not asked about lately; marks them asked."""
    due = Payment.objects.filter(
        status=Status.CREATED, created_at__lt=at - older, created_at__gt=at - timedelta(days=1)
    )
    due = due.exclude(asked_at__gt=at - older)
    rows = list(due.order_by("created_at").values_list("id", "provider", "trade_no")[:limit])
    Payment.objects.filter(id__in=[r[0] for r in rows]).update(asked_at=at)
    return [(p, t) for _id, p, t in rows]


def requested_refunds(limit: int = 200) -> list[UUID]:
    """Refunds that were booked and not sent yet; the demo's story settles them itself."""
    rows = Refund.objects.filter(status=RefundStatus.REQUESTED).order_by("created_at")
    return list(rows.values_list("id", flat=True)[:limit])


def open_refunds(at: datetime, *, limit: int = 50) -> list[UUID]:
    """Refunds that were sent and have no end yet."""
    rows = Refund.objects.filter(status=RefundStatus.SENT, created_at__lt=at - timedelta(minutes=1))
    return list(rows.order_by("created_at").values_list("id", flat=True)[:limit])
