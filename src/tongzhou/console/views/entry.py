"""The way in: password, first owner, today's decisions."""

from datetime import timedelta

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from tongzhou.aftersale import queries as cases
from tongzhou.catalog import queries as goods
from tongzhou.console import http
from tongzhou.kit import clock, worker
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.payments import queries as payments
from tongzhou.payouts import queries as payouts
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans import queries as plans
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared


def _next(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next") or "/console/"
    return asked if asked.startswith("/console/") and "\\" not in asked else "/console/"


def sign_in(request: HttpRequest) -> HttpResponse:
    """Phone and password; too many tries lock the pair for a quarter of an hour."""
    refusal = None
    if not members.operators():
        return HttpResponseRedirect("/console/setup")
    if request.method == "POST":
        user = authenticate(request, username=request.POST.get("phone", ""), password=request.POST.get("password", ""))
        if user is not None:
            login(request, user)
            request.session[http.MARK] = int(clock.now().timestamp())
            return HttpResponseRedirect(_next(request))
        refusal = invalid("sign_in_failed", _("手机号或密码不对。"), fix=_("连续 8 次不对会锁 15 分钟。"))
    return http.page(request, "signin", {"refusal": refusal, "next": _next(request)}, status=422 if refusal else 200)


def setup(request: HttpRequest) -> HttpResponse:
    """The first owner of a new mall; gone once there is one."""
    refusal = None
    if members.operators():
        return HttpResponseRedirect("/console/sign-in")
    if request.method == "POST":
        try:
            people.create_first_owner(
                phone=request.POST.get("phone", ""), name=request.POST.get("name", "")[:20] or "owner",
                password=request.POST.get("password", ""), code=request.POST.get("code", ""), at=clock.now(),
            )  # fmt: skip
            return HttpResponseRedirect("/console/sign-in")
        except Refusal as caught:
            refusal = caught
    return http.page(request, "setup", {"refusal": refusal, "form": request.POST}, status=422 if refusal else 200)


def sign_out(request: HttpRequest) -> HttpResponse:
    """Leave the console."""
    logout(request)
    return HttpResponseRedirect("/console/sign-in")


@http.door("today")
def today(request: HttpRequest) -> HttpResponse:
    """What needs a decision, then how things go."""
    at = clock.now()
    start = clock.day_start(clock.mall_day(at))
    waiting, returns, low = payouts.waiting(), cases.open_count(), goods.low_stock(limit=6)
    week = rewards.promised_to_margin(at - timedelta(days=7))
    context = {
        "at": at, "to_ship": orders.waiting_count("PAID"), "late": orders.due_to_ship(at), "returns": returns,
        "oldest": cases.oldest_waiting(), "payouts": waiting, "low": low, "dead": worker.dead_letters()[:50].count(),
        "stuck": payments.stuck_refunds().count(), "drafts": [p for p in plans.listing()[:20] if p.status == "DRAFT"],
        "chart": _chart(orders.paid_by_day(start - timedelta(days=29))), "refunded": orders.refunded_since(start - timedelta(days=29)),
        "funnel": shared.day_totals(start - timedelta(days=1)), "sealed": books.sealed_through(),
        "share_bp": week[0] * 10_000 // week[1] if week[1] > 0 else 0, "rebinds": len(members.rebind_proposals()),
    }  # fmt: skip
    return http.page(request, "today", context)


def _chart(days: list[dict[str, object]]) -> dict[str, object]:
    """A line of daily paid amounts as an SVG path over 576 × 150, with its highest and newest point."""
    sums = [int(str(d["total"] or 0)) for d in days]
    if len(sums) < 2:
        return {"total": sum(sums), "line": "", "area": "", "top": 0}
    top = max(sums) or 1
    points = [(62 + i * 570 / (len(sums) - 1), 170 - v * 150 / top) for i, v in enumerate(sums)]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return {"total": sum(sums), "line": line, "area": f"{line}L632 170L62 170z", "top": top, "last": sums[-1],
            "x": f"{points[-1][0]:.1f}", "y": f"{points[-1][1]:.1f}", "first": days[0]["day"], "end": days[-1]["day"]}  # fmt: skip
