"""After placing: the cashier, the provider's word, orders and their receipt."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from tongzhou.aftersale import queries as cases
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.fulfilment import queries as parcels
from tongzhou.kit.actor import member as actor
from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.orders import commands, queries
from tongzhou.orders.values import OrderStatus
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.people import queries as members
from tongzhou.sharing import queries as shared
from tongzhou.storefront import http
from tongzhou.suppliers import queries as suppliers
from tongzhou.suppliers.values import SupplierValue

if TYPE_CHECKING:
    from tongzhou.orders.models import OrderLine

MOST_NOTICE = 64 * 1024


def cashier(request: HttpRequest, no: str) -> HttpResponse:
    """What is still to pay, until when, and by which way."""
    who = http.need_member(request)
    order = queries.order(no, buyer_id=who.id)
    if order.status != OrderStatus.PLACED:
        return HttpResponseRedirect(f"/orders/{no}")
    lines = queries.lines_of([order.id])[order.id]
    return http.page(request, "cashier", {"order": order, "lines": lines, "back": f"/orders/{no}"})


def pay(request: HttpRequest, no: str) -> HttpResponse:
    """Open the payment and go to the provider's own page."""
    who, at = http.need_member(request), http.now()
    order = queries.order(no, buyer_id=who.id)
    if order.status != OrderStatus.PLACED or (order.expires_at and order.expires_at <= at):
        messages.warning(request, _("这个订单已经不在等付款了。"), extra_tags="wait")
        return HttpResponseRedirect(f"/orders/{no}")
    start = payments.open_payment(
        order_id=order.id, buyer_id=who.id, order_no=order.no, amount_minor=order.total_minor,
        provider=request.POST.get("provider", ""), return_url=f"{settings.SITE_URL}/orders/{no}/paid", at=at,
    )  # fmt: skip
    return HttpResponseRedirect(start.redirect_url)


def returned(request: HttpRequest, no: str) -> HttpResponse:
    """Back from the provider: says what is known; the provider's signed word decides, not this visit."""
    who = http.need_member(request)
    order = queries.order(no, buyer_id=who.id)
    final = order.status != OrderStatus.PLACED
    attempts = paid.payments_of(order.id)
    odd = 0 if final else _not_owed(order.id)
    failed = bool(odd) or (bool(attempts) and all(p.status == "FAILED" for p in attempts))
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"final": final or failed})
    won = shared.attribution(order.id) if final else None
    context = {
        "order": order, "final": final, "failed": failed, "odd": odd, "back": f"/orders/{no}", "consented": who.name_consent,
        "sharer": members.card(won.sharer_id) if won and won.sharer_id else None, "groups": _shippers(order.id) if final else [],
    }  # fmt: skip
    return http.page(request, "paid", context)


def _not_owed(order_id: UUID) -> int:
    """What came in for an order and was not owed (another amount, a second time): it goes back by itself. Minor units."""
    return sum(r.amount_minor for r in paid.refunds_of(order_id) if r.reference.startswith("excess:"))


def _shippers(order_id: UUID) -> "list[tuple[SupplierValue, OrderLine, int]]":
    """Who will send what of an order: (supplier, first line, units)."""
    groups: dict[UUID, list[OrderLine]] = {}
    for line in queries.lines_of([order_id])[order_id]:
        if line.kind == "goods" and line.supplier_id:
            groups.setdefault(line.supplier_id, []).append(line)
    names = suppliers.by_ids(groups)
    return [(names[s], lines[0], sum(x.quantity for x in lines)) for s, lines in groups.items() if s in names]


@csrf_exempt
def notify(request: HttpRequest, provider: str) -> HttpResponse:
    """A provider's notification: verified, settled, answered 200. Forged ones change nothing and get 403."""
    if request.method != "POST":
        return JsonResponse({"code": "method"}, status=405)
    notice = None
    try:
        body = request.read(MOST_NOTICE + 1)
        if len(body) > MOST_NOTICE:
            return JsonResponse({"code": "notice_too_large", "rule": MOST_NOTICE}, status=413)
        notice = paid.verify_notice(provider, dict(request.headers), body)
        settled = commands.settle(notice, at=http.now())
    except Refusal as refusal:
        if notice is not None and notice.about_dispute and not refusal.retryable:
            commands.note_refused(notice, code=refusal.code, at=http.now())
        status = {Kind.FORBIDDEN: 403, Kind.NOT_FOUND: 404}.get(refusal.kind, 422)
        return JsonResponse(refusal.as_dict(), status=status)
    return JsonResponse({"outcome": settled.outcome})


def orders(request: HttpRequest) -> HttpResponse:
    """One's orders, by tab."""
    who = http.need_member(request)
    tab = request.GET.get("tab", "all")
    before = http.as_uuid(request.GET["before"], "before") if request.GET.get("before") else None
    rows = queries.orders_of(who.id, tab=tab, before=before, limit=20)
    lines = queries.lines_of([o.id for o in rows])
    context = {"rows": [(o, [x for x in lines[o.id] if x.kind == "goods"]) for o in rows], "kind": tab,
               "counts": queries.counts_of(who.id), "more": rows[-1].id if len(rows) == 20 else None, "back": "/me"}  # fmt: skip
    return http.page(request, "orders", context)


def order(request: HttpRequest, no: str) -> HttpResponse:
    """One order: where it is, what it cost, what can be done."""
    who, at = http.need_member(request), http.now()
    row = queries.order(no, buyer_id=who.id)
    lines = queries.lines_of([row.id])[row.id]
    won = shared.attribution(row.id)
    sharer = members.card(won.sharer_id) if won and won.sharer_id else None
    rights = [(line, cases.right(line, at)) for line in lines if line.kind == "goods"]
    context = {
        "order": row, "lines": rights, "parcels": parcels.parcels_of([row.id])[row.id], "sharer": sharer, "won": won,
        "freight": next((x for x in lines if x.kind == "freight"), None), "cases": cases.cases_of_order(row.id),
        "auto": parcels.received_by_itself_at(row.id), "refunds": queries.refunds_of(row.id), "back": "/orders",
        "odd": _not_owed(row.id), "disputed": next((x.disputed for x in lines if x.disputed), ""),
        "token": http.token(), "can_cancel": row.status in (OrderStatus.PLACED, OrderStatus.PAID),
        "can_return": row.paid_at is not None and any(x.refunded_quantity < x.quantity for x, _r in rights),
    }  # fmt: skip
    return http.page(request, "order", context)


def cancel(request: HttpRequest, no: str) -> HttpResponse:
    """Call an order off that was not shipped."""
    who = http.need_member(request)
    row = queries.order(no, buyer_id=who.id)
    commands.cancel(order_id=row.id, buyer_id=who.id, by=actor(who.id, who.display_name), at=http.now(), reason="buyer")
    messages.success(request, _("订单已取消；付过的钱原路退回。"), extra_tags="trust")
    return HttpResponseRedirect(f"/orders/{no}")


def receive(request: HttpRequest, no: str) -> HttpResponse:
    """Say that everything arrived."""
    who = http.need_member(request)
    row = queries.order(no, buyer_id=who.id)
    fulfilment.confirm_receipt(order_id=row.id, buyer_id=who.id, by=actor(who.id, who.display_name), at=http.now())
    messages.success(request, _("已确认收货。七天内不满意，可以退。"), extra_tags="trust")
    return HttpResponseRedirect(f"/orders/{no}")


def again(request: HttpRequest, no: str) -> HttpResponse:
    """Order again, as one basket."""
    who, at = http.need_member(request), http.now()
    row = queries.order(no, buyer_id=who.id)
    for line in queries.lines_of([row.id])[row.id]:
        if line.sku_id:
            commands.set_cart_line(owner_id=who.id, sku_id=line.sku_id, quantity=line.quantity, at=at, add=True)
    http.recount(request)
    return HttpResponseRedirect("/cart")
