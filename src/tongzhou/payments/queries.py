"""Reads of payments."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from tongzhou.payments import providers
from tongzhou.payments.models import Dispute, DisputeStatus, Payment, Refund, RefundStatus
from tongzhou.payments.values import DisputeValue, Notice, PaymentValue


def verify_notice(provider: str, headers: Mapping[str, str], body: bytes) -> Notice:
    """A provider's notification with its signature verified. *Refuses:* ``provider_unknown``, ``notice_forged``."""
    return providers.get(provider).verify(headers, body)


def ask(provider: str, trade_no: str) -> Notice | None:
    """Ask a provider about a payment (network); None while nothing is final."""
    return providers.get(provider).query(trade_no)


def payments_of(order_id: UUID) -> list[PaymentValue]:
    """The payments of an order, oldest first."""
    rows = Payment.objects.filter(order_id=order_id).order_by("created_at", "id")
    return [
        PaymentValue(p.id, p.order_id, p.buyer_id, p.provider, p.amount_minor, p.captured_minor, p.status, p.trade_no)
        for p in rows
    ]


def by_trade_no(trade_no: str) -> PaymentValue | None:
    """A payment by the number the provider knows it by."""
    p = Payment.objects.filter(trade_no=trade_no).first()
    if p is None:
        return None
    return PaymentValue(
        p.id, p.order_id, p.buyer_id, p.provider, p.amount_minor, p.captured_minor, p.status, p.trade_no
    )


def capture_transfers(order_id: UUID) -> list[tuple[UUID, UUID]]:
    """(payment, the transfer that booked its capture), oldest first."""
    rows = Payment.objects.filter(order_id=order_id).exclude(capture_transfer_id=None).order_by("settled_at", "id")
    return [(p, t) for p, t in rows.values_list("id", "capture_transfer_id") if t]


def sums_of(order_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int, int]]:
    """Of each order that was ever paid through a provider: came in, went back, is on its way back."""
    out: dict[UUID, tuple[int, int, int]] = {}
    captures = Payment.objects.filter(order_id__in=order_ids)
    for order, came in captures.values_list("order_id").annotate(n=Sum("captured_minor")):
        out[order] = (came, 0, 0)
    done = Q(status=RefundStatus.SUCCEEDED)
    refunds = (
        Refund.objects.filter(order_id__in=order_ids).exclude(status=RefundStatus.DISPUTED).values_list("order_id")
    )
    for order, back, open_ in refunds.annotate(
        back=Sum("amount_minor", filter=done, default=0), open=Sum("amount_minor", filter=~done, default=0)
    ):
        out[order] = (out.get(order, (0, 0, 0))[0], back, open_)
    return out


def disputes_of(order_ids: Sequence[UUID]) -> dict[UUID, list[DisputeValue]]:
    """The chargebacks of orders, oldest first; orders without one are left out."""
    out: dict[UUID, list[DisputeValue]] = {}
    for row in Dispute.objects.filter(order_id__in=order_ids).order_by("opened_at", "id"):
        out.setdefault(row.order_id, []).append(_dispute(row))
    return out


def disputes(*, status: str = "", limit: int = 50) -> list[DisputeValue]:
    """Chargebacks, newest first; ``status``: OPEN | WON | LOST, empty for all."""
    rows = Dispute.objects.order_by("-opened_at", "-id")
    return [_dispute(row) for row in (rows.filter(status=status) if status else rows)[:limit]]


def open_disputes(most: int = 1000) -> int:
    """How many chargebacks wait for a decision; counting stops at ``most``."""
    return len(Dispute.objects.filter(status=DisputeStatus.OPEN).values_list("id", flat=True)[:most])


def _dispute(row: Dispute) -> DisputeValue:
    return DisputeValue(
        row.id, row.order_id, row.provider, row.dispute_no, row.status, row.amount_minor, row.fee_minor, row.reason,
        row.opened_at, row.settled_at,
    )  # fmt: skip


def dispute_facts(order_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str, int, int, int, int]]]:
    """Of each disputed order: (chargeback, status, taken, fee, still unsettled, refunds it answered for), for proofs."""
    out: dict[UUID, list[tuple[UUID, str, int, int, int, int]]] = {}
    answered = dict(
        Refund.objects.filter(order_id__in=order_ids, status=RefundStatus.DISPUTED)
        .values_list("payment_id")
        .annotate(n=Sum("amount_minor"))
    )
    for row in Dispute.objects.filter(order_id__in=order_ids):
        refunds = answered.get(row.payment_id, 0) if row.status == DisputeStatus.LOST else 0
        out.setdefault(row.order_id, []).append(
            (row.id, row.status, row.amount_minor, row.fee_minor, row.unsettled_minor, refunds)
        )
    return out


def payer_marks(order_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """order → marks of the accounts that paid it, where providers named them."""
    out: dict[UUID, set[str]] = {}
    rows = Payment.objects.filter(order_id__in=order_ids).exclude(payer_mark="")
    for order, mark in rows.values_list("order_id", "payer_mark"):
        out.setdefault(order, set()).add(mark)
    return out


def refunds_of(order_id: UUID) -> "QuerySet[Refund]":
    """The refunds of an order, oldest first."""
    return Refund.objects.filter(order_id=order_id).order_by("created_at", "id")


def refund(refund_id: UUID) -> Refund:
    """One refund with its payment."""
    return Refund.objects.select_related("payment").get(id=refund_id)


def stuck_refunds(limit: int = 50) -> "QuerySet[Refund]":
    """Refunds that failed and wait for a decision."""
    return Refund.objects.filter(status=RefundStatus.FAILED).order_by("created_at")[:limit]


def settled_refunds(order_ids: list[UUID]) -> dict[UUID, list[tuple[str, int, Any]]]:
    """(reference, amount, when) of refunds that reached the buyer, by order."""
    out: dict[UUID, list[tuple[str, int, Any]]] = {}
    rows = Refund.objects.filter(Q(order_id__in=order_ids), status=RefundStatus.SUCCEEDED)
    for order, reference, amount, when in rows.values_list("order_id", "reference", "amount_minor", "settled_at"):
        out.setdefault(order, []).append((reference, amount, when))
    return out
