"""Asking for money back, and following it."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from tongzhou.aftersale import commands, queries
from tongzhou.fulfilment import queries as parcels
from tongzhou.kit.money import parse_major
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.storefront import http

REASONS = (
    ("no_reason", _("七日无理由")), ("damaged", _("破损")), ("wrong_goods", _("发错了")), ("quality", _("质量问题")),
    ("not_as_described", _("与描述不符")), ("late", _("太晚了")), ("other", _("其他")),
)  # fmt: skip


def ask(request: HttpRequest, no: str) -> HttpResponse:
    """The wizard: which units, why, how much; says beforehand what will happen."""
    who, at = http.need_member(request), http.now()
    order = orders.order(no, buyer_id=who.id)
    lines = [x for x in orders.lines_of([order.id])[order.id] if x.kind == "goods"]
    refusal = None
    if request.method == "POST":
        try:
            case_id = commands.open_case(
                order_id=order.id, buyer_id=who.id, units=_units(request, [x.id for x in lines]), at=at,
                reason=request.POST.get("reason", ""), note=request.POST.get("note", ""), amount_minor=_amount(request),
            )  # fmt: skip
        except Refusal as caught:
            if caught.kind == Kind.NOT_FOUND:
                raise
            refusal = caught
        else:
            opened = next(c for c in queries.cases_of_order(order.id) if c.id == case_id)
            return HttpResponseRedirect(f"/returns/{opened.no}")
    rows = [
        (
            x,
            queries.right(x, at),
            range(x.quantity - x.refunded_quantity + 1),
            _chosen(request.POST.get(f"units-{x.id}", "")),
        )
        for x in lines
    ]
    first = "no_reason" if any(right.open for _x, right, _n, _c in rows) or order.shipped_at is None else "quality"
    context = {"order": order, "rows": rows, "refusal": refusal, "form": request.POST, "back": f"/orders/{no}",
               "reasons": REASONS, "left": any(x.refunded_quantity < x.quantity for x in lines), "reason": request.POST.get("reason") or first}  # fmt: skip
    return http.page(request, "return", context, status=422 if refusal else 200)


def _chosen(text: str) -> int:
    """What was chosen before a refusal; nothing readable is nothing chosen."""
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _units(request: HttpRequest, ids: list[UUID]) -> dict[UUID, int]:
    return {i: http.as_int(request.POST.get(f"units-{i}", "0") or "0", "units", high=999) for i in ids}


def _amount(request: HttpRequest) -> int | None:
    text = request.POST.get("amount", "").strip()
    if not text:
        return None
    try:
        return parse_major(text)
    except ValueError:
        raise invalid(
            "amount",
            _("金额看不懂。"),
            field="amount",
            value=text,
            rule=_("元，最多两位小数"),
            fix=_("写成 12.90 这样。"),
        ) from None


def case(request: HttpRequest, no: str) -> HttpResponse:
    """How a case stands, step by step."""
    who = http.need_member(request)
    row, lines = queries.case(no, buyer_id=who.id)
    sold = orders.lines_by_id([x.line_id for x in lines])
    context = {"case": row, "lines": [(x, sold[x.line_id]) for x in lines], "carriers": parcels.search(limit=12),
               "carrier": parcels.shown(row.carrier), "send_to": settings.RETURN_ADDRESS, "back": f"/orders/{row.order_no}"}  # fmt: skip
    return http.page(request, "case", context)


def act(request: HttpRequest, no: str) -> HttpResponse:
    """Withdraw, or say how the parcel goes back."""
    who, at = http.need_member(request), http.now()
    row, _lines = queries.case(no, buyer_id=who.id)
    if "withdraw" in request.POST:
        commands.withdraw(case_id=row.id, buyer_id=who.id, at=at)
    else:
        commands.send_back(
            case_id=row.id, buyer_id=who.id, carrier=request.POST.get("carrier", ""),
            tracking_no=request.POST.get("tracking_no", ""), at=at,
        )  # fmt: skip
    return HttpResponseRedirect(f"/returns/{no}")
