"""What goes in and comes out of the REST door. Amounts are integers in minor units of the mall's currency."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  # a database refuses NUL; so does the schema


class Strict(Schema):
    """Unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class CartLineIn(Strict):
    """One SKU (id or code) and how many."""

    sku: Text = Field(min_length=1, max_length=80)
    quantity: int = Field(ge=1, le=999, strict=True)


class CartIn(Strict):
    """A cart to be."""

    lines: list[CartLineIn] = Field(min_length=1, max_length=100)


class AddressIn(Strict):
    """A delivery address; ``code`` is the code of the last division there is."""

    receiver: Text = Field(max_length=30)
    phone: Text = Field(max_length=20)
    code: Text = Field(max_length=12)
    detail: Text = Field(max_length=120)


class OrderIn(Strict):
    """An order from a cart."""

    cart: UUID
    address: AddressIn
    sharer_code: Text = Field("", max_length=12)
    touch: UUID | None = Field(None, description="The visitor id of a shared link that was followed before.")
    note: Text = Field("", max_length=200)
    expected_minor: int | None = Field(None, ge=0, le=10**15, description="Refused when the total is another.")


class PaymentIn(Strict):
    """Which way to pay."""

    provider: Text = Field(min_length=1, max_length=16)


class CartLineOut(Schema):
    """One line priced now; ``problem`` is empty, ``gone``, ``none_left`` or ``too_many``."""

    sku: UUID
    quantity: int
    price_minor: int
    problem: str


class CartOut(Schema):
    """A cart and what it costs now."""

    id: UUID
    goods_minor: int
    freight_minor: int
    total_minor: int
    currency: str
    lines: list[CartLineOut]


class PlacedOut(Schema):
    """An order that waits for its payment."""

    no: str
    status: str
    total_minor: int
    currency: str
    expires_at: datetime | None


class PaymentOut(Schema):
    """A payment that was opened; the buyer goes on at ``redirect_url``."""

    payment: UUID
    trade_no: str
    redirect_url: str


class OrderLineOut(Schema):
    """One line of an order: ``goods`` or ``freight``."""

    sku: str
    kind: str
    title: str
    quantity: int
    amount_minor: int
    refunded_minor: int


class OrderOut(Schema):
    """One order as it stands."""

    no: str
    status: str
    placed_at: datetime
    goods_minor: int
    freight_minor: int
    total_minor: int
    currency: str
    lines: list[OrderLineOut]


class OrderRow(Schema):
    """One order in a list."""

    no: str
    status: str
    placed_at: datetime
    total_minor: int


class OrderPage(Schema):
    """A page of orders, newest first; ``next`` is the cursor of the page after, empty at the end."""

    items: list[OrderRow]
    next: str
    currency: str


class ProductRow(Schema):
    """One product in a list; ``price_minor`` is the member price of its cheapest SKU."""

    id: UUID
    slug: str
    title: str
    price_minor: int


class ProductPage(Schema):
    """A page of products; ``next`` is the cursor of the page after, empty at the end."""

    items: list[ProductRow]
    next: str
    currency: str


class Problem(Schema):
    """A refusal (RFC 9457): which field, which value, which rule, how to mend it."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    code: str
    message: str = ""
    field: str = ""
    value: str = ""
    rule: str = ""
    fix: str = ""
    retryable: bool = False
    errors: list[dict[str, Any]] = []
