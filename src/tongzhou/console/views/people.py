"""Members with masked phones, and the audit trail."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tongzhou.console import actions, forms, http
from tongzhou.kit import audit as trail
from tongzhou.kit import clock
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.payouts import queries as payouts
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards


@http.door("members")
def listing(request: HttpRequest) -> HttpResponse:
    """Members, newest first; found by a whole phone, an invite code or the start of a name."""
    query = request.GET.get("q", "").strip()
    rows = members.listing(before=forms.before(request), query=query, limit=forms.PAGE + 1)
    more, rows = len(rows) > forms.PAGE, rows[: forms.PAGE]
    bound = members.inviters_of([r.id for r in rows])
    names = members.cards(bound.values())
    table = [(r, names.get(bound[r.id]) if r.id in bound else None) for r in rows]
    return http.page(request, "members", {"rows": table, "q": query, "more": rows[-1].id if more else None})


@http.door("members")
def member(request: HttpRequest, identity: str) -> HttpResponse:
    """One member: who invited them, what they bought and earned. The whole phone shows once, for a reason that is kept."""
    card = members.card(forms.identity(identity))
    refusal, phone = None, ""
    if request.method == "POST":
        try:
            reason = request.POST.get("reason", "").strip()
            if len(reason) < 4:
                raise invalid(
                    "reason_missing", _("请写明为什么要看全号。"), field="reason", value=reason, rule=_("至少 4 个字")
                )
            trail.record(
                by=http.actor(request), action="member.unmask", subject_kind="member", subject_id=card.id,
                at=clock.now(), reason=reason[:200],
            )  # fmt: skip
            phone = members.full_phone(card.id)
        except Refusal as caught:
            refusal = caught
    inviter = members.inviter_of(card.id)
    invited = list(members.invitees_of(card.id, limit=12))
    names = members.cards([*([inviter[0]] if inviter else []), *[b.invitee_id for b in invited]])
    context = {
        "card": card, "refusal": refusal, "phone": phone, "form": request.POST,
        "inviter": names.get(inviter[0]) if inviter else None, "since": inviter[1] if inviter else None,
        "invited": [(names.get(b.invitee_id), b.at) for b in invited], "purse": rewards.earnings(card.id),
        "orders": orders.orders_of(card.id, limit=8), "rewards": rewards.rewards_of(card.id, limit=8),
        "payouts": payouts.payouts_of(card.id, limit=5), "roles_held": sorted(members.roles(card.id)),
    }  # fmt: skip
    return http.page(request, "member", context, status=http.refused(refusal))


@http.door("audit")
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first; by what it was done to, or by what was done."""
    rows = trail.entries().order_by("-id")
    query, action = request.GET.get("q", "").strip(), request.GET.get("action", "")
    if query:
        rows = rows.filter(subject_id=query)
    if action:
        rows = rows.filter(action=action)
    if request.GET.get("before"):
        rows = rows.filter(id__lt=forms.before(request))
    found = list(rows[: forms.PAGE + 1])
    more, found = len(found) > forms.PAGE, found[: forms.PAGE]
    context = {"rows": found, "q": query, "action": action, "actions": list(actions.ACTIONS.items()),
               "more": found[-1].id if more else None}  # fmt: skip
    return http.page(request, "audit", context)
