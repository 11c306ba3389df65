"""Corrections of who invited whom: one person proposes with a reason, another carries it out or lays it aside."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.console import forms, http
from tongzhou.kit import audit, clock
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.people.values import MemberCard

KINDS = ("binding.propose", "binding.confirm", "binding.decline")


@http.door("members", act=http.DESK)
def propose(request: HttpRequest, identity: str) -> HttpResponse:
    """Propose another inviter for a member; what was decided before stays, and nothing changes until confirmed."""
    card, refusal = members.card(forms.identity(identity)), None
    if request.method == "POST":
        try:
            people.propose_rebind(
                invitee_id=card.id, inviter_id=_inviter(request.POST.get("inviter", "")),
                reason=request.POST.get("reason", ""), by=http.actor(request), at=clock.now(),
            )  # fmt: skip
            messages.success(request, _("已提议；要另一个人确认之后才改。"), extra_tags="trust")
            return HttpResponseRedirect(f"/console/members/{card.id}/rebind")
        except Refusal as caught:
            refusal = caught
    inviter, open_ = members.inviter_of(card.id), members.rebind_of(card.id)
    names = members.cards([i for i in (inviter and inviter[0], open_ and open_.new_inviter_id) if i])
    context = {
        "card": card, "refusal": refusal, "form": request.POST, "open": open_, "since": inviter[1] if inviter else None,
        "inviter": names.get(inviter[0]) if inviter else None, "new": names.get(open_.new_inviter_id) if open_ else None,
        "trail": [e for e in audit.trail("member", str(card.id))[:40] if e.action in KINDS],
        "can_act": http.may(request, http.DESK), "invited": members.invitee_count(card.id),
    }  # fmt: skip
    return http.page(request, "rebind", context, status=http.refused(refusal))


def _inviter(text: str) -> UUID:
    """The member of an invite code or a whole phone. *Refuses:* ``unknown_inviter``."""
    found: MemberCard | None = members.by_invite_code(text) or members.by_phone(text.strip())
    if found is None:
        raise invalid(
            "unknown_inviter",
            _("没有找到这位会员。"),
            field="inviter",
            value=text,
            fix=_("写邀请码，或者完整的手机号。"),
        )
    return found.id


@http.door("sharing")
def queue(request: HttpRequest) -> HttpResponse:
    """Corrections that wait for a second person, and those that were decided."""
    refusal = None
    if request.method == "POST":
        try:
            _decide(request, forms.identity(request.POST.get("proposal", "")))
            return HttpResponseRedirect("/console/sharing/bindings")
        except Refusal as caught:
            refusal = caught
    waiting, done = list(members.rebind_proposals()[: forms.PAGE]), members.rebinds_done()
    ids = {
        i
        for p in [*waiting, *done]
        for i in (p.invitee_id, p.old_inviter_id, p.new_inviter_id, p.proposed_by, p.confirmed_by, p.declined_by)
        if i
    }
    context = {"waiting": waiting, "done": done, "names": members.cards(ids), "refusal": refusal, "form": request.POST,
               "me": http.actor(request).id}  # fmt: skip
    return http.page(request, "bindings", context, status=http.refused(refusal))


def _decide(request: HttpRequest, proposal: UUID) -> None:
    by, at = http.actor(request), clock.now()
    if request.POST.get("act") == "decline":
        people.decline_rebind(proposal_id=proposal, reason=request.POST.get("reason", ""), by=by, at=at)
        messages.success(request, _("已搁下，绑定没有变。"), extra_tags="trust")
        return
    people.confirm_rebind(proposal_id=proposal, by=by, at=at)
    messages.success(request, _("已改。以前的归因和报酬不动，以后的订单按新的算。"), extra_tags="trust")
