"""Products, orders, returns."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale import queries as cases
from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import Price
from tongzhou.console import http
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.fulfilment import queries as parcels
from tongzhou.kit import clock
from tongzhou.kit.money import parse_major
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import commands as selling
from tongzhou.orders import queries as orders
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared

MOST_UPLOAD = 20 * 1024 * 1024


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid("not_an_id", _("这个编号不对。"), field="id", value=text) from None


def _before(request: HttpRequest) -> UUID | None:
    return _id(request.GET["before"]) if request.GET.get("before") else None


def _money(text: str, field: str) -> int | None:
    if not text.strip():
        return None
    try:
        return parse_major(text)
    except ValueError:
        raise invalid("amount", _("金额看不懂。"), field=field, value=text, fix=_("写成 12.90 这样。")) from None


@http.door("products")
def products(request: HttpRequest) -> HttpResponse:
    """All products; a file can be taken in here, with a dry run first."""
    status, query = request.GET.get("status", ""), request.GET.get("q", "")
    summary, refusal = None, None
    if request.method == "POST":
        try:
            summary = _import(request)
        except Refusal as caught:
            refusal = caught
    rows, cursor = goods.console_products(status=status, query=query, after=request.GET.get("after", ""))
    context = {"rows": rows, "cursor": cursor, "status": status, "q": query, "summary": summary, "refusal": refusal}
    return http.page(request, "products", context, status=422 if refusal else 200)


def _import(request: HttpRequest) -> object:
    upload = request.FILES.get("file")
    if upload is None or upload.size is None or upload.size > MOST_UPLOAD:
        raise invalid("file_missing", _("请选一个 20 MB 以内的 CSV 文件。"), field="file")
    with NamedTemporaryFile(suffix=".csv") as scratch:
        for chunk in upload.chunks():
            scratch.write(chunk)
        scratch.flush()
        return catalog.import_products(
            Path(scratch.name), request.POST.get("format", ""), request.POST.get("supplier", "") or "import",
            "dry" in request.POST, by=http.actor(request), at=clock.now(),
        )  # fmt: skip


@http.door("products")
def product(request: HttpRequest, identity: str) -> HttpResponse:
    """One product: prices, stock, pictures, in and out of the window."""
    refusal, key = None, _id(identity)
    if request.method == "POST":
        try:
            _change(request, key)
            messages.success(request, _("已保存，并写进审计。"), extra_tags="trust")
            return HttpResponseRedirect(f"/console/products/{identity}")
        except Refusal as caught:
            refusal = caught
    return http.page(
        request, "product", {"item": goods.console_product(key), "refusal": refusal}, status=422 if refusal else 200
    )


def _change(request: HttpRequest, key: UUID) -> None:
    by, at = http.actor(request), clock.now()
    act = request.POST.get("act", "")
    if act in ("publish", "unpublish", "archive"):
        getattr(catalog, act)(product_ids=[key], by=by, at=at)
    elif act == "picture":
        upload = request.FILES.get("picture")
        if upload is None:
            raise invalid("file_missing", _("请先选一张图片。"), field="picture")
        catalog.add_picture(product_id=key, by=by, at=at, upload=upload.read(MOST_UPLOAD))
    else:
        page = goods.console_product(key)
        prices, levels = {}, []
        for sku in page.skus:
            listed = _money(request.POST.get(f"list-{sku.id}", ""), f"list-{sku.code}")
            prices[sku.id] = Price(
                listed if listed is not None else sku.list_price_minor,
                _money(request.POST.get(f"member-{sku.id}", ""), f"member-{sku.code}"),
                _money(request.POST.get(f"cost-{sku.id}", ""), f"cost-{sku.code}"),
            )
            stock = request.POST.get(f"stock-{sku.id}", "").strip()
            if stock and not stock.isdigit():
                raise invalid("stock", _("库存要是不小于 0 的整数。"), field=f"stock-{sku.code}", value=stock)
            if stock and int(stock) != sku.on_hand:
                levels.append((sku.id, int(stock)))
        catalog.set_prices(prices=prices, by=by, at=at)
        if levels:
            catalog.set_stock(levels=levels, by=by, at=at, reason="console")


@http.door("orders")
def order_list(request: HttpRequest) -> HttpResponse:
    """Orders: those to ship first, the oldest at the top."""
    status, query = request.GET.get("status", "PAID"), request.GET.get("q", "")
    oldest = status == "PAID" and not query
    rows = orders.console_list(
        status="" if query or status == "all" else status, query=query, before=_before(request), oldest=oldest
    )
    names = members.cards([r.buyer_id for r in rows] + [r.sharer_id for r in rows if r.sharer_id])
    lines = orders.lines_of([r.id for r in rows])
    table = [(r, names.get(r.buyer_id), names.get(r.sharer_id) if r.sharer_id else None, lines[r.id]) for r in rows]
    context = {"rows": table, "status": status, "q": query, "more": rows[-1].id if len(rows) == 50 else None}
    return http.page(request, "orders", context)


@http.door("orders")
def order(request: HttpRequest, no: str) -> HttpResponse:
    """One order, whole; ship it from here."""
    row, refusal = orders.order(no), None
    if request.method == "POST":
        try:
            by, at = http.actor(request), clock.now()
            if request.POST.get("act") == "cancel":
                selling.cancel(order_id=row.id, by=by, at=at, reason=request.POST.get("reason", "")[:100])
            else:
                fulfilment.ship(
                    order_id=row.id, carrier=request.POST.get("carrier", ""),
                    tracking_no=request.POST.get("tracking_no", ""), by=by, at=at,
                )  # fmt: skip
            return HttpResponseRedirect(f"/console/orders/{no}")
        except Refusal as caught:
            refusal = caught
    people = members.cards([row.buyer_id, *([row.sharer_id] if row.sharer_id else [])])
    context = {
        "order": row, "lines": orders.lines_of([row.id])[row.id], "buyer": people.get(row.buyer_id),
        "sharer": people.get(row.sharer_id) if row.sharer_id else None, "won": shared.attribution(row.id),
        "parcels": parcels.parcels_of([row.id])[row.id], "carriers": parcels.search(limit=40), "refusal": refusal,
        "rewards": rewards.of_orders([row.id]), "refunds": orders.refunds_of(row.id), "cases": cases.cases_of_order(row.id),
    }  # fmt: skip
    return http.page(request, "order", context, status=422 if refusal else 200)


@http.door("cases")
def case_list(request: HttpRequest) -> HttpResponse:
    """Returns: those that wait for an answer first."""
    status = request.GET.get("status", "REQUESTED")
    rows = cases.console_list(status="" if status == "all" else status, before=_before(request))
    names = members.cards([r.buyer_id for r in rows])
    context = {
        "rows": [(r, names.get(r.buyer_id)) for r in rows],
        "status": status,
        "more": rows[-1].id if len(rows) == 50 else None,
    }
    return http.page(request, "cases", context)


@http.door("cases")
def case(request: HttpRequest, no: str) -> HttpResponse:
    """One case: answer it, or take the parcel back."""
    row, lines = cases.case(no)
    refusal = None
    if request.method == "POST":
        try:
            act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
            if act == "approve":
                aftersale.approve(case_id=row.id, by=by, at=at, answer=request.POST.get("answer", ""))
            elif act == "reject":
                aftersale.reject(case_id=row.id, by=by, at=at, answer=request.POST.get("answer", ""))
            elif act in ("sound", "broken"):
                aftersale.receive_back(case_id=row.id, by=by, at=at, sound=act == "sound")
            return HttpResponseRedirect(f"/console/cases/{no}")
        except Refusal as caught:
            refusal = caught
    sold = orders.lines_by_id([x.line_id for x in lines])
    context = {"case": row, "lines": [(x, sold[x.line_id]) for x in lines], "refusal": refusal,
               "buyer": members.cards([row.buyer_id]).get(row.buyer_id)}  # fmt: skip
    return http.page(request, "case", context, status=422 if refusal else 200)
