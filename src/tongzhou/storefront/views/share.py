"""Sharing: the link's door, the share page, the poster."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.catalog import queries as goods
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans.rules import LineFacts, estimate
from tongzhou.sharing import commands, queries
from tongzhou.sharing.poster import render as render_poster
from tongzhou.storefront import http


def land(request: HttpRequest, code: str) -> HttpResponse:
    """``/s/<code>``: write the touch down, then show the product (the code does not stay in the address)."""
    at = http.now()
    visitor, fresh = http.ensure_visitor(request)
    force = http.plan(at)
    touch = commands.touch(
        code=code, visitor_id=visitor, plan_version_id=force.id if force else None, at=at,
        referrer=request.headers.get("Referer", ""), agent=request.headers.get("User-Agent", ""),
    )  # fmt: skip
    slug = goods.slug_of(touch.product_id) if touch.product_id else None
    response = HttpResponseRedirect(f"/products/{slug}" if slug else "/")
    if fresh:
        http.set_visitor(request, response, visitor)
    who = http.member(request)
    if who is not None:
        commands.join_visitor(visitor_id=visitor, member_id=who.id, at=at)
    return response


def vouch(request: HttpRequest, product_id: UUID | None, at: datetime) -> dict[str, Any] | None:
    """Who shared this with the browser that looks, if anybody did within the window."""
    visitor = http.visitor_id(request)
    if visitor is None:
        return None
    force = http.plan(at)
    window = force.plan.attribution.window_days if force else 7
    touch = queries.latest_touch(visitor, since=at - timedelta(days=window))
    who = http.member(request)
    if touch is None or (who is not None and touch.sharer_id == who.id):
        return None
    if product_id is not None and touch.product_id not in (None, product_id):
        return None
    return {"card": members.card(touch.sharer_id), "at": touch.at, "words": queries.words_of(touch.link_id)}


def share(request: HttpRequest, slug: str) -> HttpResponse:
    """A member's share page of a product: link, poster, and exactly what the friend will see."""
    who, at = http.need_member(request), http.now()
    item = goods.product_page(slug, http.discount(at), at=at)
    link = commands.make_link(member_id=who.id, product_id=item.id, at=at)
    force = http.plan(at)
    sku = next((s for s in item.skus if s.available), item.skus[0])
    earning = 0
    if force:
        earning = estimate(force.plan, LineFacts(sku.code, slug, (), sku.price_minor, 0, sku.list_price_minor, None))
    context = {"item": item, "sku": sku, "link": link, "url": settings.SITE_URL + link.url_path, "who": members.card(who.id),
               "earning": earning, "plan": force, "back": f"/products/{slug}"}  # fmt: skip
    return http.page(request, "share", context)


def invite(request: HttpRequest) -> HttpResponse:
    """A member's own invitation: the link to the whole mall, and the code to type at checkout."""
    who, at = http.need_member(request), http.now()
    link = commands.make_link(member_id=who.id, product_id=None, at=at)
    context = {"tab": "earn", "link": link, "url": settings.SITE_URL + link.url_path, "who": members.card(who.id),
               "invited": members.invitee_count(who.id), "back": "/earn"}  # fmt: skip
    return http.page(request, "invite", context)


def poster(request: HttpRequest, code: str) -> HttpResponse:
    """The QR poster of a link as a picture (or a drawing, where the machine has no Chinese font)."""
    at = http.now()
    link = queries.link(code)
    if link is None:
        return http.page(request, "error", {"code": 404}, status=404)
    title, price, art = _("同舟"), 0, ""
    slug = goods.slug_of(link.product_id) if link.product_id else None
    if slug:
        item = goods.product_page(slug, http.discount(at), at=at)
        english = request.LANGUAGE_CODE == "en"
        title, price = (item.title_en if english else item.title), item.price_from_minor
        art = item.pictures[0].src if item.pictures else ""
    made = render_poster(
        title=title, price_minor=price, currency=settings.CURRENCY, sharer=members.card(link.sharer_id).display_name,
        url=settings.SITE_URL + link.url_path, art=art, english=request.LANGUAGE_CODE == "en",
    )  # fmt: skip
    response = HttpResponse(made.body, content_type=made.content_type)
    response["Cache-Control"] = "private, max-age=300"
    return response


def set_consent(request: HttpRequest) -> HttpResponse:
    """Let sharers see one's name, or take it back."""
    who = http.need_member(request)
    given = request.POST.get("given") == "1"
    from tongzhou.kit.actor import member as actor

    people.set_name_consent(member_id=who.id, given=given, by=actor(who.id, who.display_name), at=http.now())
    return HttpResponseRedirect("/me")
