"""The way in: password, first owner, today's decisions."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from tongzhou.aftersale import queries as cases
from tongzhou.catalog import queries as goods
from tongzhou.console import http
from tongzhou.kit import clock, worker
from tongzhou.kit.actor import operator
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

if TYPE_CHECKING:
    from tongzhou.plans.models import PlanVersion


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
    return http.page(
        request,
        "signin",
        {"refusal": refusal, "next": _next(request), "form": request.POST},
        status=422 if refusal else 200,
    )


def setup(request: HttpRequest) -> HttpResponse:
    """The first owner of a new mall; gone once there is one."""
    refusal = None
    if members.operators():
        return HttpResponseRedirect("/console/sign-in")
    if request.method == "POST":
        try:
            people.create_first_owner(
                phone=request.POST.get("phone", ""), name=request.POST.get("name", "").strip()[:20] or "owner",
                password=request.POST.get("password", ""), code=request.POST.get("code", ""), at=clock.now(),
            )  # fmt: skip
            return HttpResponseRedirect("/console/sign-in")
        except Refusal as caught:
            refusal = caught
    return http.page(request, "setup", {"refusal": refusal, "form": request.POST}, status=422 if refusal else 200)


def sign_out(request: HttpRequest) -> HttpResponse:
    """Leave the console, on every device: a copied cookie opens nothing after this."""
    if request.user.is_authenticated:
        who = request.user
        people.sign_out_everywhere(member_id=who.id, by=operator(who.id, who.display_name), at=clock.now())
    logout(request)
    return HttpResponseRedirect("/console/sign-in")


@http.door("today")
def find(request: HttpRequest) -> HttpResponse:
    """From the search on the first page to where the words belong: an order, a case, a member, or goods."""
    query = request.GET.get("q", "").strip()
    roles: http.Roles = request.console["roles"]  # type: ignore[attr-defined]
    upper = query.upper()
    if upper.startswith("AS") and upper.isascii() and upper[2:].isdigit():
        return HttpResponseRedirect(f"/console/cases/{upper}")
    if upper.startswith("TZ") and upper.isascii() and upper[2:].isdigit():
        return HttpResponseRedirect(f"/console/orders/{upper}")
    room = (
        "products"
        if roles & http.DESK and not query.lstrip("+").isdigit()
        else "members"
        if roles & http.CARE
        else "audit"
    )
    return HttpResponseRedirect(f"/console/{room}?q={quote(query)}")


@http.door("today")
def today(request: HttpRequest) -> HttpResponse:
    """What needs a decision, then how things go. Each figure leads to its rows; each role sees what it may decide."""
    at, roles = clock.now(), request.console["roles"]  # type: ignore[attr-defined]
    start = clock.day_start(clock.mall_day(at))
    context: dict[str, Any] = {"at": at, "sealed": books.sealed_through(), "proof": books.last_proof(), "refunded": orders.refunded_since(start - timedelta(days=29)),
                               "chart": _chart(orders.paid_by_day(start - timedelta(days=29)), clock.mall_day(at))}  # fmt: skip
    if roles & http.CARE:
        context |= {"to_ship": orders.waiting_count("PAID", 1000), "late": orders.due_to_ship(at, limit=1000),
                    "returns": cases.open_count(), "oldest": cases.oldest_waiting()}  # fmt: skip
    if roles & (http.CARE | http.MONEY):
        context["disputes"] = payments.open_disputes()
    if roles & http.MONEY:
        context |= {"payouts": payouts.waiting(), "keys": payouts.view_counts(), "flight": books.money_in_flight()}
    if roles & http.DESK:
        drafts = [p for p in plans.listing()[:20] if p.status == "DRAFT"]
        context |= {"low": goods.low_stock(limit=6), "drafts": [(p, _blocks(p), list(dict.fromkeys(f["id"] for f in p.findings))[:4]) for p in drafts],
                    "unpublished": goods.view_counts()["draft"]}  # fmt: skip
    if roles & http.OWNER:
        context |= {"dead": worker.dead_letters()[:50].count(), "stuck": payments.stuck_refunds().count()}
    week = rewards.promised_to_margin(at - timedelta(days=7))
    funnel = shared.day_totals(start - timedelta(days=1))
    context |= {"funnel": funnel, "wide": max([1, *funnel.values()]),
                "share_bp": week[0] * 10_000 // week[1] if week[1] > 0 else 0}  # fmt: skip
    context["things"] = sum(bool(context.get(k)) for k in ("to_ship", "drafts", "low", "unpublished", "disputes")) + bool(
        context.get("dead") or context.get("stuck")) + sum(bool(context.get(k, {}).get(n)) for k, n in (
            ("returns", "answer"), ("returns", "receive"), ("payouts", "count")))  # fmt: skip
    return http.page(request, "today", context)


def _blocks(row: "PlanVersion") -> int:
    return sum(1 for f in row.findings if f.get("severity") == "BLOCK")


def _chart(rows: list[dict[str, Any]], today: date) -> dict[str, Any]:
    """Thirty days of paid amounts as an SVG path over 570 × 150, with the highest and the newest point."""
    paid = {d["day"]: d for d in rows}
    none = {"total": 0, "n": 0}
    days = [
        {"day": day, **{k: paid.get(day, none)[k] for k in none}}
        for day in (today - timedelta(days=n) for n in range(29, -1, -1))
    ]
    sums = [int(d["total"] or 0) for d in days]
    if not any(sums):
        return {"total": 0, "line": "", "area": "", "top": 0}
    top = max(sums) or 1
    points = [(62 + i * 570 / (len(sums) - 1), 170 - v * 150 / top) for i, v in enumerate(sums)]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    high = sums.index(max(sums))
    return {
        "total": sum(sums), "line": line, "area": f"{line}L632 170L62 170z", "top": top, "half": top // 2,
        "last": sums[-1], "x": f"{points[-1][0]:.1f}", "y": f"{points[-1][1]:.1f}", "first": days[0]["day"],
        "middle": days[len(days) // 2]["day"], "end": days[-1]["day"], "high_day": days[high]["day"],
        "high_x": f"{points[high][0]:.1f}", "high_y": f"{points[high][1]:.1f}", "right": high > len(sums) * 2 // 3,
        "days": [(d["day"], int(d["total"] or 0), d["n"]) for d in reversed(days)],
    }  # fmt: skip
