"""The verbs of after-sale. A buyer is never refused because somebody earned from the order."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.aftersale.models import MOVES, OPEN, Case, CaseLine, Kind, Status
from tongzhou.aftersale.rules import right_of_return, worth
from tongzhou.catalog import commands as catalog
from tongzhou.kit import audit, clock, idempotency, selects, sheets
from tongzhou.kit.actor import SYSTEM, Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import format_minor, largest_remainder
from tongzhou.kit.refusals import Kind as No
from tongzhou.kit.refusals import Refusal, conflict, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem

if TYPE_CHECKING:
    from tongzhou.orders.models import OrderLine

log = logging.getLogger("tongzhou.aftersale")
REASONS = ("no_reason", "damaged", "wrong_goods", "quality", "not_as_described", "late", "other")
ANSWER_WITHIN = timedelta(hours=48)
SEND_WITHIN = timedelta(days=7)


@transaction.atomic
def open_case(
    *, order_id: UUID, buyer_id: UUID, units: Mapping[UUID, int], reason: str, at: datetime, note: str = "",
    amount_minor: int | None = None,
) -> UUID:  # fmt: skip
    """Ask for money back: for units not shipped yet (refunded at once) or received (return or refund).

    ``amount_minor`` asks for less than the units are worth; units stay with the buyer then.
    *Refuses:* ``order_not_found``, ``reason_unknown``, ``nothing_chosen``, ``line_not_found``,
    ``charged_back``, ``refund_exceeds_line``, ``return_not_possible`` naming why, ``case_open`` (one open case a
    line).
    """
    order = sold.order_by_id(order_id)
    if order.buyer_id != buyer_id:
        raise not_found(_("没有这个订单。"), code="order_not_found")
    if reason not in REASONS:
        raise invalid("reason_unknown", _("请选一个原因。"), field="reason", value=reason, rule=", ".join(REASONS))
    chosen = {line: n for line, n in units.items() if n > 0}
    if not chosen:
        raise invalid("nothing_chosen", _("请选要退的商品。"), field="units")
    lines = {line.id: line for line in sold.lines_of([order_id])[order_id] if line.kind == "goods"}
    rows = [_case_line(lines.get(i), n, reason, at) for i, n in chosen.items()]
    if open_line_ids(list(chosen)):
        raise conflict("case_open", _("这件商品已经有一个售后在处理。"), field="units", fix=_("先等那一个有结果。"))
    shipped = any(lines[i].shipped_quantity for i in chosen)
    total = sum(r.amount_minor for r in rows)
    if amount_minor is not None and not 0 < amount_minor <= total:
        raise invalid(
            "refund_exceeds_line", _("要退的金额超过了商品的价值。"), field="amount", value=amount_minor, rule=total
        )
    partial = amount_minor is not None and amount_minor < total
    case = Case(
        id=new_id(), no=_number(at, buyer_id), order_id=order_id, order_no=order.no, buyer_id=buyer_id, reason=reason,
        kind=Kind.RETURN if shipped and not partial else Kind.REFUND_ONLY, note=note.strip()[:400], opened_at=at,
        amount_minor=amount_minor if amount_minor is not None else total,
    )  # fmt: skip
    if partial:
        _scale(rows, case.amount_minor)
    Case.objects.bulk_create([case])
    for row in rows:
        row.case_id = case.id
        row.buyer_id = buyer_id
    CaseLine.objects.bulk_create(rows)
    if not shipped and not partial:  # less money leaves the units with the buyer: a person decides
        _refund(case, rows, restock=True, by=SYSTEM, at=at)
    return case.id


def grant(
    *, key: str, order_id: UUID, line_id: UUID, units: int, amount_minor: int | None, reason: str, answer: str,
    by: Actor, at: datetime, sound: bool = True,
) -> str:  # fmt: skip
    """Give money back without being asked: units of a line, any amount (minor units) up to what is left of it, or both.

    Without an amount the units' worth goes back; without units the goods stay with the buyer, unless everything
    left of a line is given back: what was not sent of it is cancelled then. ``answer`` is what the buyer reads; ``sound`` =
    returned units go back on the shelf. The same ``key`` again changes nothing. Returns the case's number.
    *Refuses:* ``order_not_found``, ``own_order``, ``reason_unknown``, ``answer_missing``, ``nothing_chosen``,
    ``line_not_found``, ``refund_exceeds_line``, ``return_not_possible`` (units on their way), ``case_open``,
    ``order_not_paid``, ``idempotency_key_reused``.
    """
    body = [order_id, line_id, units, amount_minor, reason, answer.strip(), sound]
    done, _repeated = idempotency.once(
        "case.grant", key, body, at=at, owner_id=by.id,
        run=lambda: {"no": _grant(order_id, line_id, units, amount_minor, reason, answer.strip(), by, at, sound)},
    )  # fmt: skip
    return str(done["no"])


def _grant(
    order_id: UUID, line_id: UUID, units: int, amount: int | None, reason: str, answer: str, by: Actor, at: datetime,
    sound: bool,
) -> str:  # fmt: skip
    order = sold.order_by_id(order_id)
    if by.id == order.buyer_id:
        raise Refusal(
            "own_order", _("这是你自己的订单，要别人来退。"), kind=No.FORBIDDEN, field="order", value=order.no
        )
    if reason not in REASONS:
        raise invalid("reason_unknown", _("请选一个原因。"), field="reason", value=reason, rule=", ".join(REASONS))
    if len(answer) < 4:
        raise invalid("answer_missing", _("请写明为什么退。"), field="answer", value=answer, rule=_("至少 4 个字"))
    line = next((x for x in sold.lines_of([order_id])[order_id] if x.id == line_id and x.kind == "goods"), None)
    row = _granted_line(line, units, amount)
    if open_line_ids([line_id]):
        raise conflict("case_open", _("这件商品已经有一个售后在处理。"), field="line", fix=_("先答复那一个。"))
    case = Case(
        id=new_id(), no=_number(at, order.buyer_id), order_id=order_id, order_no=order.no, buyer_id=order.buyer_id,
        kind=Kind.REFUND_ONLY, reason=reason, opened_at=at, amount_minor=row.amount_minor, answer=answer[:400],
        answered_by=str(by)[:80], answered_at=at,
    )  # fmt: skip
    Case.objects.bulk_create([case])
    row.case_id, row.buyer_id = case.id, order.buyer_id
    CaseLine.objects.bulk_create([row])
    _refund(case, [row], restock=sound, by=by, at=at)
    audit.record(
        by=by, action="case.granted", subject_kind="case", subject_id=case.no, at=at, units=row.quantity,
        amount_minor=row.amount_minor, reason=reason, answer=answer[:200],
    )  # fmt: skip
    return case.no


def _granted_line(line: "OrderLine | None", units: int, amount: int | None) -> CaseLine:
    """The units and the money of a grant, as the line stands."""
    if line is None:
        raise invalid("line_not_found", _("订单里没有这一行。"), field="line")
    units_left, money_left = line.quantity - line.refunded_quantity, line.amount_minor - line.refunded_minor
    if units < 0 or (not units and amount is None):
        raise invalid("nothing_chosen", _("请写件数或金额。"), field="amount")
    if units > units_left:
        raise conflict(
            "refund_exceeds_line", _("要退的数量超过了剩下的。"), field="units", value=units, rule=units_left
        )
    if units and line.shipped_quantity and line.delivered_at is None:
        raise conflict("return_not_possible", _("商品还在路上，件数要等收到后再退；现在可以只退金额。"), field="units",
                       value="on_the_way")  # fmt: skip
    if amount is None:
        amount = worth(
            amount_minor=line.amount_minor, refunded_minor=line.refunded_minor, quantity=line.quantity,
            refunded_quantity=line.refunded_quantity, units=units,
        )  # fmt: skip
    if not 0 < amount <= money_left:
        raise conflict(
            "refund_exceeds_line", _("要退的金额超过了剩下的。") if amount > 0 else _("没有可退的金额。"), field="amount",
            value=format_minor(amount, settings.CURRENCY), rule=f"≤ {format_minor(money_left, settings.CURRENCY)}",
        )  # fmt: skip
    if amount == money_left and line.delivered_at is None:
        units = max(units, units_left - line.shipped_quantity)  # what was not sent stays on the shelf
    return CaseLine(line_id=line.id, quantity=units, amount_minor=amount)


def _number(at: datetime, buyer_id: UUID) -> str:
    while True:
        no = f"AS{clock.mall_day(at):%y%m%d}{secrets.randbelow(10**6):06d}"
        if idempotency.take(f"case:{no}", at=at, owner_id=buyer_id):
            return no


def _case_line(line: "OrderLine | None", units: int, reason: str, at: datetime) -> CaseLine:
    if line is None:
        raise invalid("line_not_found", _("订单里没有这一行。"), field="units")
    if line.disputed == "lost":
        raise conflict("charged_back", _("银行已经把这笔付款退给你了，不能再申请退款。"), field="units", value=units)
    left = line.quantity - line.refunded_quantity
    if units > left:
        raise conflict("refund_exceeds_line", _("要退的数量超过了剩下的。"), field="units", value=units, rule=left)
    if line.shipped_quantity and line.delivered_at is None:
        raise conflict("return_not_possible", _("商品还在路上，收到后再申请。"), field="units", value="on_the_way")
    if line.delivered_at is not None and reason == "no_reason":
        right = right_of_return(
            delivered_at=line.delivered_at, return_policy=line.return_policy, units_left=left, at=at,
            zone=clock.mall_zone(),
        )  # fmt: skip
        if not right.open:
            said = {
                "over": _("七日无理由退货的期限已过；质量问题仍可申请。"),
                "excepted": _("这件商品不适用七日无理由退货；质量问题仍可申请。"),
            }.get(right.state, _("这件商品现在不能退。"))
            raise Refusal("return_not_possible", said, kind=No.CONFLICT, field="units", value=right.state)
    amount = worth(
        amount_minor=line.amount_minor, refunded_minor=line.refunded_minor, quantity=line.quantity,
        refunded_quantity=line.refunded_quantity, units=units,
    )  # fmt: skip
    return CaseLine(line_id=line.id, quantity=units, amount_minor=amount)


def _scale(rows: list[CaseLine], total: int) -> None:
    """A smaller sum over the chosen lines, by largest remainder; no units come back."""
    parts = largest_remainder(total, [row.amount_minor for row in rows])
    for row, part in zip(rows, parts, strict=True):
        row.amount_minor, row.quantity = part, 0


def open_line_ids(line_ids: list[UUID]) -> set[UUID]:
    """Which of these lines have an open case."""
    want, params = sheets.table("w", {"line_id": ("uuid", line_ids)})
    statement = (
        "SELECT l.line_id FROM aftersale_case_line l JOIN aftersale_case c ON c.id = l.case_id"  # noqa: S608
        f" WHERE l.line_id IN (SELECT w.line_id FROM {want}) AND c.status IN ({', '.join(['%s'] * len(OPEN))})"
    )
    return {selects.id_of(row[0]) for row in selects.fetch(statement, [*params, *OPEN])}


def _get(case_id: UUID) -> Case:
    case = Case.objects.filter(id=case_id).first()
    if case is None:
        raise not_found(_("没有这个售后。"), code="case_not_found")
    return case


def _move(case: Case, to: Status, **changes: Any) -> None:
    if not move(Case.objects.filter(id=case.id), to, moves=MOVES, **changes):
        raise conflict("state_moved_on", _("这个售后刚刚有了变化，请刷新后再看。"), field="case", value=case.no)


def _refund(case: Case, rows: list[CaseLine], *, restock: bool, by: Actor, at: datetime) -> None:
    """Carry the money out through orders, once per case, and put sound units back on the shelf.

    Lines whose money went back another way meanwhile are passed over, as long as one is left.
    """
    lines = sold.lines_by_id([r.line_id for r in rows])
    rows = [r for r in rows if not _settled(lines[r.line_id])] or rows
    _move(case, Status.REFUNDED, refunded_at=at, ended_at=at)
    orders.refund(
        order_id=case.order_id, reference=f"case:{case.no}", by=by, at=at, reason=case.reason,
        items=[RefundItem(r.line_id, r.quantity, r.amount_minor) for r in rows],
    )  # fmt: skip
    if restock:
        back = [(sku, r.quantity) for r in rows if r.quantity and (sku := lines[r.line_id].sku_id)]
        if back:
            catalog.restock(quantities=back, reason=f"case:{case.no}", by=by, at=at, order_id=case.order_id)


@transaction.atomic
def withdraw(*, case_id: UUID, buyer_id: UUID, at: datetime) -> None:
    """The buyer thinks better of it; may ask again later. *Refuses:* ``case_not_found``, ``state_moved_on``."""
    case = _get(case_id)
    if case.buyer_id != buyer_id:
        raise not_found(_("没有这个售后。"), code="case_not_found")
    _move(case, Status.WITHDRAWN, ended_at=at)


@transaction.atomic
def approve(*, case_id: UUID, by: Actor, at: datetime, answer: str = "") -> None:
    """Agree: money-only cases are refunded now, returns wait for the parcel. *Refuses:* ``state_moved_on``."""
    case = _get(case_id)
    _move(case, Status.APPROVED, answer=answer.strip()[:400], answered_by=str(by)[:80], answered_at=at)
    audit.record(by=by, action="case.approve", subject_kind="case", subject_id=case.no, at=at)
    if case.kind == Kind.REFUND_ONLY:
        _refund(case, list(CaseLine.objects.filter(case_id=case.id)), restock=False, by=by, at=at)


@transaction.atomic
def reject(*, case_id: UUID, answer: str, by: Actor, at: datetime) -> None:
    """Say no in writing; the buyer may open another case. *Refuses:* ``answer_missing``, ``state_moved_on``."""
    if len(answer.strip()) < 4:
        raise invalid("answer_missing", _("请写明不同意的理由。"), field="answer", value=answer, rule=_("至少 4 个字"))
    case = _get(case_id)
    _move(case, Status.REJECTED, answer=answer.strip()[:400], answered_by=str(by)[:80], answered_at=at, ended_at=at)
    audit.record(by=by, action="case.reject", subject_kind="case", subject_id=case.no, at=at, answer=answer[:200])


@transaction.atomic
def send_back(*, case_id: UUID, buyer_id: UUID, carrier: str, tracking_no: str, at: datetime) -> None:
    """The buyer hands the return to a carrier. *Refuses:* ``case_not_found``, ``tracking_invalid``, ``state_moved_on``."""
    case = _get(case_id)
    if case.buyer_id != buyer_id:
        raise not_found(_("没有这个售后。"), code="case_not_found")
    number = tracking_no.strip().upper()
    if not 6 <= len(number) <= 32 or not number.replace("-", "").isalnum():
        raise invalid("tracking_invalid", _("运单号看起来不对。"), field="tracking_no", value=tracking_no)
    _move(case, Status.RETURNING, carrier=carrier.strip()[:40], tracking_no=number, sent_at=at)


@transaction.atomic
def receive_back(*, case_id: UUID, by: Actor, at: datetime, sound: bool = True) -> None:
    """The return has arrived and was looked at: the money goes back; sound goods go back on the shelf.

    *Refuses:* ``case_not_found``, ``state_moved_on``.
    """
    case = _get(case_id)
    if case.status not in (Status.APPROVED, Status.RETURNING):
        raise conflict("state_moved_on", _("这个售后刚刚有了变化，请刷新后再看。"), field="case", value=case.no)
    _refund(case, list(CaseLine.objects.filter(case_id=case.id)), restock=sound, by=by, at=at)
    audit.record(by=by, action="case.received", subject_kind="case", subject_id=case.no, at=at, sound=sound)


@transaction.atomic
def money_back(*, reference: str, at: datetime) -> None:
    """A refund reached the buyer: the case shows it."""
    if reference.startswith("case:"):
        Case.objects.filter(no=reference.removeprefix("case:"), money_back_at=None).update(money_back_at=at)


@transaction.atomic
def close_settled(*, line_ids: Sequence[UUID], at: datetime) -> int:
    """End open cases with nothing left to ask: the money of each of their lines is gone back (refunded whole, or charged back).

    A case that asks about another line too goes on.
    """
    rows = CaseLine.objects.filter(line_id__in=line_ids, case__status__in=OPEN)
    asked: dict[UUID, list[UUID]] = {}
    for case_id, line_id in CaseLine.objects.filter(case_id__in=rows.values("case_id")).values_list(
        "case_id", "line_id"
    ):
        asked.setdefault(case_id, []).append(line_id)
    lines = sold.lines_by_id([i for ids in asked.values() for i in ids])
    over = [case_id for case_id, ids in asked.items() if all(_settled(lines[i]) for i in ids)]
    return move(
        Case.objects.filter(id__in=over),
        Status.WITHDRAWN,
        moves=MOVES,
        ended_at=at,
        answer=str(_("钱已经全部退回，这个售后不用再处理。")),
    )


def _settled(line: "OrderLine") -> bool:
    return line.disputed == "lost" or (
        line.refunded_quantity >= line.quantity or line.refunded_minor >= line.amount_minor > 0
    )


def time_out(*, at: datetime) -> tuple[int, int]:
    """Silence decides: 48 hours of the mall's approve, 7 days of the buyer's withdraw. Returns how many of each."""
    waiting = Case.objects.filter(status=Status.REQUESTED, opened_at__lte=at - ANSWER_WITHIN)
    approved = list(waiting.values_list("id", flat=True)[:200])
    done = 0
    for case_id in approved:
        try:
            approve(case_id=case_id, by=SYSTEM, at=at, answer="48 h")
            done += 1
        except Refusal as refusal:  # one case that cannot move holds up no other
            log.warning("case not approved by time: %s", refusal.code, extra={"case": str(case_id)})
    silent = Case.objects.filter(status=Status.APPROVED, answered_at__lte=at - SEND_WITHIN)
    return done, move(silent, Status.WITHDRAWN, moves=MOVES, ended_at=at)
