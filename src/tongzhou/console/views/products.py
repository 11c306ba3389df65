"""Products: the list, the form, pictures, files in and out."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import STAGES, ConsoleProductPage, ReturnPolicy
from tongzhou.console import forms, http, productform, uploads
from tongzhou.kit import audit, clock
from tongzhou.kit.numbers import whole
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.plans import queries as plans
from tongzhou.plans.rules import LineFacts, estimate
from tongzhou.suppliers import queries as suppliers

MOST_PICTURE = 8 * 1024 * 1024
ACTS = {"publish": catalog.publish, "unpublish": catalog.unpublish, "archive": catalog.archive}


def _said(act: str, moved: int) -> str:
    said = {"publish": _("已上架 %(n)s 个。"), "unpublish": _("已下架 %(n)s 个。"), "archive": _("已收起 %(n)s 个。")}
    return said[act] % {"n": moved}


def _move(request: HttpRequest, ids: list[UUID]) -> None:
    act = ACTS.get(request.POST.get("act", ""))
    if act is None or not ids:
        raise invalid("nothing_chosen", _("请先勾选商品，再选要做的事。"), field="products")
    moved = act(product_ids=ids, by=http.actor(request), at=clock.now())
    messages.success(request, _said(request.POST["act"], moved), extra_tags="trust")


@http.door("products")
def listing(request: HttpRequest) -> HttpResponse:
    """All products, the last changed first; ticked ones are put up, taken down or put away together."""
    refusal = None
    if request.method == "POST":
        try:
            _move(request, [forms.identity(i) for i in request.POST.getlist("id")[:200]])
            return HttpResponseRedirect(request.get_full_path())
        except Refusal as caught:
            refusal = caught
    view, query = request.GET.get("view", ""), request.GET.get("q", "")
    supplier = forms.identity(request.GET["supplier"]) if request.GET.get("supplier") else None
    node = goods.category(request.GET["category"]) if request.GET.get("category") else None
    after = request.GET.get("after", "")
    if view == "low":
        rows, cursor = goods.running_out(limit=forms.PAGE), ""
    else:
        rows, cursor = goods.console_products(
            status=view.upper() if view.upper() in ("DRAFT", "PUBLISHED", "ARCHIVED") else "", query=query, after=after,
            category_ids=node.descendants() if node else (), supplier_id=supplier, limit=forms.PAGE,
        )  # fmt: skip
    by_id = suppliers.by_ids([r.supplier_id for r in rows])
    context = {
        "rows": [(r, by_id.get(r.supplier_id), goods.category_by_id(r.category_id)) for r in rows], "cursor": cursor,
        "view": view, "q": query, "refusal": refusal, "counts": goods.view_counts(), "category": node,
        "supplier": suppliers.by_ids([supplier]).get(supplier) if supplier else None,
        "suppliers": suppliers.suppliers(limit=50), "picked": set(request.POST.getlist("id")),
    }  # fmt: skip
    return http.page(request, "products", context, status=http.refused(refusal))


@http.door("products")
def create(request: HttpRequest) -> HttpResponse:
    """A new product, kept as a draft until somebody publishes it."""
    return _editor(request, None)


@http.door("products")
def edit(request: HttpRequest, identity: str) -> HttpResponse:
    """One product: everything it says and costs."""
    return _editor(request, goods.console_product(forms.identity(identity)))


def _editor(request: HttpRequest, page: ConsoleProductPage | None) -> HttpResponse:
    refusal, form = None, productform.of(page) if page else productform.blank()
    was = productform.of(page) if page else None
    if request.method == "POST":
        form = productform.typed(request.POST)
        try:
            if "grow" in request.POST:
                form = productform.grown(form)
            else:
                saved = _save(request, form, page)
                return HttpResponseRedirect(f"/console/products/{saved}")
        except Refusal as caught:
            refusal = productform.matched(caught, form)
    changed, names = productform.changes(was, form) if was else ([], set())
    context = {
        "page": page, "form": form, "refusal": refusal, "changed": changed, "names": names,
        "categories": productform.choices(goods.categories()), "suppliers": suppliers.suppliers(limit=200),
        "policies": list(ReturnPolicy), "stages": STAGES, "effects": _effects(page) if page else None,
        "last": audit.trail("product", page.id).first() if page else None,
    }  # fmt: skip
    return http.page(request, "product", context, status=http.refused(refusal))


def _save(request: HttpRequest, form: productform.Form, page: ConsoleProductPage | None) -> UUID:
    by, at = http.actor(request), clock.now()
    if page:
        productform.stock_moved(form, page)
    version = whole(form.texts["version"])
    with transaction.atomic():  # a publish that is refused leaves nothing saved, so that what was typed still fits
        saved = catalog.save_product(
            draft=productform.draft_of(form), by=by, at=at, product_id=page.id if page else None,
            version=version if page else None,
        )  # fmt: skip
        if "publish" in request.POST:
            catalog.publish(product_ids=[saved.id], by=by, at=at)
    messages.success(request, _("已保存，并写进审计。"), extra_tags="trust")
    return saved.id


def _effects(page: ConsoleProductPage) -> dict[str, Any]:
    """What saving does to others: carts that will be told, units promised, what a sharer earns of one."""
    ids = [s.id for s in page.skus]
    force = plans.in_force(clock.now())
    node = goods.category_by_id(page.draft.category_id)
    path = tuple(n.slug for n in goods.trail(node))[::-1] if node else ()
    earned = [
        estimate(force.plan, LineFacts(s.code, page.draft.slug, path, price, 0, s.list_price_minor, s.cost_minor))
        for s in page.skus
        if s.active and force
        for price in [s.member_price_minor if s.member_price_minor is not None
                      else s.list_price_minor - s.list_price_minor * force.plan.member_price.discount_bp // 10_000]
    ]  # fmt: skip
    return {"carts": orders.in_carts(ids), "reserved": sum(s.reserved for s in page.skus), "plan": force,
            "least": min(earned, default=0), "most": max(earned, default=0),
            "discount_bp": force.plan.member_price.discount_bp if force else 0}  # fmt: skip


@http.door("products")
def status(request: HttpRequest, identity: str) -> HttpResponse:
    """Put one product up, take it down, put it away."""
    try:
        _move(request, [forms.identity(identity)])
    except Refusal as refusal:
        faults = forms.faults(refusal)
        messages.error(request, " ".join(f"{f.message} {f.fix}" for f in faults), extra_tags="stop")
    return HttpResponseRedirect(f"/console/products/{identity}")


@http.door("products")
def pictures(request: HttpRequest, identity: str) -> HttpResponse:
    """Add, move and take off pictures; the form around them is not touched."""
    key, by, at = forms.identity(identity), http.actor(request), clock.now()
    try:
        act, _sep, which = request.POST.get("act", "").partition(":")
        shown = [p.id for p in goods.console_product(key).pictures if p.id]
        if act == "add":
            upload = request.FILES.get("picture")
            if upload is None:
                raise invalid("file_missing", _("请先选一张图片。"), field="picture")
            catalog.add_picture(
                product_id=key, by=by, at=at, upload=upload.read(MOST_PICTURE + 1), alt=request.POST.get("alt", ""),
                alt_en=request.POST.get("alt_en", ""),
            )  # fmt: skip
        elif act == "remove":
            catalog.remove_picture(product_id=key, picture_id=forms.identity(which), by=by, at=at)
        elif act in ("up", "down"):
            catalog.order_pictures(product_id=key, picture_ids=_moved(shown, forms.identity(which), act), by=by, at=at)
    except Refusal as refusal:
        messages.error(request, f"{refusal.message} {refusal.rule} {refusal.fix}".strip(), extra_tags="stop")
    return HttpResponseRedirect(f"/console/products/{identity}#pictures")


def _moved(shown: list[UUID], which: UUID, act: str) -> list[UUID]:
    out = list(shown)
    if which in out:
        i = out.index(which)
        j = max(0, i - 1) if act == "up" else min(len(out) - 1, i + 1)
        out[i], out[j] = out[j], out[i]
    return out


@http.door("products")
def take_in(request: HttpRequest) -> HttpResponse:
    """Products from a file: tried out first, each row that cannot be taken named with its reason, then taken."""
    refusal, summary, token = None, None, request.POST.get("token", "")
    if request.method == "POST":
        try:
            if request.FILES.get("file") or not token:
                token = uploads.keep(request.FILES.get("file"))
            path = uploads.find(token)
            summary = catalog.import_products(
                path, request.POST.get("format", ""), request.POST.get("supplier", "").strip() or "import",
                "go" not in request.POST, by=http.actor(request), at=clock.now(),
            )  # fmt: skip
        except Refusal as caught:
            refusal = caught
    context = {"refusal": refusal, "summary": summary, "token": token, "form": request.POST,
               "notes": [*summary.refusals, *summary.notes][:200] if summary else [],
               "suppliers": suppliers.suppliers(limit=200), "runs": goods.import_runs(limit=8)}  # fmt: skip
    return http.page(request, "products_import", context, status=http.refused(refusal))


@http.door("products")
def export(request: HttpRequest) -> HttpResponse:
    """Every product as the mall's own file, which comes back the same."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "products.csv"
        catalog.export_products(path)
        answer = HttpResponse(path.read_bytes(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="products.csv"'
    return answer
