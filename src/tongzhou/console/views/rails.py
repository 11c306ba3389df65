"""How payouts leave: files for the bank, and the settings of payouts with their meaning."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries as paying
from tongzhou.payouts.commands.policies import shown
from tongzhou.payouts.policy import BY_CODE
from tongzhou.payouts.rails import RAILS
from tongzhou.payouts.rails.bank.files import MOST_BYTES
from tongzhou.people import queries as members

HOW = "/console/payouts/files"


@http.door("payouts")
def files(request: HttpRequest) -> HttpResponse:
    """Files for the bank: what waits, what was made, and the results that came back."""
    refusal = report = None
    if request.method == "POST":
        try:
            if "results" in request.POST:
                report = payouts.import_results(data=_upload(request), by=http.actor(request), at=clock.now())
            else:
                made = payouts.make_file(by=http.actor(request), at=clock.now())
                return HttpResponseRedirect(f"{HOW}/{made}")
        except Refusal as caught:
            refusal = caught
    rows = paying.bank_files()
    ends = paying.file_ends([r.id for r in rows])
    context = {"rows": [(r, ends[r.id]) for r in rows], "waiting": paying.waiting_for_file(), "report": report,
               "refusal": refusal, "form": request.POST}  # fmt: skip
    return http.page(request, "bank_files", context, status=http.refused(refusal))


def _upload(request: HttpRequest) -> bytes:
    given = request.FILES.get("file")
    if given is None:
        raise invalid("file_missing", _("请选一个 CSV 文件。"), field="file")
    return bytes(given.read(MOST_BYTES + 1))


@http.door("payouts")
def bank_file(request: HttpRequest, identity: str) -> HttpResponse:
    """One file: its fingerprint, its payouts, and the second person's word."""
    row, refusal = paying.bank_file(forms.identity(identity)), None
    if request.method == "POST":
        by, at, act = http.actor(request), clock.now(), request.POST.get("act", "")
        try:
            if act == "download":
                response = HttpResponse(
                    payouts.download_file(file_id=row.id, by=by, at=at), content_type="text/csv; charset=utf-8"
                )
                response["Content-Disposition"] = f'attachment; filename="payouts-{row.sha256[:8]}.csv"'
                return response
            if act == "release":
                payouts.release_file(file_id=row.id, sha256=request.POST.get("sha256", ""), by=by, at=at)
                messages.success(request, _("已放。现在可以下载，交给银行。"), extra_tags="trust")
            elif act == "cancel":
                payouts.cancel_file(file_id=row.id, reason=request.POST.get("reason", ""), by=by, at=at)
                messages.success(request, _("已撤。里面的提现等下一个文件。"), extra_tags="trust")
            return HttpResponseRedirect(f"{HOW}/{identity}")
        except Refusal as caught:
            refusal = caught
    rows = paying.of_file(row.id)
    ids = [r.member_id for r in rows]
    names, payees = members.cards(ids), paying.payees(ids)
    context = {"row": row, "payouts": [(r, names.get(r.member_id), payees.get(r.member_id)) for r in rows],
               "me": http.actor(request).id, "refusal": refusal, "form": request.POST,
               "parts": [row.sha256[i : i + 8] for i in range(0, 64, 8)]}  # fmt: skip
    return http.page(request, "bank_file", context, status=http.refused(refusal))


@http.door("payouts")
def policy(request: HttpRequest) -> HttpResponse:
    """The settings of payouts, each with its meaning; and what each rail still lacks."""
    refusal = None
    if request.method == "POST":
        typed = {code: request.POST[code] for code in BY_CODE if code in request.POST and code != "rails"}
        typed["rails"] = ",".join(request.POST.getlist("rails"))
        try:
            changed = payouts.change_policy(changes=typed, by=http.actor(request), at=clock.now())
            messages.success(request, _("改了 %(n)s 项。") % {"n": changed}, extra_tags="trust")
            return HttpResponseRedirect("/console/payouts/settings")
        except Refusal as caught:
            refusal = caught
    rows = [
        {"s": s, "anchor": forms.anchor(s.code), "value": request.POST.get(s.code, value), "row": row}
        for s, value, row in shown()
        if s.kind not in ("rails", "rail")
    ]
    now = paying.policy()
    rails = [(name, rail.title, name in now.rails, rail.missing(), rail.by_file) for name, rail in RAILS.items()]
    context = {"rows": rows, "rails": rails, "now": now, "refusal": refusal, "form": request.POST}
    return http.page(request, "payout_settings", context, status=http.refused(refusal))
