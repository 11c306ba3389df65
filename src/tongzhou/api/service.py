"""The REST door (interfaces.md): OpenAPI 3.1, problem+json, idempotency keys."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import ValidationError
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field

from tongzhou.catalog import queries as goods
from tongzhou.kit import clock, idempotency
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.orders import commands, queries
from tongzhou.payments import commands as payments
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.plans import queries as plans

STATUS = {Kind.INVALID: 422, Kind.NOT_FOUND: 404, Kind.FORBIDDEN: 403, Kind.SIGN_IN: 401, Kind.CONFLICT: 409,
          Kind.LIMIT: 429, Kind.UNAVAILABLE: 503}  # fmt: skip
_SALT = "tongzhou.api"
LIFE = timedelta(days=30)


def issue_token(member_id: UUID) -> str:
    """A bearer token for one member's own orders, valid thirty days."""
    return signing.dumps({"m": member_id.hex, "n": secrets.token_hex(4)}, salt=_SALT)


class Bearer(HttpBearer):
    """``Authorization: Bearer …`` with a token of :func:`issue_token`."""

    def authenticate(self, request: HttpRequest, token: str) -> UUID | None:
        """The member of a token, or None."""
        try:
            return UUID(signing.loads(token, salt=_SALT, max_age=LIFE)["m"])
        except (signing.BadSignature, KeyError, ValueError, TypeError):
            return None


api = NinjaAPI(title="Tongzhou", version="1", auth=Bearer(), docs_url=None, urls_namespace="api")


def problem(refusal: Refusal) -> JsonResponse:
    """A refusal as ``application/problem+json`` (RFC 9457)."""
    body = {"type": f"about:blank#{refusal.code}", "title": str(refusal.message), "status": STATUS[refusal.kind],
            **refusal.as_dict()}  # fmt: skip
    response = JsonResponse(body, status=STATUS[refusal.kind])
    response["Content-Type"] = "application/problem+json"
    return response


@api.exception_handler(Refusal)
def on_refusal(request: HttpRequest, error: Refusal) -> HttpResponse:
    """Every refusal in one shape."""
    return problem(error)


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What the schema refuses, field by field."""
    errors = [
        invalid(
            str(e.get("type", "invalid")),
            str(e.get("msg", "")),
            field=".".join(str(p) for p in e.get("loc", ())[2:] or e.get("loc", ())),
        )
        for e in error.errors
    ]
    return problem(Refusal("request_invalid", "请求的内容不对。", field="body", errors=errors))


class Strict(Schema):
    """Unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class CartLineIn(Strict):
    """One SKU (id or code) and how many."""

    sku: str = Field(max_length=80)
    quantity: int = Field(ge=1, le=999)


class CartIn(Strict):
    """A cart to be."""

    lines: list[CartLineIn] = Field(min_length=1, max_length=100)


class AddressIn(Strict):
    """A delivery address; ``code`` is the code of the last division there is."""

    receiver: str = Field(max_length=30)
    phone: str = Field(max_length=20)
    code: str = Field(max_length=12)
    detail: str = Field(max_length=120)


class OrderIn(Strict):
    """An order from a cart."""

    cart: UUID
    address: AddressIn
    sharer_code: str = Field("", max_length=12)
    note: str = Field("", max_length=200)
    expected_minor: int | None = Field(None, ge=0)


class PaymentIn(Strict):
    """Which way to pay."""

    provider: str = Field(max_length=16)


def _key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if not 8 <= len(key) <= 100:
        raise invalid(
            "idempotency_key_missing", "需要 Idempotency-Key。", field="Idempotency-Key", value=key, rule="8–100",
            fix="每个新请求用一个新的随机键，重试时用同一个。",
        )  # fmt: skip
    return key


def _member(request: HttpRequest) -> UUID:
    return request.auth  # type: ignore[attr-defined,no-any-return]


def _discount(at: datetime) -> int:
    force = plans.in_force(at)
    return force.plan.member_price.discount_bp if force else 0


@api.post("/carts", summary="Make a cart", response={201: dict[str, Any]})
def make_cart(request: HttpRequest, body: CartIn) -> tuple[int, dict[str, Any]]:
    """Keep lines as a cart and say what they cost now. Needs ``Idempotency-Key``."""
    at, member = clock.now(), _member(request)

    def run() -> dict[str, Any]:
        by_code = [x.sku for x in body.lines if not _is_uuid(x.sku)]
        codes = goods.sku_by_codes(by_code) if by_code else {}
        missing = [c for c in by_code if c not in codes]
        if missing:
            raise invalid("sku_not_found", "没有这个规格。", field="lines.sku", value=missing[0])
        wants = [(UUID(x.sku) if _is_uuid(x.sku) else codes[x.sku].id, x.quantity) for x in body.lines]
        cart = new_id()
        commands.fill_cart(owner_id=cart, lines=wants, at=at)
        priced = queries.price_cart(wants, _discount(at))
        if len(priced.lines) != len({s for s, _n in wants}) and len(priced.lines) != len(wants):
            raise invalid("sku_not_found", "没有这个规格。", field="lines.sku")
        return {
            "id": str(cart), "total_minor": priced.total_minor, "goods_minor": priced.goods_minor,
            "freight_minor": priced.freight_minor, "currency": settings.CURRENCY,
            "lines": [{"sku": str(x.sku_id), "quantity": x.quantity, "price_minor": x.price_minor, "problem": x.problem}
                      for x in priced.lines],
        }  # fmt: skip

    answer, _again = idempotency.once(
        "api.cart", _key(request), body.model_dump(mode="json"), at=at, run=run, owner_id=member
    )
    return 201, answer


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@api.post("/orders", summary="Place an order", response={201: dict[str, Any]})
def place_order(request: HttpRequest, body: OrderIn) -> tuple[int, dict[str, Any]]:
    """Turn a cart into an order and hold its stock for half an hour. Needs ``Idempotency-Key``."""
    at, member = clock.now(), _member(request)

    def run() -> dict[str, Any]:
        address = check_address(
            AddressValue(
                body.address.receiver, body.address.phone, body.address.code, "", "", "", "", body.address.detail
            )
        )
        placed = commands.place(
            buyer_id=member, lines=commands.take_cart(owner_id=body.cart), address=address, at=at, sharer_code=body.sharer_code,
            note=body.note, expected_minor=body.expected_minor,
        )  # fmt: skip
        return {"no": placed.no, "total_minor": placed.total_minor, "currency": settings.CURRENCY, "status": "PLACED"}

    answer, _again = idempotency.once(
        "api.order", _key(request), body.model_dump(mode="json"), at=at, run=run, owner_id=member
    )
    return 201, answer


@api.post("/orders/{no}/payments", summary="Open a payment", response={201: dict[str, Any]})
def open_payment(request: HttpRequest, no: str, body: PaymentIn) -> tuple[int, dict[str, Any]]:
    """Open a payment; the buyer goes on at ``redirect_url``. Needs ``Idempotency-Key``."""
    at, member = clock.now(), _member(request)

    def run() -> dict[str, Any]:
        order = queries.order(no, buyer_id=member)
        if order.status != "PLACED":
            raise Refusal("order_not_open", "这个订单不在等付款。", kind=Kind.CONFLICT, field="no", value=order.status)
        start = payments.open_payment(
            order_id=order.id, buyer_id=member, order_no=order.no, amount_minor=order.total_minor, provider=body.provider,
            return_url=f"{settings.SITE_URL}/orders/{no}/paid", at=at,
        )  # fmt: skip
        return {"payment": str(start.payment_id), "trade_no": start.trade_no, "redirect_url": start.redirect_url}

    answer, _again = idempotency.once(
        "api.payment", _key(request), [no, body.provider], at=at, run=run, owner_id=member
    )
    return 201, answer


@api.get("/orders/{no}", summary="Read an order", response={200: dict[str, Any]})
def read_order(request: HttpRequest, no: str) -> dict[str, Any]:
    """One of one's own orders."""
    order = queries.order(no, buyer_id=_member(request))
    lines = queries.lines_of([order.id])[order.id]
    return {
        "no": order.no, "status": order.status, "total_minor": order.total_minor, "goods_minor": order.goods_minor,
        "freight_minor": order.freight_minor, "currency": settings.CURRENCY,
        "lines": [{"sku": x.sku_code, "kind": x.kind, "title": x.title, "quantity": x.quantity, "amount_minor": x.amount_minor,
                   "refunded_minor": x.refunded_minor} for x in lines],
    }  # fmt: skip


@api.get("/products", summary="Search or list products", auth=None, response={200: dict[str, Any]})
def products(request: HttpRequest, q: str = "", after: str = "", limit: int = 24) -> dict[str, Any]:
    """Published products; ``q`` searches, ``after`` is the cursor of the page before."""
    at = clock.now()
    limit = max(1, min(limit, 100))
    if q:
        items, cursor = goods.search(q, discount_bp=_discount(at), limit=limit).items, ""
    else:
        page = goods.cards(discount_bp=_discount(at), after=after, limit=limit)
        items, cursor = page.items, page.next_cursor
    rows = [{"id": str(c.id), "slug": c.slug, "title": c.title, "price_minor": c.price_minor} for c in items]
    return {"items": rows, "next": cursor, "currency": settings.CURRENCY}
