"""Dead letters, periodic jobs, stuck refunds, and who may do what."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.console import forms, http
from tongzhou.kit import audit, clock, worker
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.people import commands as people
from tongzhou.people import queries as members

ROLES = ("operator", "finance", "support", "owner")


@http.door("system")
def system(request: HttpRequest) -> HttpResponse:
    """What did not get through, what runs by the clock, and the staff."""
    refusal = None
    if request.method == "POST":
        try:
            messages.success(request, _mend(request), extra_tags="trust")
            return HttpResponseRedirect("/console/system")
        except Refusal as caught:
            refusal = caught
    staff = members.operators()
    cards = members.cards(staff)
    context = {
        "dead": worker.dead_letters()[:50], "jobs": worker.jobs(), "backlog": worker.backlog(1000),
        "stuck": paid.stuck_refunds(), "roles_of": [(m, cards.get(m), sorted(r)) for m, r in staff.items()],
        "refusal": refusal, "form": request.POST, "choices": ROLES, "at": clock.now(),
    }  # fmt: skip
    return http.page(request, "system", context, status=http.refused(refusal))


def _mend(request: HttpRequest) -> str:
    act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
    if act == "revive":
        row = forms.identity(request.POST.get("row", ""))
        worker.revive(row, at=at)
        audit.record(by=by, action="delivery.revive", subject_kind="delivery", subject_id=row, at=at)
        return _("已放回队列。")
    if act == "refund":
        row = forms.identity(request.POST.get("row", ""))
        payments.retry_refund(refund_id=row, by=by, at=at)
        audit.record(by=by, action="refund.retry", subject_kind="refund", subject_id=row, at=at)
        return _("正在再退一次。")
    if act == "revoke":
        people.revoke_role(
            member_id=forms.identity(request.POST.get("member", "")), role=request.POST.get("role", ""), by=by, at=at
        )
        return _("已撤掉这个角色。")
    if act == "staff":
        name = request.POST.get("name", "").strip()
        if not 1 <= len(name) <= 20:
            raise invalid("name_invalid", _("请写名字。"), field="name", value=name, rule=_("1 到 20 个字"))
        people.create_operator(
            phone=request.POST.get("phone", ""), name=name, password=request.POST.get("password", ""),
            roles={request.POST.get("role", "")}, by=by, at=at,
        )  # fmt: skip
        return _("已添加。请把初始密码当面告诉他。")
    raise invalid("act_unknown", _("不认识这个动作。"), field="act", value=act)
