"""Sharing: the link's door, the share page, the poster."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductPage
from tongzhou.design.templatetags.shop_tags import art as art_url
from tongzhou.design.templatetags.shop_tags import loc
from tongzhou.kit.actor import member as actor
from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.sharing import commands, queries
from tongzhou.sharing.poster import Said, say
from tongzhou.sharing.poster import render as render_poster
from tongzhou.sharing.values import LinkValue
from tongzhou.storefront import funnels, http
from tongzhou.storefront.promises import promised
from tongzhou.storefront.variants import chosen_sku, costs_more


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
    """A member's share page of a product: the own sentence, link, poster, and exactly what the friend will see."""
    who, at = http.need_member(request), http.now()
    item = goods.product_page(slug, http.discount(at), at=at)
    words, refusal = request.POST.get("words", ""), None
    if request.method == "POST":
        try:
            commands.say(member_id=who.id, product_id=item.id, words=words, at=at)
            return HttpResponseRedirect(f"/products/{slug}/share")
        except Refusal as caught:
            refusal = caught
    link = commands.make_link(member_id=who.id, product_id=item.id, at=at)
    force, sku = http.plan(at), chosen_sku(item)
    earning = promised(force, item, sku) if sku else 0
    card = members.card(who.id)
    said = _said(request, link, card.display_name, item)
    context = {
        "item": item, "sku": sku, "more": costs_more(item, sku), "link": link, "url": settings.SITE_URL + link.url_path, "earning": earning, "plan": force,
        "vouch": {"card": card, "words": link.words}, "refusal": refusal, "words": words if refusal else link.words,
        "said": said, "most": commands.MOST_WORDS, "back": f"/products/{slug}",
    }  # fmt: skip
    return http.page(request, "share", context, status=422 if refusal else 200)


def _said(request: HttpRequest, link: LinkValue, sharer: str, item: ProductPage | None) -> Said:
    """The poster's words: of a product, or of the mall."""
    english = request.LANGUAGE_CODE == "en"
    if item is None:
        return say(title=_("好东西，同舟共享"), sub=_("人人都是会员价"), price_minor=0, currency=settings.CURRENCY, sharer=sharer,
                   quote=link.words, english=english)  # fmt: skip
    sku = chosen_sku(item)
    return say(
        title=loc(item, "title"), sub=loc(item, "subtitle"), price_minor=sku.price_minor if sku else 0, sharer=sharer,
        currency=settings.CURRENCY, more=costs_more(item, sku), quote=link.words, english=english,
    )  # fmt: skip


def invite(request: HttpRequest) -> HttpResponse:
    """A member's own invitation: the link to the whole mall, the code to type at checkout, and every link's funnel."""
    who, at = http.need_member(request), http.now()
    words, refusal = request.POST.get("words", ""), None
    if request.method == "POST":
        try:
            commands.say(member_id=who.id, product_id=None, words=words, at=at)
            return HttpResponseRedirect("/earn/invite")
        except Refusal as caught:
            refusal = caught
    link = commands.make_link(member_id=who.id, product_id=None, at=at)
    card = members.card(who.id)
    context = {
        "tab": "earn", "link": link, "url": settings.SITE_URL + link.url_path, "who": card, "back": "/earn",
        "invited": members.invitee_count(who.id), "said": _said(request, link, card.display_name, None),
        "vouch": {"card": card, "words": link.words}, "words": words if refusal else link.words, "refusal": refusal,
        "links": funnels.of(who.id, at, limit=9), "most": commands.MOST_WORDS,
    }  # fmt: skip
    return http.page(request, "invite", context, status=422 if refusal else 200)


def poster(request: HttpRequest, code: str) -> HttpResponse:
    """The QR poster of a link as a picture (or a drawing, where the machine has no Chinese font)."""
    at = http.now()
    link = queries.link(code)
    if link is None:
        return http.page(request, "error", {"code": 404}, status=404)
    slug = goods.slug_of(link.product_id) if link.product_id else None
    item = goods.product_page(slug, http.discount(at), at=at) if slug else None
    said = _said(request, link, members.card(link.sharer_id).display_name, item)
    art = item.pictures[0].src if item and item.pictures else ""
    made = render_poster(said, url=settings.SITE_URL + link.url_path, art=art_url(art) if art else "")
    response = HttpResponse(made.body, content_type=made.content_type)
    response["Cache-Control"] = "private, no-cache"
    response["Content-Language"] = request.LANGUAGE_CODE or ""
    return response


def set_consent(request: HttpRequest) -> HttpResponse:
    """Let sharers see one's name, or take it back."""
    who = http.need_member(request)
    given = request.POST.get("given") == "1"
    people.set_name_consent(member_id=who.id, given=given, by=actor(who.id, who.display_name), at=http.now())
    return HttpResponseRedirect(http.safe_next(request, "/me"))
