"""Whose law the mall lives under: one owner proposes another jurisdiction, another person confirms."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.compliance import commands as compliance
from tongzhou.compliance import profiles
from tongzhou.compliance import queries as findings
from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.refusals import Refusal, invalid


@http.door("plans", act=http.OWNER)
def law(request: HttpRequest) -> HttpResponse:
    """The jurisdiction in force, what it allows, and its changes."""
    refusal = None
    if request.method == "POST":
        try:
            messages.success(request, _act(request), extra_tags="trust")
            return HttpResponseRedirect("/console/plans/law")
        except Refusal as caught:
            refusal = caught
    code = findings.mall_profile()
    changes = list(findings.profile_changes()[:20])
    context = {
        "refusal": refusal, "form": request.POST, "profile": profiles.load(code), "forced": findings.forced(),
        "choices": [c for c in profiles.CODES if c != code], "can_act": http.may(request, http.OWNER),
        "open": [c for c in changes if not c.confirmed_at and not c.declined_at], "me": http.actor(request).id,
        "past": [c for c in changes if c.confirmed_at or c.declined_at],
    }  # fmt: skip
    return http.page(request, "law", context, status=http.refused(refusal))


def _act(request: HttpRequest) -> str:
    act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
    if act == "propose":
        compliance.propose_profile(
            new=request.POST.get("profile", ""), reason=request.POST.get("reason", ""), by=by, at=at
        )
        return _("已提出，等另一个人确认。")
    if act in ("confirm", "decline"):
        verb = compliance.confirm_profile if act == "confirm" else compliance.decline_profile
        verb(change_id=forms.identity(request.POST.get("change", "")), by=by, at=at)
        return _("已更换。从现在起按新的法域检查和付款。") if act == "confirm" else _("已搁下。")
    raise invalid("act_unknown", _("不认识这个动作。"), field="act", value=act)
