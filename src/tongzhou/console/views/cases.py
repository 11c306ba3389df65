"""After-sale: who waits, and what an answer will do to the money before it is given."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale import queries as cases
from tongzhou.console import forms, http
from tongzhou.fulfilment import queries as parcels
from tongzhou.kit import audit, clock
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards

if TYPE_CHECKING:
    from tongzhou.aftersale.models import Case

VIEWS = {"answer": "REQUESTED", "send": "APPROVED", "receive": "RETURNING", "done": "REFUNDED", "no": "REJECTED",
         "all": ""}  # fmt: skip


@http.door("cases")
def listing(request: HttpRequest) -> HttpResponse:
    """Returns and refunds: those that wait for an answer first."""
    view = request.GET.get("view", "answer")
    rows = cases.console_list(status=VIEWS.get(view, ""), before=forms.before(request), limit=forms.PAGE + 1)
    more, rows = len(rows) > forms.PAGE, rows[: forms.PAGE]
    names = members.cards([r.buyer_id for r in rows])
    late = {r.id: r.opened_at + aftersale.ANSWER_WITHIN for r in rows if r.status == "REQUESTED"}
    context = {
        "rows": [(r, names.get(r.buyer_id), late.get(r.id)) for r in rows], "view": view, "at": clock.now(),
        "more": rows[-1].id if more else None, "counts": cases.view_counts(), "oldest": cases.oldest_waiting(),
    }  # fmt: skip
    return http.page(request, "cases", context)


@http.door("cases")
def detail(request: HttpRequest, no: str) -> HttpResponse:
    """One case: answer it, or take the parcel back."""
    row, lines = cases.case(no)
    refusal = None
    if request.method == "POST":
        try:
            messages.success(request, _act(request, row), extra_tags="trust")
            return HttpResponseRedirect(f"/console/cases/{no}")
        except Refusal as caught:
            refusal = caught
    sold, trail = orders.lines_by_id([x.line_id for x in lines]), list(audit.trail("case", row.no)[:20])
    context = {
        "case": row, "carrier": parcels.shown(row.carrier), "lines": [(x, sold[x.line_id]) for x in lines], "refusal": refusal, "form": request.POST,
        "buyer": members.cards([row.buyer_id]).get(row.buyer_id), "will": _will(row, lines, sold),
        "due": row.opened_at + aftersale.ANSWER_WITHIN, "trail": trail, "granted": any(e.action == "case.granted" for e in trail),
        "order": orders.order_by_id(row.order_id), "others": [c for c in cases.cases_of_order(row.order_id) if c.id != row.id],
    }  # fmt: skip
    return http.page(request, "case", context, status=http.refused(refusal))


def _act(request: HttpRequest, row: "Case") -> str:
    act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
    if act == "approve":
        aftersale.approve(case_id=row.id, by=by, at=at, answer=request.POST.get("answer", ""))
        return _("已同意。") if row.kind == "return" else _("已同意，正在按原路退款。")
    if act == "reject":
        aftersale.reject(case_id=row.id, by=by, at=at, answer=request.POST.get("answer", ""))
        return _("已答复不同意，买家能看到理由，也能再申请。")
    if act in ("sound", "broken"):
        aftersale.receive_back(case_id=row.id, by=by, at=at, sound=act == "sound")
        return _("已验收，正在按原路退款。")
    raise invalid("act_unknown", _("不认识这个动作。"), field="act", value=act)


def _will(row: "Case", lines: list[Any], sold: dict[Any, Any]) -> dict[str, Any] | None:
    """What agreeing will do: to the buyer, to each sharer's reward, to the goods; None when it is over."""
    if row.status not in ("REQUESTED", "APPROVED", "RETURNING"):
        return None
    back = rewards.if_refunded({x.line_id: x.amount_minor for x in lines})
    people = members.cards([b.sharer_id for b in back])
    return {
        "rewards": [(b, people.get(b.sharer_id), b.standing_minor - b.back_minor) for b in back],
        "units": sum(x.quantity for x in lines),
        "delivered": any(sold[x.line_id].delivered_at for x in lines),
    }
