"""Payouts, plans, the ledger, members, audit, system."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tongzhou.compliance import commands as compliance
from tongzhou.compliance import queries as findings
from tongzhou.compliance.values import verdict
from tongzhou.console import http
from tongzhou.console.views.selling import _before, _id
from tongzhou.kit import audit as trail
from tongzhou.kit import clock, worker
from tongzhou.kit.models import PeriodicTurn
from tongzhou.kit.refusals import Refusal, not_found
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries as paying
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as versions
from tongzhou.plans.models import PlanVersion
from tongzhou.rewards import queries as rewards


@http.door("payouts")
def payout_list(request: HttpRequest) -> HttpResponse:
    """Payouts that wait for one of two people; each release says what it does."""
    refusal = None
    if request.method == "POST":
        try:
            _release(request)
            return HttpResponseRedirect(request.get_full_path())
        except Refusal as caught:
            refusal = caught
    status = request.GET.get("status", "open")
    rows = [r for s in ("REQUESTED", "CHECKED") for r in paying.console_list(status=s)] if status == "open" else paying.console_list(
        status="" if status == "all" else status, before=_before(request))  # fmt: skip
    names, releases = members.cards([r.member_id for r in rows]), paying.releases_of([r.id for r in rows])
    table = [(r, names.get(r.member_id), releases[r.id], paying.payee(r.member_id)) for r in rows]
    context = {
        "rows": table,
        "status": status,
        "refusal": refusal,
        "summary": rewards.summary()[0],
        "waiting": paying.waiting(),
    }
    return http.page(request, "payouts", context, status=409 if refusal else 200)


def _release(request: HttpRequest) -> None:
    key, by, at = _id(request.POST.get("payout", "")), http.actor(request), clock.now()
    if request.POST.get("act") == "reject":
        payouts.reject(payout_id=key, reason=request.POST.get("reason", ""), by=by, at=at)
        messages.success(request, _("已退回，金额回到可提。"), extra_tags="trust")
        return
    status = payouts.release(payout_id=key, by=by, at=at)
    messages.success(
        request, _("已核对，等第二位放款。") if status == "CHECKED" else _("已放款，正在打款。"), extra_tags="trust"
    )


def _shown(document: object) -> tuple[str, list[dict[str, str]]]:
    found = plans.check(document, at=clock.now())  # type: ignore[arg-type]
    return verdict(found), [f.as_dict(get_language() or "zh-hans") for f in found]


@http.door("plans")
def plan_list(request: HttpRequest) -> HttpResponse:
    """All plan versions, and a place to write a new one with the law beside it."""
    text, refusal, verdict_ = request.POST.get("toml", ""), None, ""
    rows: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            if "check" in request.POST:
                from tongzhou.plans.document import load_document

                verdict_, rows = _shown(load_document(text))
            else:
                kept = plans.import_plan(text=text, by=http.actor(request), at=clock.now())
                return HttpResponseRedirect(f"/console/plans/{kept.id}")
        except Refusal as caught:
            refusal = caught
    force = versions.in_force(clock.now())
    if not text and force:
        text = PlanVersion.objects.get(id=force.id).toml.strip()
    context = {
        "rows": versions.listing()[:50],
        "force": force,
        "toml": text,
        "refusal": refusal,
        "verdict": verdict_,
        "findings": rows,
    }
    return http.page(request, "plans", context, status=422 if refusal else 200)


@http.door("plans")
def plan(request: HttpRequest, identity: str) -> HttpResponse:
    """One version: what the law says of it, who signed, and the button that puts it into force."""
    row = PlanVersion.objects.filter(id=_id(identity)).first()
    if row is None:
        raise not_found(_("没有这个版本。"), code="plan_not_found")
    refusal = None
    if request.method == "POST":
        try:
            _decide(request, row)
            return HttpResponseRedirect(f"/console/plans/{identity}")
        except Refusal as caught:
            refusal = caught
    found = plans.check(row.document, at=clock.now()) if row.status == "DRAFT" else ()
    shown = [f.as_dict(get_language() or "zh-hans") for f in found] if row.status == "DRAFT" else row.findings
    context = {"row": row, "verdict": verdict(found) if row.status == "DRAFT" else "", "findings": shown, "refusal": refusal,
               "open": {f.id for f in findings.unsigned(found, row.code, row.version)}, "signed": findings.signatures(row.code, row.version)}  # fmt: skip
    return http.page(request, "plan", context, status=409 if refusal else 200)


def _decide(request: HttpRequest, row: PlanVersion) -> None:
    by, at = http.actor(request), clock.now()
    if request.POST.get("act") == "sign":
        found = plans.check(row.document, at=at)
        chosen = next(
            (f for f in found if (f.id, f.path) == (request.POST.get("finding"), request.POST.get("path"))), None
        )
        if chosen is None:
            raise not_found(_("这一条已经不在了，请刷新。"), code="finding_not_found")
        compliance.sign_off(
            plan_code=row.code, version=row.version, finding=chosen, reason=request.POST.get("reason", ""), by=by, at=at
        )
        return
    plans.activate(code=row.code, by=by, at=at)
    messages.success(request, _("已启用。"), extra_tags="trust")


@http.door("ledger")
def ledger(request: HttpRequest) -> HttpResponse:
    """The books: trial balance, what is in flight, the newest postings; read-only. Verify runs on demand."""
    report = books.verify() if "verify" in request.GET else None
    book = _id(request.GET["book"]) if request.GET.get("book") else None
    context = {
        "balances": books.trial_balance(), "flight": books.money_in_flight(), "sealed": books.seals(5), "report": report,
        "postings": books.postings(before=_before(request), book_id=book), "book": book, "verify": report,
        "statement": books.balances(book) if book else None, "kind": books.book_kind(book) if book else "",
    }  # fmt: skip
    return http.page(request, "ledger", context)


@http.door("ledger")
def posting(request: HttpRequest, identity: str) -> HttpResponse:
    """One posting with its transfers and the whole story it belongs to."""
    found = books.posting(_id(identity))
    if found is None:
        raise not_found(_("没有这笔记账。"), code="posting_not_found")
    line = orders.lines_by_id([found[0].story_id]).get(found[0].story_id)
    about = orders.orders_by_id([found[0].story_id, *([line.order_id] if line else [])])
    context = {
        "posting": found[0],
        "transfers": found[1],
        "story": books.story(found[0].story_id),
        "orders": list(about.values()),
    }
    return http.page(request, "posting", context)


@http.door("members")
def member_list(request: HttpRequest) -> HttpResponse:
    """Members with masked phones; showing one whole is recorded."""
    shown: dict[UUID, str] = {}
    if request.method == "POST":
        key = _id(request.POST.get("member", ""))
        shown[key] = members.full_phone(key)
        trail.record(
            by=http.actor(request), action="member.unmask", subject_kind="member", subject_id=key, at=clock.now()
        )
    query = request.GET.get("q", "")
    rows = members.listing(before=_before(request), query=query)
    bound = members.inviters_of([r.id for r in rows])
    names = members.cards(bound.values())
    table = [(r, names.get(bound[r.id]) if r.id in bound else None, shown.get(r.id)) for r in rows]
    return http.page(request, "members", {"rows": table, "q": query, "more": rows[-1].id if len(rows) == 50 else None})


@http.door("audit")
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first."""
    rows = trail.entries()
    if request.GET.get("q"):
        rows = rows.filter(subject_id=request.GET["q"].strip())
    if request.GET.get("before"):
        rows = rows.filter(id__lt=_before(request))
    found = list(rows[:50])
    return http.page(
        request,
        "audit",
        {"rows": found, "q": request.GET.get("q", ""), "more": found[-1].id if len(found) == 50 else None},
    )


@http.door("system")
def system(request: HttpRequest) -> HttpResponse:
    """Dead letters, periodic jobs, stuck refunds, and who may do what."""
    refusal = None
    if request.method == "POST":
        try:
            _mend(request)
            return HttpResponseRedirect("/console/system")
        except Refusal as caught:
            refusal = caught
    staff = members.operators()
    cards = members.cards(staff)
    context = {"dead": worker.dead_letters()[:50], "jobs": PeriodicTurn.objects.order_by("name"), "backlog": worker.backlog(),
               "stuck": paid.stuck_refunds(), "staff": [(cards.get(m), sorted(r)) for m, r in staff.items()], "refusal": refusal}  # fmt: skip
    return http.page(request, "system", context, status=422 if refusal else 200)


def _mend(request: HttpRequest) -> None:
    act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
    if act == "revive":
        worker.revive(_id(request.POST.get("row", "")), at=at)
        trail.record(by=by, action="delivery.revive", subject_kind="delivery", subject_id=request.POST["row"], at=at)
    elif act == "refund":
        payments.retry_refund(refund_id=_id(request.POST.get("row", "")), by=by, at=at)
    elif act == "staff":
        people.create_operator(
            phone=request.POST.get("phone", ""), name=request.POST.get("name", "")[:20] or "staff",
            password=request.POST.get("password", ""), roles={request.POST.get("role", "")}, by=by, at=at,
        )  # fmt: skip
