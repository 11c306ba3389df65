"""Refunds of history: matched to what was bought, at most what was paid."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from tongzhou.kit.actor import Actor
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.models import Transfer
from tongzhou.ledger.values import Move, PostingRequest
from tongzhou.orders.history.values import Document, HistoryImport, Note
from tongzhou.orders.models import Order, OrderLine, RefundRecord

GATEWAY = "gateway.import"


def refund_batch(
    report: HistoryImport, people: Mapping[str, UUID], documents: Sequence[Document], *, by: Actor, at: datetime
) -> list[UUID]:
    """Match and book refunds in the order of time; returns the orders whose lines changed."""
    if not documents:
        return []
    open_lines, orders = _open_lines(people, documents)
    changed: dict[UUID, OrderLine] = {}
    requests: list[tuple[PostingRequest, Order, int]] = []
    for d in documents:
        before = len(requests)
        for order, cash in _match(report, people, d, open_lines, orders, changed).items():
            requests.append((_request(orders[order], d, cash), orders[order], cash))
        report.created += len(requests) > before
        report.refused += len(requests) == before
    _cite(requests, by=by, at=at)
    OrderLine.objects.bulk_create(
        changed.values(),
        batch_size=300,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["refunded_minor", "refunded_quantity", "version"],
    )
    RefundRecord.objects.bulk_create(
        [
            RefundRecord(order_id=o.id, buyer_id=o.buyer_id, reference=r.reference, cash_minor=cash, at=r.effective_at)
            for r, o, cash in requests
        ]
    )
    return [o.id for _r, o, _c in requests]


def _open_lines(
    people: Mapping[str, UUID], documents: Sequence[Document]
) -> tuple[dict[tuple[UUID, str], list[OrderLine]], dict[UUID, Order]]:
    """Every line these buyers could return, oldest first, by (buyer, SKU); and their orders."""
    buyers = {people[d.buyer] for d in documents if d.buyer in people}
    skus = {row.sku for d in documents for row in d.rows}
    rows = OrderLine.objects.filter(buyer_id__in=buyers, sku_code__in=skus, kind="goods").order_by(
        "order__placed_at", "id"
    )
    lines: dict[tuple[UUID, str], list[OrderLine]] = {}
    for line in rows:
        lines.setdefault((line.buyer_id, line.sku_code), []).append(line)
    ids = {line.order_id for group in lines.values() for line in group}
    return lines, {o.id: o for o in Order.objects.filter(id__in=ids)}


def _match(
    report: HistoryImport, people: Mapping[str, UUID], d: Document, lines: Mapping[tuple[UUID, str], list[OrderLine]],
    orders: Mapping[UUID, Order], changed: dict[UUID, OrderLine],
) -> dict[UUID, int]:  # fmt: skip
    """What each earlier order gives back for one refund document."""
    cash: dict[UUID, int] = {}
    for row in d.rows:
        units, left = abs(row.quantity), abs(row.amount_minor)
        if not d.buyer:
            report.unmatched_minor += left
            report.note(
                Note(row.line, "buyer", "", "refund_without_buyer", _("没有买家的退款无法对上订单。"), _("补上买家。"))
            )
            continue
        for line in lines.get((people[d.buyer], row.sku), ()):
            order = orders[line.order_id]
            if units <= 0 or order.placed_at > d.placed_at or (d.refund_of and order.no != d.refund_of):
                continue
            take = min(units, line.quantity - line.refunded_quantity)
            room = line.amount_minor - line.refunded_minor
            if take <= 0:
                continue
            share = min(room, left * take // units if units else 0) if take < units else min(room, left)
            line.refunded_quantity += take
            line.refunded_minor += share
            line.version += 1
            changed[line.id] = line
            units, left = units - take, left - share
            if share:
                cash[line.order_id] = cash.get(line.order_id, 0) + share
        if left or units:
            report.unmatched_minor += left
            report.note(
                Note(
                    row.line,
                    "sku",
                    row.sku,
                    "refund_unmatched",
                    _("对不上更早的购买，或超过了当时付的钱。"),
                    _("核对后手工处理。"),
                )
            )
    report.refunds_minor += sum(cash.values())
    return cash


def _request(order: Order, d: Document, cash: int) -> PostingRequest:
    moves = (Move("revenue.goods", "refund.in_transit", cash), Move("refund.in_transit", GATEWAY, cash))
    return PostingRequest(
        order.buyer_id, "refund", f"refund:{order.id}:{d.no}", order.id, moves, d.placed_at, order.book_kind
    )


def _cite(requests: Sequence[tuple[PostingRequest, Order, int]], *, by: Actor, at: datetime) -> None:
    """Each refund cites its order's capture."""
    found = Transfer.objects.filter(
        book_id__in={r.book_id for r, _o, _c in requests}, story_id__in={o.id for _r, o, _c in requests}, debit=GATEWAY
    )
    captures = dict(found.values_list("story_id", "id"))
    ledger.post_many(
        [
            PostingRequest(
                r.book_id, r.kind, r.reference, r.story_id,
                (Move("revenue.goods", "refund.in_transit", cash, cites=captures[o.id]), r.legs[1]), r.effective_at, r.book_kind,
            )
            for r, o, cash in requests
        ],
        by=by, at=at,
    )  # fmt: skip
