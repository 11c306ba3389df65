"""Risk: which rewards are held and why, deciding them, and the settings everything follows."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.numbers import whole
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards
from tongzhou.risk import commands, queries, texts


@http.door("risk")
def listing(request: HttpRequest) -> HttpResponse:
    """Held rewards: those that wait for a person first, the oldest at the top."""
    view = request.GET.get("view", "open")
    rows = queries.queue(view, before=forms.before(request), limit=forms.PAGE + 1)
    more, rows = len(rows) > forms.PAGE, rows[: forms.PAGE]
    names = members.cards([r.sharer_id for r in rows] + [r.buyer_id for r in rows])
    stands = rewards.by_ids([r.reward_id for r in rows])
    context = {
        "rows": [(r, names.get(r.sharer_id), names.get(r.buyer_id), stands.get(r.reward_id), texts.said(r.reasons)) for r in rows],
        "view": view, "more": rows[-1].id if more else None, "waiting": queries.waiting(), "at": clock.now(),
        "figures": queries.figures(clock.now() - timedelta(days=30)),
    }  # fmt: skip
    return http.page(request, "risk", context)


@http.door("risk", act=http.DESK)
def detail(request: HttpRequest, identity: str) -> HttpResponse:
    """One hold: what was seen, who is near, what happened, and the decision."""
    row, steps = queries.hold(forms.identity(identity))
    refusal = None
    if request.method == "POST":
        try:
            act = commands.release if request.POST.get("act") == "release" else commands.refuse
            act(hold_id=row.id, reason=request.POST.get("reason", ""), by=http.actor(request), at=clock.now())
            messages.success(request, _("已决定，分享者看得到理由。"), extra_tags="trust")
            return HttpResponseRedirect(f"/console/risk/{identity}")
        except Refusal as caught:
            refusal = caught
    near = queries.around([row.sharer_id, row.buyer_id])
    names = members.cards({row.sharer_id, row.buyer_id} | {m for group in near.values() for m in group})
    reward = rewards.by_ids([row.reward_id]).get(row.reward_id)
    amount = (reward.standing_minor or reward.accrued_minor) if reward else 0  # of a refused one, what it would be
    context = {
        "hold": row, "amount": amount, "reasons": texts.said(row.reasons), "refusal": refusal, "form": request.POST,
        "sharer": names.get(row.sharer_id), "buyer": names.get(row.buyer_id), "at": clock.now(),
        "reward": reward, "open": row.status in ("DELAYED", "OPEN", "APPEALED"),
        "near": [(texts.KINDS[k], [names[m] for m in sorted(group) if m in names]) for k, group in near.items()],
        "steps": [(s, texts.STEPS.get(s.kind, s.kind)) for s in steps], "may": http.may(request, http.DESK),
    }  # fmt: skip
    return http.page(request, "risk_hold", context, status=http.refused(refusal))


@http.door("risk", act=http.OWNER)
def settings(request: HttpRequest) -> HttpResponse:
    """Every setting with its meaning beside it; an owner changes one at a time, with a reason."""
    refusal = None
    if request.method == "POST":
        try:
            _change(request)
            return HttpResponseRedirect("/console/risk/settings")
        except Refusal as caught:
            refusal = caught
    english = (get_language() or "").startswith("en")
    groups: dict[str, list[object]] = {}
    for s in queries.settings():
        groups.setdefault(s.group, []).append((s, s.en if english else s.zh))
    context = {"groups": [(texts.GROUPS[g], rows) for g, rows in groups.items()], "refusal": refusal, "form": request.POST,
               "may": http.may(request, http.OWNER)}  # fmt: skip
    return http.page(request, "risk_settings", context, status=http.refused(refusal))


def _change(request: HttpRequest) -> None:
    key, text = request.POST.get("key", ""), request.POST.get("value", "").strip()
    value = whole(text)
    if value is None:
        raise invalid("not_a_number", _("这里要填一个整数。"), field=key or "value", value=text)
    changed = commands.change_setting(
        key=key, value=value, reason=request.POST.get("reason", ""), by=http.actor(request), at=clock.now()
    )
    messages.success(request, _("已改，记入审计。") if changed else _("和原来一样，没有改。"), extra_tags="trust")
