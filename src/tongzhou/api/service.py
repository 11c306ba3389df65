"""The REST door (interfaces.md): a cart, an order, a payment; and reads. Parse, make one call, answer."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _
from ninja import Header, NinjaAPI, Path, Query, Status

from tongzhou.api import problems
from tongzhou.api.carts import is_of, new_cart
from tongzhou.api.schemas import (
    CartIn,
    CartOut,
    OrderIn,
    OrderOut,
    OrderPage,
    PaymentIn,
    PaymentOut,
    PlacedOut,
    Problem,
    ProductPage,
)
from tongzhou.api.tokens import Bearer
from tongzhou.catalog import queries as goods
from tongzhou.kit import clock, idempotency
from tongzhou.kit.numbers import whole
from tongzhou.kit.refusals import Refusal, conflict, invalid, not_found
from tongzhou.orders import commands, queries
from tongzhou.payments import commands as payments
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.plans import queries as plans

DESCRIPTION = """Shop for a member: POST /carts, POST /orders, POST /orders/{no}/payments; then the provider's page.
Amounts are integers in minor units. Every POST takes an `Idempotency-Key`: the same key and body again gives the first
answer, another body is refused. Refusals are `application/problem+json`. Tokens: `tongzhou api token --phone …`."""
T = TypeVar("T")
REFUSED: dict[Any, Any] = {
    400: Problem,
    401: Problem,
    404: Problem,
    405: Problem,
    409: Problem,
    422: Problem,
    429: Problem,
}
OPEN: dict[Any, Any] = {405: Problem, 422: Problem, 429: Problem}
Key = Annotated[
    str,
    Header(alias="Idempotency-Key", min_length=8, max_length=100, pattern=r"^[!-~]+$",
           description="A new random key for each new request; the same one when trying again."),
]  # fmt: skip
Number = Annotated[str, Path(max_length=40, pattern=r"^[^\x00]+$")]
Cursor = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$", description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=100)]

api = NinjaAPI(
    title="Tongzhou", version="1", description=DESCRIPTION, auth=Bearer(), docs_url=None, openapi_url=None,
    urls_namespace="api",
)  # fmt: skip
problems.install(api)


def _member(request: HttpRequest) -> UUID:
    return request.auth  # type: ignore[attr-defined,no-any-return]


def _once(request: HttpRequest, verb: str, key: str, body: Any, run: Callable[[UUID, datetime], dict[str, Any]]) -> Any:
    """One request per member, verb and key; a repeat gets the first answer."""
    at, member = clock.now(), _member(request)
    scope = f"api.{verb}:{member.hex}"
    return idempotency.once(scope, key, body, at=at, run=lambda: run(member, at), owner_id=member)[0]


def _discount(at: datetime) -> int:
    force = plans.in_force(at)
    return force.plan.member_price.discount_bp if force else 0


@api.post("/carts", summary="Make a cart", response={201: CartOut, **REFUSED}, tags=["buying"])
def make_cart(request: HttpRequest, body: CartIn, key: Key) -> Status[Any]:
    """Keep lines as a cart and say what they cost now. Nothing is held yet."""

    def run(member: UUID, at: datetime) -> dict[str, Any]:
        wants = _wants(body)
        cart = new_cart(member)
        priced = queries.price_cart(list(_summed(wants).items()), _discount(at))
        _all_known(body, wants, {x.sku_id for x in priced.lines})
        commands.fill_cart(owner_id=cart, lines=wants, at=at)
        return {
            "id": str(cart), "total_minor": priced.total_minor, "goods_minor": priced.goods_minor,
            "freight_minor": priced.freight_minor, "currency": settings.CURRENCY,
            "lines": [{"sku": str(x.sku_id), "quantity": x.quantity, "price_minor": x.price_minor, "problem": x.problem}
                      for x in priced.lines],
        }  # fmt: skip

    return Status(201, _once(request, "cart", key, body.model_dump(mode="json"), run))


def _wants(body: CartIn) -> list[tuple[UUID, int]]:
    """(SKU, quantity) of a cart's lines, each SKU named by id or by code. *Refuses:* ``sku_not_found``."""
    ids = {x.sku: found for x in body.lines if (found := _uuid(x.sku))}
    codes = goods.sku_by_codes([x.sku for x in body.lines if x.sku not in ids])
    wants = []
    for place, line in enumerate(body.lines):
        sku_id = ids[line.sku] if line.sku in ids else codes[line.sku].id if line.sku in codes else None
        if sku_id is None:
            raise _no_sku(place, line.sku)
        wants.append((sku_id, line.quantity))
    return wants


def _all_known(body: CartIn, wants: list[tuple[UUID, int]], known: set[UUID]) -> None:
    """An id that nothing was priced for is no SKU's. *Refuses:* ``sku_not_found``."""
    for place, (sku_id, _n) in enumerate(wants):
        if sku_id not in known:
            raise _no_sku(place, body.lines[place].sku)


def _no_sku(place: int, sku: str) -> Refusal:
    return invalid(
        "sku_not_found", _("没有这个规格。"), field=f"lines.{place}.sku", value=sku, rule=_("规格的编号或编码"),
        fix=_("从商品页或商品文件里取编码。"),
    )  # fmt: skip


def _summed(wants: list[tuple[UUID, int]]) -> dict[UUID, int]:
    total: dict[UUID, int] = {}
    for sku_id, quantity in wants:
        total[sku_id] = total.get(sku_id, 0) + quantity
    return total


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@api.post("/orders", summary="Place an order", response={201: PlacedOut, **REFUSED}, tags=["buying"])
def place_order(request: HttpRequest, body: OrderIn, key: Key) -> Status[Any]:
    """Turn a cart into an order and hold its stock for half an hour."""

    def run(member: UUID, at: datetime) -> dict[str, Any]:
        if not is_of(body.cart, member):
            raise not_found(_("没有这个购物车。"), code="cart_not_found")
        a = body.address
        address = check_address(AddressValue(a.receiver, a.phone, a.code, "", "", "", "", a.detail))
        placed = commands.place(
            buyer_id=member, lines=commands.take_cart(owner_id=body.cart), address=address, at=at,
            sharer_code=body.sharer_code, visitor_id=body.touch, note=body.note, expected_minor=body.expected_minor,
        )  # fmt: skip
        return {"no": placed.no, "status": "PLACED", "total_minor": placed.total_minor, "currency": settings.CURRENCY,
                "expires_at": placed.expires_at.isoformat() if placed.expires_at else None}  # fmt: skip

    return Status(201, _once(request, "order", key, body.model_dump(mode="json"), run))


@api.post("/orders/{no}/payments", summary="Open a payment", response={201: PaymentOut, **REFUSED}, tags=["buying"])
def open_payment(request: HttpRequest, no: Number, body: PaymentIn, key: Key) -> Status[Any]:
    """Open a payment; the buyer goes on at ``redirect_url``, and the provider's own notification completes the order."""

    def run(member: UUID, at: datetime) -> dict[str, Any]:
        order = queries.order(no, buyer_id=member)
        if order.status != "PLACED":
            raise conflict("order_not_open", _("这个订单不在等付款。"), field="no", value=order.status, rule="PLACED")
        start = payments.open_payment(
            order_id=order.id, buyer_id=order.buyer_id, order_no=order.no, amount_minor=order.total_minor,
            provider=body.provider, return_url=f"{settings.SITE_URL}/orders/{order.no}/paid", at=at,
        )  # fmt: skip
        return {"payment": str(start.payment_id), "trade_no": start.trade_no, "redirect_url": start.redirect_url}

    return Status(201, _once(request, "payment", key, [no, body.provider], run))


@api.get("/orders", summary="List one's own orders", response={200: OrderPage, 401: Problem, **OPEN}, tags=["reading"])
def list_orders(request: HttpRequest, after: Cursor = "", limit: Limit = 20) -> dict[str, Any]:
    """Newest first."""
    before = _uuid(after) if after else None
    if after and before is None:
        raise invalid("cursor_invalid", _("翻页的位置不对，请从头再看。"), field="after", value=after)
    rows = queries.orders_of(_member(request), before=before, limit=limit + 1)
    items = [
        {"no": o.no, "status": o.status, "placed_at": o.placed_at, "total_minor": o.total_minor} for o in rows[:limit]
    ]
    return {"items": items, "next": rows[limit - 1].id.hex if len(rows) > limit else "", "currency": settings.CURRENCY}


@api.get(
    "/orders/{no}",
    summary="Read an order",
    response={200: OrderOut, 401: Problem, 404: Problem, **OPEN},
    tags=["reading"],
)
def read_order(request: HttpRequest, no: Number) -> dict[str, Any]:
    """One of one's own orders; somebody else's does not exist."""
    order = queries.order(no, buyer_id=_member(request))
    return {
        "no": order.no, "status": order.status, "placed_at": order.placed_at, "total_minor": order.total_minor,
        "goods_minor": order.goods_minor, "freight_minor": order.freight_minor, "currency": settings.CURRENCY,
        "lines": [{"sku": x.sku_code, "kind": x.kind, "title": x.title, "quantity": x.quantity,
                   "amount_minor": x.amount_minor, "refunded_minor": x.refunded_minor}
                  for x in queries.lines_of([order.id])[order.id]],
    }  # fmt: skip


def _read_cursor(after: str) -> str:
    try:
        cursor = urlsafe_base64_decode(after).decode()
    except ValueError:
        cursor = ""
    if urlsafe_base64_encode(cursor.encode()) != after.rstrip("="):  # decoding drops letters it does not know
        raise invalid("cursor_invalid", _("翻页的位置不对，请从头再看。"), field="after", value=after)
    return cursor


@api.get(
    "/products", summary="Search or list products", auth=None, response={200: ProductPage, **OPEN}, tags=["reading"]
)
def products(
    request: HttpRequest, q: Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")] = "", after: Cursor = "",
    limit: Limit = 24,
) -> dict[str, Any]:  # fmt: skip
    """Published products at member prices. ``q`` searches (best first), otherwise the newest come first."""
    discount = _discount(clock.now())
    if q:
        start = whole(after) if after else 0
        if start is None or start > 1_000:
            raise invalid("cursor_invalid", _("翻页的位置不对，请从头再看。"), field="after", value=after)
        found = goods.search(q, discount_bp=discount, limit=limit + 1, offset=start)
        items, cursor = found.items[:limit], str(start + limit) if len(found.items) > limit else ""
    else:
        page = goods.cards(discount_bp=discount, after=_read_cursor(after), limit=limit)
        items, cursor = page.items, urlsafe_base64_encode(page.next_cursor.encode())
    rows = [{"id": str(c.id), "slug": c.slug, "title": c.title, "price_minor": c.price_minor} for c in items]
    return {"items": rows, "next": cursor, "currency": settings.CURRENCY}
