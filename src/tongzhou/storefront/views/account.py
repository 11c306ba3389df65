"""Signing in, and what is one's own."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.kit import clock, senders
from tongzhou.kit.actor import member as actor
from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.orders import commands as carts
from tongzhou.orders import queries as orders
from tongzhou.people import commands, queries
from tongzhou.people.rules import normal_phone
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import commands as sharing
from tongzhou.sharing import queries as shared
from tongzhou.storefront import http
from tongzhou.storefront.middleware import LANG_COOKIE
from tongzhou.storefront.views import safety
from tongzhou.storefront.views.cart import address_form, picker, read_address
from tongzhou.storefront.views.share import vouch

if TYPE_CHECKING:
    from tongzhou.people.models import Member

BACKEND = "tongzhou.people.backends.MemberBackend"


def sign_in(request: HttpRequest) -> HttpResponse:
    """Phone, then code; one step signs in or signs up. The cart and the touches of this browser come along."""
    at, refusal, phone = http.now(), None, request.POST.get("phone", "").strip()
    sent = False
    if http.member(request) and request.method == "GET":
        return HttpResponseRedirect(http.safe_next(request, "/me"))
    if request.method == "POST":
        try:
            if "code" in request.POST and "resend" not in request.POST:
                return _enter(request, phone)
            commands.request_code(phone=phone, ip=request.META.get("REMOTE_ADDR", ""), at=at)
            sent = True
        except Refusal as caught:
            refusal = caught
            sent = caught.code in ("code_too_soon", "code_wrong", "code_expired", "code_used_up", "terms_needed")
    demo_code = senders.shown(normal_phone(phone) or "") if sent else None
    context = {"phone": phone, "sent": sent, "refusal": refusal, "next": http.safe_next(request, "/me"),
               "vouch": vouch(request, None, at), "demo_code": demo_code, "form": request.POST}  # fmt: skip
    return http.page(request, "signin", context, status=422 if refusal else 200)


def _enter(request: HttpRequest, phone: str) -> HttpResponse:
    at = http.now()
    done = commands.sign_in(
        phone=phone, code=request.POST["code"], at=at, display_name=request.POST.get("name", ""),
        language=request.LANGUAGE_CODE or "", agreed="agree" in request.POST,
    )  # fmt: skip
    visitor = http.visitor_id(request)
    member = queries.account(done.member_id)
    login(request, member, backend=BACKEND)
    if visitor is not None:
        sharing.join_visitor(visitor_id=visitor, member_id=member.id, at=at)
        carts.join_cart(visitor_id=visitor, member_id=member.id, at=at)
        if done.created:
            _bind(member, visitor, at)
    if done.created:
        commands.give_consents(member_id=member.id, purposes=("terms", "privacy"), at=at)
        if "show_name" in request.POST:
            commands.set_name_consent(member_id=member.id, given=True, by=actor(member.id, member.display_name), at=at)
    http.recount(request, member.id)
    safety.seen(request, member, at)
    return HttpResponseRedirect(http.safe_next(request, "/me"))


def _bind(member: "Member", visitor: UUID, at: datetime) -> None:
    """A new member was invited by whoever's link was opened first; a loop or a self-invitation is passed over."""
    touch = shared.first_touch(visitor, since=at - timedelta(days=90))
    if touch is None or touch.sharer_id == member.id:
        return
    try:
        commands.bind(
            invitee_id=member.id,
            inviter_id=touch.sharer_id,
            source="link",
            by=actor(member.id, member.display_name),
            at=at,
        )
    except Refusal as refusal:
        if refusal.kind not in (Kind.CONFLICT, Kind.INVALID):
            raise


def sign_out(request: HttpRequest) -> HttpResponse:
    """Leave on this device, or on every one."""
    who = http.member(request)
    if who and "everywhere" in request.POST:
        commands.sign_out_everywhere(member_id=who.id, by=actor(who.id, who.display_name), at=http.now())
    logout(request)
    return HttpResponseRedirect("/")


def me(request: HttpRequest) -> HttpResponse:
    """One's own page."""
    who, at = http.need_member(request), http.now()
    month = clock.day_start(clock.mall_day(at).replace(day=1))
    context = {"tab": "me", "who": queries.card(who.id), "counts": orders.counts_of(who.id), "roles": queries.roles(who.id),
               "saved": orders.saved_this_month(who.id, month), "earned": rewards.earned_since(who.id, month),
               "purse": rewards.earnings(who.id), "consents": queries.consents(who.id)}  # fmt: skip
    return http.page(request, "me", context)


def rename(request: HttpRequest) -> HttpResponse:
    """Change the shown name."""
    who = http.need_member(request)
    commands.rename(
        member_id=who.id, display_name=request.POST.get("name", ""), by=actor(who.id, who.display_name), at=http.now()
    )
    return HttpResponseRedirect("/me")


def addresses(request: HttpRequest) -> HttpResponse:
    """The address book."""
    who, refusal = http.need_member(request), None
    if request.method == "POST" and "next_level" not in request.POST:
        try:
            if request.POST.get("delete"):
                commands.delete_address(
                    member_id=who.id, address_id=http.as_uuid(request.POST["delete"], "address"), at=http.now()
                )
            else:
                commands.save_address(
                    member_id=who.id, address=read_address(request, who.id), at=http.now(), is_default="default" in request.POST
                )  # fmt: skip
                messages.success(request, _("地址已保存。"), extra_tags="trust")
            return HttpResponseRedirect("/me/addresses")
        except Refusal as caught:
            refusal = caught
    form = address_form(request)
    context = {
        "rows": queries.addresses(who.id),
        "refusal": refusal,
        "form": form,
        "picker": picker(form["code"]),
        "back": "/me",
    }
    return http.page(request, "addresses", context, status=422 if refusal else 200)


def export(request: HttpRequest) -> HttpResponse:
    """One's own data as a file."""
    who = http.need_member(request)
    body = json.dumps(queries.export(who.id), ensure_ascii=False, indent=2, default=str)
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="tongzhou-my-data.json"'
    return response


def language(request: HttpRequest) -> HttpResponse:
    """Switch the language; a cookie, and the member's own setting when signed in."""
    chosen = request.GET.get("to", "")
    response = HttpResponseRedirect(http.safe_next(request))
    if chosen in ("zh-hans", "en"):
        response.set_cookie(LANG_COOKIE, chosen, max_age=365 * 86400, samesite="Lax")
        who = http.member(request)
        if who is not None:
            commands.set_language(member_id=who.id, language=chosen)
    return response
