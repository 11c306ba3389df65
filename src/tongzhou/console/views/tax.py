"""Tax: what stands, who decides on VAT, what goes to the tax office, reports and statements."""

from datetime import date
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.money import format_minor
from tongzhou.kit.numbers import whole
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import proofs, statements
from tongzhou.payouts import queries as paying
from tongzhou.payouts import tax as rules
from tongzhou.people import queries as members


@http.door("tax")
def overview(request: HttpRequest) -> HttpResponse:
    """The year, the standing tax, decisions, remittances, the report of a quarter."""
    refusal, today = None, clock.mall_day(clock.now())
    if request.method == "POST":
        try:
            return _act(request)
        except Refusal as caught:
            refusal = caught
    year = _year(request.GET.get("year", ""), today.year)
    after = forms.identity(request.GET["after"]) if request.GET.get("after") else None
    rows = statements.members_of(year, after=after, limit=forms.PAGE)
    names = members.cards([UUID(str(r["member_id"])) for r in rows])
    kind, table = rules.rule_on(today)
    cited = "citation_en" if (get_language() or "").startswith("en") else "citation"
    vat = rules.table("vat_withholding") or {}
    context = {
        "year": year, "years": range(today.year, today.year - 4, -1), "totals": statements.year_totals(year),
        "standing": statements.standing(), "rows": [(r, names.get(r["member_id"])) for r in rows],
        "more": rows[-1]["member_id"] if len(rows) == forms.PAGE else None, "kind": kind, "since": table["valid_from"],
        "citation": table[cited], "vat_citation": vat.get(cited, ""), "decision": paying.vat_decision(), "decisions": paying.decisions(5),
        "remittances": statements.remittances(), "refusal": refusal, "form": request.POST, "me": http.actor(request).id,
        "last_month": _before(today), "last_quarter": _quarter_before(today),
        "problems": list(proofs.tax_reconciles()) if "check" in request.GET else None,
    }  # fmt: skip
    return http.page(request, "tax", context, status=http.refused(refusal))


def _year(text: str, this: int) -> int:
    year = whole(text, digits=4)
    return year if year is not None and 2019 <= year <= this else this


def _before(today: date) -> str:
    return f"{today.year - (today.month == 1)}-{(today.month - 2) % 12 + 1:02d}"


def _quarter_before(today: date) -> str:
    quarter = (today.month - 1) // 3
    return f"{today.year}Q{quarter}" if quarter else f"{today.year - 1}Q4"


def _act(request: HttpRequest) -> HttpResponse:
    act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
    said = ""
    if act == "report":
        quarter = request.POST.get("quarter", "")
        text, _people, _without = statements.platform_report(quarter, by=by, at=at)
        return _csv(text, f"platform-report-{quarter.strip().upper()}.csv")
    if act == "decide":
        payouts.decide_vat(
            decision=request.POST.get("decision", ""), reason=request.POST.get("reason", ""), by=by, at=at
        )
        said = _("已签字，从现在起生效。")
    elif act == "prepare":
        payouts.prepare_remittance(month=_month(request.POST.get("month", "")), by=by, at=at)
        said = _("缴款单已制好，等第二个人照完税凭证确认。")
    elif act in ("confirm", "cancel"):
        key = forms.identity(request.POST.get("row", ""))
        if act == "confirm":
            payouts.confirm_remittance(remittance_id=key, typed_minor=_typed(request), by=by, at=at)
            said = _("已确认，正在一本一本记账。")
        else:
            payouts.cancel_remittance(remittance_id=key, by=by, at=at)
            said = _("已撤。")
    if said:
        messages.success(request, said, extra_tags="trust")
    return HttpResponseRedirect("/console/tax")


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise invalid("month", _("月份写成 2026-07 这样。"), field="month", value=text, rule="YYYY-MM") from None


def _typed(request: HttpRequest) -> int:
    errors: list[Refusal] = []
    found = forms.amount(request.POST.get("amount", ""), "amount", errors)
    if errors:
        raise errors[0]
    return -1 if found is None else found


def _csv(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@http.door("tax")
def member(request: HttpRequest, identity: str) -> HttpResponse:
    """One member's year, on the page or as CSV."""
    key, this = forms.identity(identity), clock.mall_day(clock.now()).year
    year = _year(request.GET.get("year", ""), this)
    found = statements.statement(key, year)
    if request.GET.get("format") == "csv":
        return _csv(statements.statement_csv(found), f"tax-{year}-{key.hex[-8:]}.csv")
    context = {"s": found, "card": members.cards([key]).get(key), "years": statements.years_of(key), "year": year,
               "payee": paying.payee(key), "member_id": key, "total": format_minor(found.tax_minor, settings.CURRENCY)}  # fmt: skip
    return http.page(request, "tax_member", context)
