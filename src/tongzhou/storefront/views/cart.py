"""The cart and checkout."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext as _

from tongzhou.catalog import queries as goods
from tongzhou.design.templatetags.shop_tags import beside
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.orders import commands, queries
from tongzhou.orders.values import CartValue
from tongzhou.people import commands as people
from tongzhou.people import divisions
from tongzhou.people import queries as members
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.sharing import commands as sharing
from tongzhou.storefront import http
from tongzhou.storefront.variants import asked_sku
from tongzhou.storefront.views import safety
from tongzhou.storefront.views.share import vouch
from tongzhou.suppliers import queries as suppliers

Wants = list[tuple[UUID, int]]
FIELDS = ("receiver", "phone", "code", "detail")


def cart(request: HttpRequest) -> HttpResponse:
    """What somebody wants, grouped by who ships it, at today's prices."""
    owner = http.cart_owner(request)
    value = queries.cart(owner, http.discount(http.now())) if owner else None
    if value is not None and request.session.get("cart", 0) != value.count:
        request.session["cart"] = value.count
    names = {s.id: s for s in suppliers.suppliers()} if value and value.lines else {}
    groups = [(names.get(s), lines) for s, lines in value.by_supplier()] if value else []
    return http.page(request, "cart", {"tab": "cart", "cart": value, "groups": groups})


def change(request: HttpRequest) -> HttpResponse:
    """Put something in, change how many, or take it out."""
    at, owner, fresh = http.now(), http.cart_owner(request), False
    if owner is None:
        owner, fresh = http.ensure_visitor(request)
    sku = _sku(request, at)
    quantity = http.as_int(request.POST.get("quantity", "1"), "quantity", high=999)
    buy, add = "buy" in request.POST, "set" not in request.POST
    commands.set_cart_line(owner_id=owner, sku_id=sku, quantity=quantity, at=at, add=add)
    http.recount(request, owner)
    if add and quantity:
        _tell_sharing(request, sku, at)
    if add and not buy:
        messages.success(request, _("已放进购物车。"), extra_tags="trust")
    goal = f"/checkout?sku={sku}&quantity={quantity}" if buy else http.safe_next(request, "/cart")
    response = HttpResponseRedirect(goal)
    if fresh:
        http.set_visitor(request, response, owner)
    return response


def _tell_sharing(request: HttpRequest, sku: UUID, at: datetime) -> None:
    """Whose link led to this: counted by the rule that would decide who earns from the order."""
    who, force, known = http.member(request), http.plan(at), goods.skus([sku], 0).get(sku)
    if force and known and (who is not None or http.visitor_id(request) is not None):
        sharing.carted(
            visitor_id=http.visitor_id(request), member_id=who.id if who else None, product_id=known.product_id,
            policy=force.plan.attribution, at=at,
        )  # fmt: skip


def _sku(request: HttpRequest, at: datetime) -> UUID:
    """The SKU asked for: by itself, or as one value of each option of a product."""
    if "product" in request.POST:
        return asked_sku(goods.product_page(request.POST["product"], http.discount(at)), request.POST)
    return http.as_uuid(request.POST.get("sku", ""), "sku")


def _wants(request: HttpRequest) -> tuple[Wants, UUID | None]:
    """What is being bought: one thing at once, or the cart; and whose cart to empty afterwards."""
    data = request.POST if request.method == "POST" else request.GET
    if data.get("sku"):
        sku = http.as_uuid(data["sku"], "sku")
        return [(sku, http.as_int(data.get("quantity", "1"), "quantity", low=1, high=999))], http.cart_owner(request)
    owner = http.cart_owner(request)
    return (queries.cart_wants(owner) if owner else []), owner


def checkout(request: HttpRequest) -> HttpResponse:
    """Confirm address and sum, then place the order. Whoever is not signed in signs in here and comes back."""
    who, at = http.need_member(request), http.now()
    wants, owner = _wants(request)
    value = queries.price_cart(wants, http.discount(at))
    if not value.lines:
        return HttpResponseRedirect("/cart")
    refusal = None
    if request.method == "POST" and "next_level" not in request.POST:
        try:
            safety.seen(request, who, at)
            placed = _place(request, who.id, wants, owner, value)
        except Refusal as caught:
            if caught.kind in (Kind.NOT_FOUND, Kind.SIGN_IN):
                raise
            refusal = caught
        else:
            http.recount(request)
            return HttpResponseRedirect(f"/orders/{placed}/pay")
    names = {s.id: s for s in suppliers.suppliers()}
    context = {
        "cart": value, "groups": [(names.get(s), lines) for s, lines in value.by_supplier()], "refusal": refusal,
        "addresses": members.addresses(who.id), "token": request.POST.get("key") or http.token(), "back": "/cart",
        "vouch": vouch(request, None, at), "form": address_form(request), "picker": picker(address_form(request)["code"]),
        "free_from": settings.FREE_FREIGHT_FROM_MINOR, "freight": settings.FREIGHT_MINOR,
        "one": wants[0] if request.POST.get("sku") or request.GET.get("sku") else None,
    }  # fmt: skip
    return http.page(request, "checkout", context, status=422 if refusal else 200)


def address_form(request: HttpRequest) -> dict[str, str]:
    """What was typed, kept; the picker's deepest chosen level wins over the hidden code."""
    data = {k: request.POST.get(k, "").strip() for k in (*FIELDS, "note", "sharer_code", "address")}
    levels = [request.POST.get(f"level{i}", "") for i in range(4)]
    chosen = [c for c in levels if c]
    if chosen:
        data["code"] = chosen[-1]
    return data


def picker(code: str) -> list[dict[str, object]]:
    """The selects of the address picker down to the chosen place, and the one after it."""
    steps = divisions.path(code) or []
    levels: list[dict[str, object]] = [{"options": divisions.children(), "chosen": steps[0].code if steps else ""}]
    for i, step in enumerate(steps):
        below = divisions.children(step.code)
        if below:
            levels.append({"options": below, "chosen": steps[i + 1].code if i + 1 < len(steps) else ""})
    while len(levels) < 4:
        levels.append({"options": [], "chosen": ""})
    return levels


def read_address(request: HttpRequest, member_id: UUID) -> AddressValue:
    """The chosen address, or the one typed in, checked. *Refuses:* ``address_invalid``."""
    form = address_form(request)
    if form["address"] and form["address"] != "new":
        return members.address(member_id, http.as_uuid(form["address"], "address"))
    return check_address(AddressValue(form["receiver"], form["phone"], form["code"], "", "", "", "", form["detail"]))


def _place(request: HttpRequest, member_id: UUID, wants: Wants, owner: UUID | None, seen: CartValue) -> str:
    form, shown = address_form(request), request.POST.get("seen", "")
    address = read_address(request, member_id)
    if seen.ticks and "no_return" not in request.POST:
        raise invalid(
            "no_return_tick", _("有商品下单后不能无理由退货，要你亲自确认。"), field="no_return",
            rule=_("需要你亲自勾选，我们不会替你勾。"), fix=_("勾上再提交，或者先拿掉那件商品。"),
        )  # fmt: skip
    placed = commands.place(
        buyer_id=member_id, lines=wants, address=address, at=http.now(), sharer_code=form["sharer_code"],
        note=form["note"], visitor_id=http.visitor_id(request), key=request.POST.get("key", "")[:60], cart_owner=owner,
        expected_minor=http.as_int(shown, "seen") if shown else None,
    )  # fmt: skip
    if address.id is None:
        with suppress(Refusal):  # the order stands; a full address book does not undo it
            people.save_address(member_id=member_id, address=address, at=http.now())
    return placed.no


def division_list(request: HttpRequest, code: str) -> HttpResponse:
    """The next level of the address picker."""
    return JsonResponse({"items": [{"code": d.code, "name": beside(d, "name")} for d in divisions.children(code)]})
