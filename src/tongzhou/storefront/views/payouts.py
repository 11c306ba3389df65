"""A member's tax statement, and the word of a rail."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tongzhou.kit import clock
from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.payouts import commands, statements
from tongzhou.storefront import http

if TYPE_CHECKING:
    from tongzhou.payouts.models import Payout

MOST_NOTICE = 64 * 1024
STATUS = {Kind.FORBIDDEN: 403, Kind.NOT_FOUND: 404, Kind.UNAVAILABLE: 403, Kind.CONFLICT: 409}


@csrf_exempt
def notify(request: HttpRequest, rail: str) -> HttpResponse:
    """A rail's notification: verified, recorded, answered 200. A forged one changes nothing and is refused."""
    if request.method != "POST":
        return JsonResponse({"code": "FAIL", "message": "method"}, status=405)
    try:
        commands.notice(rail, dict(request.headers), request.read(MOST_NOTICE), at=http.now())
    except Refusal as refusal:
        return JsonResponse({"code": "FAIL", "message": refusal.code}, status=STATUS.get(refusal.kind, 422))
    return JsonResponse({"code": "SUCCESS"})


def tax(request: HttpRequest) -> HttpResponse:
    """One's own year: each payout, what was withheld and by which table; as CSV too."""
    who, this = http.need_member(request), clock.mall_day(http.now()).year
    asked = request.GET.get("year", "")
    year = http.as_int(asked, "year", low=2019, high=this) if asked else this
    found = statements.statement(who.id, year)
    if request.GET.get("format") == "csv":
        response = HttpResponse(statements.statement_csv(found), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="tax-{year}.csv"'
        return response
    years = sorted({*statements.years_of(who.id), this}, reverse=True)
    return http.page(request, "tax", {"s": found, "year": year, "years": years, "back": "/earn/payout"})


def confirm_with(rows: "list[Payout]") -> dict[str, str] | None:
    """What WeChat needs to show a payee the page where a payout is confirmed; None when none waits for that."""
    waits = next((r for r in rows if r.package and r.status == "SENT"), None)
    if waits is None:
        return None
    conf = settings.WECHAT_PAY
    return {"mch": conf["MCHID"], "app": conf["APPID"], "package": waits.package}
