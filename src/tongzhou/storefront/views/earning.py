"""What somebody earns, why, and how it is paid out."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.kit import clock
from tongzhou.kit.actor import member as actor
from tongzhou.kit.money import parse_major
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.payouts import batches, commands, queries
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared
from tongzhou.storefront import funnels, http
from tongzhou.storefront.views import safety
from tongzhou.storefront.views.payouts import confirm_with


def _month(at: datetime) -> datetime:
    return clock.day_start(clock.mall_day(at).replace(day=1))


def earn(request: HttpRequest) -> HttpResponse:
    """The purse, the river, the links, every single reward."""
    who, at = http.member(request), http.now()
    if who is None:
        return http.page(request, "earn_guest", {"tab": "earn", "plan": http.plan(at), "levels": http.levels(at)})
    before = http.as_uuid(request.GET["before"], "before") if request.GET.get("before") else None
    rows = rewards.rewards_of(who.id, before=before, limit=20)
    names = members.cards([r.buyer_id for r in rows])
    bought = orders.lines_by_id([r.line_id for r in rows])
    context = {
        "tab": "earn", "purse": rewards.earnings(who.id), "saved": orders.saved_this_month(who.id, _month(at)),
        "rows": [(r, names.get(r.buyer_id), bought.get(r.line_id)) for r in rows],
        "links": funnels.of(who.id, at, limit=3),
        "today": shared.member_day(who.id, clock.day_start(clock.mall_day(at))), "at": at,
        "earned": rewards.earned_since(who.id, _month(at)), "more": rows[-1].id if len(rows) == 20 else None,
        "month": orders.sharer_orders(who.id, _month(at)), "plan": http.plan(at),
    }  # fmt: skip
    return http.page(request, "earn", context)


def payout(request: HttpRequest) -> HttpResponse:
    """Ask for a payout; payee first, then the amount; and all payouts so far."""
    who, at = http.need_member(request), http.now()
    refusal = None
    if request.method == "POST":
        try:
            _ask(request, who.id, who.display_name, at)
            return HttpResponseRedirect("/earn/payout")
        except Refusal as caught:
            if caught.kind in (Kind.NOT_FOUND, Kind.SIGN_IN):
                raise
            refusal = caught
    rows = queries.payouts_of(who.id)
    releases = queries.releases_of([r.id for r in rows])
    year = clock.mall_day(at).year
    context = {
        "purse": rewards.earnings(who.id), "payee": queries.payee(who.id), "rows": [(r, releases[r.id]) for r in rows],
        "tax": queries.tax_statement(who.id, year), "year": year, "refusal": refusal, "form": request.POST,
        "open": queries.has_open(who.id), "back": "/earn", "rails": _rails(),
        "edit": "payee" in request.GET or "legal_name" in request.POST,
        "confirm": confirm_with(rows),
    }  # fmt: skip
    return http.page(request, "payout", context, status=422 if refusal else 200)


def _rails() -> list[tuple[str, str]]:
    """The open rails a payee may choose from, the default first."""
    now, titles = queries.policy(), batches.rail_titles()
    return [(name, titles[name]) for name in sorted(now.rails, key=lambda n: n != now.rail)]


def _ask(request: HttpRequest, member_id: UUID, name: str, at: datetime) -> None:
    if "legal_name" in request.POST:
        commands.register_payee(
            member_id=member_id, legal_name=request.POST["legal_name"], account=request.POST.get("account", ""),
            born=request.POST.get("born", ""), rail=request.POST.get("rail", ""),
            id_number=request.POST.get("id_number", ""), by=actor(member_id, name), at=at,
        )  # fmt: skip
        safety.paid_out_to(member_id, request.POST.get("account", ""), at)
        messages.success(request, _("收款人资料已加密保存。"), extra_tags="trust")
        return
    try:
        amount = parse_major(request.POST.get("amount", ""))
    except ValueError:
        raise invalid(
            "amount",
            _("金额看不懂。"),
            field="amount",
            value=request.POST.get("amount", ""),
            fix=_("写成 12.90 这样。"),
        ) from None
    commands.request(member_id=member_id, amount_minor=amount, at=at)
    messages.success(request, _("已申请提现。两位财务同事核对后打款。"), extra_tags="trust")
