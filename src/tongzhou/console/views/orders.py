"""Orders: the list, one whole order with its money, and parcels one by one or by the sheet."""

from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.aftersale import queries as cases
from tongzhou.console import actions, forms, http, money, shipping, texts
from tongzhou.design.templatetags.shop_tags import loc
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.fulfilment import queries as parcels
from tongzhou.kit import audit, clock
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import commands as selling
from tongzhou.orders import queries as orders
from tongzhou.payments import queries as payments
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared

if TYPE_CHECKING:
    from tongzhou.orders.models import Order

MOST_SHEET = 200_000  # bytes of a sheet of parcels


@http.door("orders")
def listing(request: HttpRequest) -> HttpResponse:
    """Orders: those to ship first, the oldest at the top; every condition is in the address."""
    at, query = clock.now(), request.GET.get("q", "").strip()
    view = request.GET.get("view", "" if query or request.GET.get("sharer") or request.GET.get("buyer") else "paid")
    since, until = forms.days(request)
    asked: dict[str, Any] = {
        f"{who}_id": forms.identity(request.GET[who]) for who in ("buyer", "sharer") if request.GET.get(who)
    }
    number = query
    if query and not query.upper().startswith("TZ"):
        card = members.by_phone(query)
        number, asked = ("", {**asked, "buyer_id": card.id}) if card else (query, asked)
    rows = orders.console_list(
        view="" if view == "all" else view, query=number, since=since, until=until, at=at,
        before=forms.before(request), limit=forms.PAGE + 1, **asked,
    )  # fmt: skip
    more, rows = len(rows) > forms.PAGE, rows[: forms.PAGE]
    names = members.cards(
        [r.buyer_id for r in rows] + [r.sharer_id for r in rows if r.sharer_id] + list(asked.values())
    )
    lines = orders.lines_of([r.id for r in rows])
    table = [(r, names.get(r.buyer_id), names.get(r.sharer_id) if r.sharer_id else None, lines[r.id],
              r.paid_at + orders.PROMISE if r.paid_at and r.status == "PAID" else None) for r in rows]  # fmt: skip
    context = {"rows": table, "view": view, "q": query, "more": rows[-1].id if more else None, "at": at,
               "counts": orders.view_counts(at), "can_ship": http.may(request, http.DESK),
               "chosen": {who: names.get(v) for who, v in asked.items()}}  # fmt: skip
    return http.page(request, "orders", context)


@http.door("orders", act=http.DESK)
def ship(request: HttpRequest) -> HttpResponse:
    """Many parcels at once: a sheet is pasted or uploaded, looked at line by line, then sent off."""
    sheet, refusal, rows = "\n".join(f"{no},," for no in request.GET.getlist("no")[: forms.PAGE]), None, []
    sent = False
    if request.method == "POST":
        sheet = request.POST.get("sheet", "")
        try:
            upload = request.FILES.get("file")
            if upload is not None:
                if (upload.size or 0) > MOST_SHEET:
                    raise invalid("file_too_large", _("文件太大。"), field="sheet", value=upload.size, rule="200 KB")
                sheet = upload.read().decode("utf-8-sig", "replace")
            sent = "go" in request.POST and upload is None
            read = shipping.read(sheet)
            rows = shipping.send(read, by=http.actor(request), at=clock.now()) if sent else shipping.preview(read)
        except Refusal as caught:
            refusal, sent = caught, False
    buyers = members.cards([r.order.buyer_id for r in rows if r.order])
    good = [r for r in rows if r.refusal is None]
    context = {
        "sheet": sheet, "refusal": refusal, "sent": sent, "carriers": parcels.search(limit=10),
        "good": [(r, buyers.get(r.order.buyer_id)) for r in good if r.order],
        "bad": [(r, forms.faults(r.refusal)[0]) for r in rows if r.refusal],
        "units": sum(r.units for r in good), "shared": sum(1 for r in good if r.order and r.order.sharer_id),
    }  # fmt: skip
    return http.page(request, "orders_ship", context, status=http.refused(refusal))


@http.door("orders", act=http.DESK)
def detail(request: HttpRequest, no: str) -> HttpResponse:
    """One order, whole; ship it, receive it for the buyer, or end it from here."""
    row, refusal = orders.order(no), None
    if request.method == "POST":
        try:
            messages.success(request, _act(request, row), extra_tags="trust")
            return HttpResponseRedirect(f"/console/orders/{no}")
        except Refusal as caught:
            refusal = caught
    people = members.cards([row.buyer_id, *([row.sharer_id] if row.sharer_id else [])])
    lines = orders.lines_of([row.id])[row.id]
    earned = rewards.of_orders([row.id])
    stories = {x.id for x in lines} | {r.story_id for r in earned if r.story_id}
    posted = money.of_stories([row.id, *stories])
    context = {
        "order": row, "lines": lines, "buyer": people.get(row.buyer_id), "refusal": refusal, "form": request.POST,
        "sharer": people.get(row.sharer_id) if row.sharer_id else None, "won": shared.attribution(row.id),
        "parcels": parcels.parcels_of([row.id])[row.id], "carriers": parcels.search(limit=40),
        "rewards": earned, "cases": cases.cases_of_order(row.id), "posted": posted,
        "transfers": sum(len(p.moves) for p in posted), "now": _now(row, lines, posted),
        "refunds": list(orders.refunds_of(row.id)), "paid_back": list(payments.refunds_of(row.id)),
        "steps": _steps(row), "charged_back": any(x.disputed == "lost" for x in lines), "disputes": payments.disputes_of([row.id]).get(row.id, []), "can_act": http.may(request, http.DESK),
        "left": sum(x.quantity - x.shipped_quantity - x.refunded_quantity for x in lines if x.kind == "goods"),
    }  # fmt: skip
    return http.page(request, "order", context, status=http.refused(refusal))


def _act(request: HttpRequest, row: "Order") -> str:
    by, at, act = http.actor(request), clock.now(), request.POST.get("act", "ship")
    if act == "cancel":
        reason = request.POST.get("reason", "").strip()
        if len(reason) < 4:
            raise invalid(
                "reason_missing", _("请写明取消的原因。"), field="reason", value=reason, rule=_("至少 4 个字")
            )
        selling.cancel(order_id=row.id, by=by, at=at, reason=reason[:100])
        return _("已取消。付过的钱按原路退回。")
    if act == "deliver":
        fulfilment.confirm_receipt(order_id=row.id, by=by, at=at)
        return _("已记为收到。")
    fulfilment.ship(
        order_id=row.id, carrier=request.POST.get("carrier", ""), tracking_no=request.POST.get("tracking_no", ""),
        by=by, at=at,
    )  # fmt: skip
    return _("已发出。")


def _now(row: "Order", lines: list[Any], posted: list[money.Shown]) -> dict[str, int]:
    """What this order leaves as its postings stand: paid, given back, owed to suppliers, to the sharer, lost to a
    chargeback, the rest."""
    sums: dict[str, int] = {}
    for posting in posted:
        for move in posting.moves:
            sums[move.debit] = sums.get(move.debit, 0) + move.amount
            sums[move.credit] = sums.get(move.credit, 0) - move.amount
    back = sum(x.refunded_minor for x in lines)
    cost = sums.get("expense.goods", 0)
    reward = sums.get("expense.rewards", 0) + sums.get("prepaid.rewards", 0)
    paid = row.total_minor if row.paid_at else 0
    loss = sums.get("expense.dispute", 0)
    return {"paid": paid, "back": back, "net": paid - back, "cost": cost, "reward": reward, "loss": loss,
            "left": paid - back - cost - reward - loss}  # fmt: skip


def _steps(row: "Order") -> list[tuple[datetime, Any, str, str]]:
    """What happened, newest first: the order's own moments, and what people decided about it."""
    steps: list[tuple[datetime, Any, str, str]] = [(row.placed_at, _("下单"), "", _("买家"))]
    if row.paid_at:
        steps.append((row.paid_at, _("付款"), "", _("买家")))
    for parcel in parcels.parcels_of([row.id])[row.id]:
        steps.append((parcel.shipped_at, _("发出"), f"{loc(parcel, 'carrier_name')} {parcel.tracking_no}", ""))
        if parcel.received_at:
            steps.append((parcel.received_at, _("收到"), parcel.tracking_no, ""))
    if row.completed_at:
        steps.append((row.completed_at, _("完成"), "", _("系统")))
    for entry in audit.trail("order", row.no)[:40]:
        reason = str(entry.detail.get("reason", ""))
        said = str(texts.words("reason", reason)) if reason else ""
        if entry.action != "order.ship":
            steps.append((entry.at, actions.said(entry.action), said, actions.doer(entry)))
    if row.cancelled_at and not any(s[1] == actions.said("order.cancel") for s in steps):
        steps.append((row.cancelled_at, _("取消"), row.cancel_reason, _("系统")))
    return sorted(steps, key=itemgetter(0))[::-1]
