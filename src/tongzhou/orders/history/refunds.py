"""Refunds of history: matched to what was bought, at most what was paid."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from tongzhou.kit.actor import Actor
from tongzhou.kit.models import Claim
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Move, PostingRequest
from tongzhou.orders.history.values import Document, HistoryImport, Note
from tongzhou.orders.models import Order, OrderLine, RefundRecord

GATEWAY = "gateway.import"


def refund_batch(
    report: HistoryImport, people: Mapping[str, UUID], documents: Sequence[Document], *, by: Actor, at: datetime
) -> tuple[list[str], dict[UUID, datetime]]:
    """Match and book refunds in the order of time.

    Returns the numbers of the refunds that were taken, wholly or in part, and when each order last gave back.
    """
    if not documents:
        return [], {}
    open_lines, orders = _open_lines(people, documents)
    changed: dict[UUID, OrderLine] = {}
    requests: list[tuple[PostingRequest, Order, int]] = []
    records: list[RefundRecord] = []
    done: list[str] = []
    when: dict[UUID, datetime] = {}
    for d in documents:
        matched = _match(report, people, d, open_lines, orders, changed)
        if matched:
            done.append(d.no)
        for order_id, items in matched.items():
            order, cash = orders[order_id], sum(item["amount"] for item in items)
            when[order_id] = d.placed_at
            reference = f"refund:{order.id}:{d.no}"
            records.append(
                RefundRecord(order_id=order.id, buyer_id=order.buyer_id, reference=reference, cash_minor=cash,
                             items=items, at=d.placed_at)
            )  # fmt: skip
            report.refunds_minor += cash
            if cash:
                requests.append((_request(order, reference, cash, d.placed_at), order, cash))
    _cite(requests, by=by, at=at)
    OrderLine.objects.bulk_create(
        changed.values(),
        batch_size=300,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["refunded_minor", "refunded_quantity", "version"],
    )
    RefundRecord.objects.bulk_create(records)
    return done, when


def _open_lines(
    people: Mapping[str, UUID], documents: Sequence[Document]
) -> tuple[dict[tuple[UUID, str], list[OrderLine]], dict[UUID, Order]]:
    """Every imported line these buyers could return, oldest first, by (buyer, SKU); and their orders.

    The mall's own orders are refunded in the mall, where their payments are.
    """
    buyers = {people[d.buyer] for d in documents if d.buyer in people}
    skus = {row.sku for d in documents for row in d.rows}
    rows = OrderLine.objects.filter(buyer_id__in=buyers, sku_code__in=skus, kind="goods").order_by(
        "order__placed_at", "id"
    )
    lines: dict[tuple[UUID, str], list[OrderLine]] = {}
    for line in rows:
        lines.setdefault((line.buyer_id, line.sku_code), []).append(line)
    ids = {line.order_id for group in lines.values() for line in group}
    orders = {o.id: o for o in Order.objects.filter(id__in=ids)}
    imported = set(
        Claim.objects.filter(value__in=[f"import:{o.no}" for o in orders.values()]).values_list("value", flat=True)
    )
    own = {o.id for o in orders.values() if f"import:{o.no}" not in imported}
    if own:
        lines = {key: [x for x in group if x.order_id not in own] for key, group in lines.items()}
    return lines, orders


def _match(
    report: HistoryImport, people: Mapping[str, UUID], d: Document, lines: Mapping[tuple[UUID, str], list[OrderLine]],
    orders: Mapping[UUID, Order], changed: dict[UUID, OrderLine],
) -> dict[UUID, list[dict[str, Any]]]:  # fmt: skip
    """What each earlier order gives back for one refund document, line by line; zero where only goods came back."""
    given: dict[UUID, list[dict[str, Any]]] = {}
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
            share = min(room, left if take == units else left * take // units)
            line.refunded_quantity += take
            line.refunded_minor += share
            line.version += 1
            changed[line.id] = line
            units, left = units - take, left - share
            given.setdefault(line.order_id, []).append({"line": str(line.id), "quantity": take, "amount": share})
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
    return given


def _request(order: Order, reference: str, cash: int, at: datetime) -> PostingRequest:
    moves = (Move("revenue.goods", "refund.in_transit", cash), Move("refund.in_transit", GATEWAY, cash))
    return PostingRequest(order.buyer_id, "refund", reference, order.id, moves, at, order.book_kind)


def _cite(requests: Sequence[tuple[PostingRequest, Order, int]], *, by: Actor, at: datetime) -> None:
    """Each refund cites its order's capture."""
    captures = books.first_debits({r.book_id for r, _o, _c in requests}, {o.id for _r, o, _c in requests}, GATEWAY)
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
