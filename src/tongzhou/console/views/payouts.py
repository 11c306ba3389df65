"""Payouts: who asks, what is withheld, and the two keys."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.console import forms, http, money
from tongzhou.kit import audit, clock
from tongzhou.kit.money import plain
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.ledger import queries as books
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries as paying
from tongzhou.payouts import tax
from tongzhou.payouts.models import Payout
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards

VIEWS = ("REQUESTED", "CHECKED", "SENT", "PAID", "FAILED", "REJECTED")


@http.door("payouts")
def listing(request: HttpRequest) -> HttpResponse:
    """Payouts by where they stand; those that wait for the first of two people to begin with."""
    view = request.GET.get("view", "open")
    if view == "open":
        rows = [r for s in ("CHECKED", "REQUESTED") for r in paying.console_list(status=s)]
    else:
        rows = paying.console_list(
            status=view if view in VIEWS else "", before=forms.before(request), limit=forms.PAGE + 1
        )
    more = view != "open" and len(rows) > forms.PAGE
    rows = rows[: forms.PAGE * 2] if view == "open" else rows[: forms.PAGE]
    context = {
        "rows": _table(rows, clock.now()), "view": view, "more": rows[-1].id if more else None,
        "counts": paying.view_counts(), "waiting": paying.waiting(), "me": http.actor(request).id,
        "table": tax.tables()["cumulative"],
    }  # fmt: skip
    return http.page(request, "payouts", context)


def _table(rows: list[Payout], at: datetime) -> list[dict[str, Any]]:
    """Rows with who, the keys turned so far, and the tax: as fixed, or as it would be if released now."""
    ids = [r.member_id for r in rows]
    names, payees, keys = members.cards(ids), paying.payees(ids), paying.releases_of([r.id for r in rows])
    out = []
    for r in rows:
        waits = r.status in ("REQUESTED", "CHECKED")
        withheld, months = payouts.withholding(r, at) if waits else (r.tax_minor, r.tax_months)
        out.append({"row": r, "who": names.get(r.member_id), "payee": payees.get(r.member_id), "keys": keys[r.id],
                    "tax": withheld, "months": months, "net": r.gross_minor - withheld - r.fee_minor, "waits": waits})  # fmt: skip
    return out


@http.door("payouts")
def release(request: HttpRequest) -> HttpResponse:
    """Several payouts at once: what will happen is shown first; the second person types the net sum from the bank's page."""
    asked = request.POST if request.method == "POST" else request.GET
    rows = paying.payouts_by_id([forms.identity(i) for i in asked.getlist("id")[: forms.PAGE * 2]])
    table, me, refusal = _table(rows, clock.now()), http.actor(request).id, None
    ready: list[dict[str, Any]] = []
    left: list[tuple[dict[str, Any], str]] = []
    for item in table:
        why = _not_mine(item, me)
        (left.append((item, why)) if why else ready.append(item))
    second = [i for i in ready if i["row"].status == "CHECKED"]
    net = sum(i["net"] for i in second)
    if request.method == "POST":
        try:
            _turn(request, ready, second, net)
            return HttpResponseRedirect("/console/payouts")
        except Refusal as caught:
            refusal = caught
    context = {"ready": ready, "left": left, "second": second, "first": len(ready) - len(second), "refusal": refusal,
               "gross": sum(i["row"].gross_minor for i in ready), "tax": sum(i["tax"] for i in ready),
               "net": sum(i["net"] for i in ready), "sealed": books.sealed_through(), "form": request.POST,
               "table": tax.tables()["cumulative"]}  # fmt: skip
    return http.page(request, "payouts_release", context, status=http.refused(refusal))


def _not_mine(item: dict[str, Any], me: object) -> str:
    if not item["waits"]:
        return _("不在等人放款")
    if item["row"].member_id == me:
        return _("收款人是你自己")
    if any(k.by_id == me for k in item["keys"]):
        return _("第一人就是你，要换一个人")
    return ""


def _turn(request: HttpRequest, ready: list[dict[str, Any]], second: list[dict[str, Any]], net: int) -> None:
    errors: list[Refusal] = []
    if not ready:
        raise invalid("nothing_chosen", _("没有你能放的。"), field="payout")
    typed = forms.amount(request.POST.get("net", ""), "net", errors)
    if second and (errors or typed != net):
        raise invalid(
            "net_differs", _("净额不对。"), field="net", value=request.POST.get("net", ""),
            rule=_("与这一批第二人要放的净额一致，写到分"), fix=_("照着银行页面再输一遍。"),
        )  # fmt: skip
    by, at, done, refused = http.actor(request), clock.now(), 0, []
    for item in ready:
        try:
            payouts.release(payout_id=item["row"].id, by=by, at=at)
            done += 1
        except Refusal as caught:  # one that moved meanwhile holds up no other
            refused.append(f"{item['row'].bill_no[-8:]} {caught.message}")
    if done:
        messages.success(
            request,
            _("转了 %(n)s 笔的钥匙，其中 %(m)s 笔开始打款。") % {"n": done, "m": len(second)},
            extra_tags="trust",
        )
    for said in refused:
        messages.error(request, said, extra_tags="stop")


@http.door("payouts")
def detail(request: HttpRequest, identity: str) -> HttpResponse:
    """One payout: its keys, its tax, its money; release it or give it back."""
    row, refusal, at = paying.payout(forms.identity(identity)), None, clock.now()
    if request.method == "POST":
        try:
            _decide(request, row, at)
            return HttpResponseRedirect(f"/console/payouts/{identity}")
        except Refusal as caught:
            refusal = caught
    item = _table([row], at)[0]
    context = {**item, "refusal": refusal, "form": request.POST, "me": http.actor(request).id,
               "not_mine": _not_mine(item, http.actor(request).id), "posted": money.of_stories([row.id]),
               "purse": rewards.earnings(row.member_id), "year": paying.tax_statement(row.member_id, clock.mall_day(at).year),
               "trail": list(audit.trail("payout", row.bill_no)[:20]), "shown_net": plain(item["net"], settings.CURRENCY)}  # fmt: skip
    return http.page(request, "payout", context, status=http.refused(refusal))


def _decide(request: HttpRequest, row: Payout, at: datetime) -> None:
    by = http.actor(request)
    if request.POST.get("act") == "reject":
        payouts.reject(payout_id=row.id, reason=request.POST.get("reason", ""), by=by, at=at)
        messages.success(request, _("已退回，金额回到可提。"), extra_tags="trust")
        return
    now = payouts.release(payout_id=row.id, by=by, at=at)
    said = _("已核对，等第二位放款。") if now == "CHECKED" else _("已放款，正在打款。")
    messages.success(request, said, extra_tags="trust")
