"""Payouts: who asks, what is withheld, and the two keys."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.console import forms, http, money
from tongzhou.kit import audit, clock
from tongzhou.kit.money import format_minor, plain
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.payouts import batches, tax
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries as paying
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards

if TYPE_CHECKING:
    from tongzhou.payouts.models import Payout

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
        "rows": [i | {"not_mine": _not_mine(i, http.actor(request).id)} for i in _table(rows, clock.now())], "view": view, "more": rows[-1].id if more else None,
        "counts": paying.view_counts(), "waiting": paying.waiting(), "me": http.actor(request).id,
        "table": tax.table("cumulative"),
    }  # fmt: skip
    return http.page(request, "payouts", context)


def _table(rows: "list[Payout]", at: datetime) -> list[dict[str, Any]]:
    """Rows with who, the keys turned so far, and the tax: as fixed, or as it would be if released now."""
    ids = [r.member_id for r in rows]
    names, payees, keys = members.cards(ids), paying.payees(ids), paying.releases_of([r.id for r in rows])
    held = paying.withholdings([r for r in rows if r.status in ("REQUESTED", "CHECKED")], at)
    out = []
    for r in rows:
        now = held.get(r.id)
        withheld = now.tax_minor + now.vat_minor if now else r.tax_minor + r.vat_minor
        out.append({"row": r, "who": names.get(r.member_id), "payee": payees.get(r.member_id), "keys": keys[r.id],
                    "tax": withheld, "months": now.months if now else r.tax_months, "net": r.gross_minor - withheld,
                    "waits": now is not None})  # fmt: skip
    return out


@http.door("payouts")
def release(request: HttpRequest) -> HttpResponse:
    """Several payouts at once: what will happen is shown first; the second person types the net sum from the bank's page."""
    asked = request.POST if request.method == "POST" else request.GET
    ids = [forms.identity(i) for i in asked.getlist("id")[: forms.PAGE * 2]]
    refusal = None
    if request.method == "POST":
        try:
            _turn(request, ids)
            return HttpResponseRedirect("/console/payouts")
        except Refusal as caught:
            refusal = caught
    batch = batches.preview(ids, by=http.actor(request), at=clock.now())
    names = members.cards([r.member_id for r in batch.rows] + [x.member_id for x in batch.left if x.member_id])
    keys = paying.releases_of([r.payout_id for r in batch.rows])
    context = {
        "batch": batch, "ready": [(r, names.get(r.member_id), keys[r.payout_id]) for r in batch.rows], "ids": ids,
        "left": [(x, names.get(x.member_id) if x.member_id else None) for x in batch.left], "refusal": refusal,
        "first": len(batch.rows) - len(batch.second), "sealed": books.sealed_through(), "form": request.POST,
        "rails": [(batches.rail_titles()[name], n, net) for name, (n, net) in batch.rails.items()],
        "table": tax.table("cumulative"),
    }  # fmt: skip
    return http.page(request, "payouts_release", context, status=http.refused(refusal))


def _not_mine(item: dict[str, Any], me: object) -> str:
    if not item["waits"]:
        return _("不在等人放款")
    if item["row"].member_id == me:
        return _("收款人是你自己")
    if any(k.by_id == me for k in item["keys"]):
        return _("第一把钥匙是你转的，第二把要另一个人")
    return ""


def _turn(request: HttpRequest, ids: list[UUID]) -> None:
    errors: list[Refusal] = []
    by, at = http.actor(request), clock.now()
    if request.POST.get("act") == "reject":
        done = payouts.reject_many(payout_ids=ids, reason=request.POST.get("reason", ""), by=by, at=at)
        messages.success(request, _("退回了 %(n)s 笔，金额回到可提。") % {"n": done.done}, extra_tags="trust")
    else:
        typed = forms.amount(request.POST.get("net", ""), "net", errors)
        done = payouts.release_many(
            payout_ids=ids, by=by, at=at, typed_net_minor=typed, digest=request.POST.get("digest")
        )
        said = _("转了 %(n)s 笔的钥匙，开始打款 %(net)s。") % {
            "n": done.done,
            "net": format_minor(done.net_minor, settings.CURRENCY),
        }
        messages.success(request, said, extra_tags="trust")
    for one in done.left:
        messages.error(request, f"{str(one.payout_id)[-8:]} {one.message}", extra_tags="stop")


@http.door("payouts")
def detail(request: HttpRequest, identity: str) -> HttpResponse:
    """One payout: its keys, its tax, its money; release it or give it back."""
    row, refusal, at, whole = paying.payout(forms.identity(identity)), None, clock.now(), None
    if request.method == "POST":
        try:
            if request.POST.get("act") == "unmask":
                whole = payouts.reveal_payee(
                    member_id=row.member_id, reason=request.POST.get("why", ""), by=http.actor(request), at=at
                )
            else:
                _decide(request, row, at)
                return HttpResponseRedirect(f"/console/payouts/{identity}")
        except Refusal as caught:
            refusal = caught
    item = _table([row], at)[0]
    item["card"] = item.pop("who")  # on a page, "who" is the person at the desk
    context = {**item, "refusal": refusal, "whole": whole, "form": request.POST, "me": http.actor(request).id,
               "not_mine": _not_mine(item, http.actor(request).id), "posted": money.of_stories([row.id]),
               "purse": rewards.earnings(row.member_id), "year": paying.tax_statement(row.member_id, clock.mall_day(at).year),
               "trail": list(audit.trail("payout", row.bill_no)[:20]), "shown_net": plain(item["net"], settings.CURRENCY)}  # fmt: skip
    return http.page(request, "payout", context, status=http.refused(refusal))


def _decide(request: HttpRequest, row: "Payout", at: datetime) -> None:
    by = http.actor(request)
    if request.POST.get("act") == "reject":
        payouts.reject(payout_id=row.id, reason=request.POST.get("reason", ""), by=by, at=at)
        messages.success(request, _("已退回，金额回到可提。"), extra_tags="trust")
        return
    if request.POST.get("act") == "ask":
        said = _("有了结果。") if payouts.ask_again(payout_id=row.id, by=by, at=at) else _("通道说还没有结果。")
        messages.success(request, said, extra_tags="trust")
        return
    now = payouts.release(payout_id=row.id, by=by, at=at)
    said = _("已核对，等第二位放款。") if now == "CHECKED" else _("已放款，正在打款。")
    messages.success(request, said, extra_tags="trust")
