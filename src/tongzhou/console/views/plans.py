"""Plans: versions, the form, the file, what the law says of them, and who answers for it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tongzhou.catalog import queries as goods
from tongzhou.compliance import commands as compliance
from tongzhou.compliance import queries as findings
from tongzhou.compliance.profiles import CODES
from tongzhou.compliance.values import Finding, verdict
from tongzhou.console import forms, http, planform
from tongzhou.kit import clock
from tongzhou.kit.refusals import Kind, Refusal, invalid, not_found
from tongzhou.orders import queries as orders
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as versions
from tongzhou.plans.document import dump_document, load_document, plan_of
from tongzhou.plans.values import AttributionModel, Base
from tongzhou.rewards.simulation import Simulation, simulate

if TYPE_CHECKING:
    from tongzhou.plans.models import PlanVersion

MOST_FILE = 200_000
REPLAY_DAYS = 90
MOST_ORDERS = 20_000  # a page replays no more; the command line has no limit


def _shown(found: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [f.as_dict(get_language() or "zh-hans") for f in found]


@http.door("plans")
def listing(request: HttpRequest) -> HttpResponse:
    """All plan versions, and which one is in force."""
    rows = list(versions.listing()[: forms.PAGE])
    worst = [_worst(r.findings) for r in rows]
    return http.page(
        request,
        "plans",
        {"rows": [(r, *w) for r, w in zip(rows, worst, strict=True)], "force": versions.in_force(clock.now())},
    )


def _worst(kept: list[dict[str, str]]) -> tuple[str, int]:
    """The gravest severity among the findings, and how many are that grave."""
    said = [f.get("severity") for f in kept]
    return next(((s, said.count(s)) for s in ("BLOCK", "REVIEW", "WARN") if s in said), ("", 0))


@http.door("plans")
def create(request: HttpRequest) -> HttpResponse:
    """A new plan, or a new version: the form begins with the plan in force, or with the one named."""
    origin = request.GET.get("from", "")
    force = versions.in_force(clock.now())
    row = versions.row(forms.identity(origin)) if origin else versions.row(force.id) if force else None
    return _editor(request, row, row.document if row else {"profile": "CN", "settle_days": 15, "lock_days": 30})


def _editor(request: HttpRequest, row: "PlanVersion | None", document: dict[str, Any]) -> HttpResponse:
    form, refusal, checked = planform.of(document), None, False
    found: tuple[Finding, ...] = ()
    if request.method == "POST":
        form = planform.typed(request.POST)
        try:
            said = planform.document_of(form, document)
            plan_of(said)
            found, checked = plans.check(said, at=clock.now()), True
            if "save" in request.POST:
                kept = plans.import_plan(text=dump_document(said), by=http.actor(request), at=clock.now())
                messages.success(request, _("已存成草稿。"), extra_tags="trust")
                return HttpResponseRedirect(f"/console/plans/{kept.id}")
        except Refusal as caught:
            refusal = planform.matched(caught, form)
    context = {
        "form": form, "row": row, "refusal": refusal, "checked": checked, "verdict": verdict(found), "findings": _shown(found),
        "models": list(AttributionModel), "bases": list(Base), "profiles": CODES, "scopes": planform.SCOPES,
        "triggers": planform.TRIGGERS, "kinds": planform.KINDS, "metrics": planform.METRICS,
        "categories": [(n.slug, n.name) for top in goods.categories() for n in (top, *top.children)],
        "notice": plans.notice_needed(document, clock.now()) if row else None,
    }  # fmt: skip
    return http.page(request, "plan_form", context, status=http.refused(refusal))


@http.door("plans")
def as_file(request: HttpRequest) -> HttpResponse:
    """A plan as its file: pasted or uploaded, checked, kept as a draft."""
    text, refusal, checked = request.POST.get("toml", ""), None, False
    found: tuple[Finding, ...] = ()
    if request.method == "POST":
        try:
            upload = request.FILES.get("file")
            if upload is not None:
                if (upload.size or 0) > MOST_FILE:
                    raise invalid("file_too_large", _("文件太大。"), field="toml", value=upload.size, rule="200 KB")
                text = upload.read().decode("utf-8-sig", "replace")
            if not text.strip():
                raise invalid("file_missing", _("请粘贴或选一个 plan.toml。"), field="toml")
            document = load_document(text)
            plan_of(document)
            found, checked = plans.check(document, at=clock.now()), True
            if "save" in request.POST:
                kept = plans.import_plan(text=text, by=http.actor(request), at=clock.now())
                return HttpResponseRedirect(f"/console/plans/{kept.id}")
        except Refusal as caught:
            refusal = caught
    context = {
        "toml": text,
        "refusal": refusal,
        "checked": checked,
        "verdict": verdict(found),
        "findings": _shown(found),
    }
    return http.page(request, "plan_file", context, status=http.refused(refusal))


@http.door("plans")
def detail(request: HttpRequest, identity: str) -> HttpResponse:
    """One version: what the law says of it, who signed, and the button that puts it into force."""
    row, refusal, at = versions.row(forms.identity(identity)), None, clock.now()
    if request.method == "POST":
        try:
            _decide(request, row)
            return HttpResponseRedirect(f"/console/plans/{identity}")
        except Refusal as caught:
            refusal = caught
    draft, again = row.status == "DRAFT", None
    if draft and "replay" in request.GET:
        try:
            again = _replayed(row, at)
        except Refusal as caught:
            refusal = caught
    found = plans.check(row.document, at=at)
    unsigned = findings.unsigned(found, row.code, row.version) if draft else []
    force = versions.in_force(at)
    other = versions.row(forms.identity(request.GET["against"])) if request.GET.get("against") else (
        versions.row(force.id) if force and force.id != row.id else None)  # fmt: skip
    context = {
        "row": row, "draft": draft, "refusal": refusal, "verdict": verdict(found) if draft else "",
        "findings": _shown(found) if draft else findings.in_language(row.findings, plan_of(row.document).profile, get_language() or ""), "plan": plan_of(row.document),
        "again": again, "days": REPLAY_DAYS, "open": {(f.id + f.path) for f in unsigned}, "blocked": len(unsigned), "force": force,
        "signed": findings.signatures(row.code, row.version), "other": other,
        "differs": versions.compare(other, row) if other else (),
        "versions": [v for v in versions.listing()[:30] if v.id != row.id],
    }  # fmt: skip
    return http.page(request, "plan", context, status=http.refused(refusal))


def _replayed(row: "PlanVersion", at: datetime) -> Simulation:
    """The last 90 days' real orders under this draft, beside what was in force. *Refuses:* ``too_many_orders``."""
    since = at - timedelta(days=REPLAY_DAYS)
    if not orders.few_paid_since(since, MOST_ORDERS):
        raise Refusal(
            "too_many_orders", _("订单太多，不在网页上重算。"), kind=Kind.LIMIT, value=f"> {MOST_ORDERS}",
            fix=_("在服务器上运行 tongzhou plan simulate。"),
        )  # fmt: skip
    return simulate(row.document, since=since, until=at, at=at)


def _decide(request: HttpRequest, row: "PlanVersion") -> None:
    by, at = http.actor(request), clock.now()
    if request.POST.get("act") == "sign":
        asked = (request.POST.get("finding"), request.POST.get("path"))
        chosen = next((f for f in plans.check(row.document, at=at) if (f.id, f.path) == asked), None)
        if chosen is None:
            raise not_found(_("这一条已经不在了，请刷新。"), code="finding_not_found")
        compliance.sign_off(
            plan_code=row.code, version=row.version, finding=chosen, reason=request.POST.get("reason", ""), by=by, at=at
        )
        messages.success(request, _("已签字，写进审计。"), extra_tags="trust")
        return
    plans.activate(code=row.code, by=by, at=at)
    messages.success(request, _("已启用。"), extra_tags="trust")


@http.door("plans")
def download(request: HttpRequest, identity: str) -> HttpResponse:
    """The version as its file."""
    row = versions.row(forms.identity(identity))
    answer = HttpResponse(row.toml, content_type="application/toml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="plan-v{row.version}.toml"'
    return answer
