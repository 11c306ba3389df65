"""The cart: a wish, not a hold. Prices and stock are looked at again whenever it is shown."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import inserts
from tongzhou.kit.refusals import invalid
from tongzhou.kit.transactions import command
from tongzhou.orders.models import CartLine
from tongzhou.orders.rules import MOST_LINES, MOST_UNITS


@transaction.atomic
def set_cart_line(
    *, owner_id: UUID, sku_id: UUID, quantity: int, at: datetime, add: bool = False, price_minor: int = 0
) -> int:  # fmt: skip
    """Set (or add to) how many of a SKU are wanted; zero takes it out. Returns the units of that line.

    *Refuses:* ``quantity_invalid``, ``cart_full`` (100 lines).
    """
    if not isinstance(quantity, int) or not 0 <= quantity <= MOST_UNITS:
        raise invalid("quantity_invalid", _("数量要在 0 到 999 之间。"), field="quantity", value=quantity, rule="0–999")
    have = CartLine.objects.filter(owner_id=owner_id, sku_id=sku_id).values_list("quantity", flat=True).first()
    wanted = min(MOST_UNITS, quantity + (have or 0)) if add else quantity
    if wanted == 0:
        CartLine.objects.filter(owner_id=owner_id, sku_id=sku_id).delete()
        return 0
    if have is None and CartLine.objects.filter(owner_id=owner_id).count() >= MOST_LINES:
        raise invalid("cart_full", _("购物车最多放 100 种商品。"), field="cart", fix=_("先结算或删掉一些。"))
    CartLine.objects.bulk_create(
        [CartLine(owner_id=owner_id, sku_id=sku_id, quantity=wanted, at=at, seen_price_minor=price_minor)],
        update_conflicts=True, unique_fields=["owner_id", "sku_id"], update_fields=["quantity", "at", "seen_price_minor"],
    )  # fmt: skip
    return wanted


@command()
def fill_cart(*, owner_id: UUID, lines: Sequence[tuple[UUID, int]], at: datetime) -> None:
    """Put several lines into a new cart at once (the API's first call). *Refuses:* ``quantity_invalid``, ``cart_full``."""
    if not lines or len(lines) > MOST_LINES:
        raise invalid("cart_full", _("一次放 1 到 100 种商品。"), field="lines", value=len(lines), rule="1–100")
    total: dict[UUID, int] = {}
    for sku, quantity in lines:
        if not 1 <= quantity <= MOST_UNITS:
            raise invalid(
                "quantity_invalid", _("数量要在 1 到 999 之间。"), field="quantity", value=quantity, rule="1–999"
            )
        total[sku] = min(MOST_UNITS, total.get(sku, 0) + quantity)
    inserts.write(CartLine(owner_id=owner_id, sku_id=s, quantity=n, at=at) for s, n in total.items())


@transaction.atomic
def join_cart(*, visitor_id: UUID, member_id: UUID, at: datetime) -> int:
    """At sign-in: what the browser wanted, the member wants too. Returns how many lines moved."""
    guest = list(CartLine.objects.filter(owner_id=visitor_id))
    if not guest:
        return 0
    have = dict(CartLine.objects.filter(owner_id=member_id).values_list("sku_id", "quantity"))
    CartLine.objects.filter(owner_id=visitor_id).delete()
    CartLine.objects.bulk_create(
        [
            CartLine(owner_id=member_id, sku_id=g.sku_id, quantity=min(MOST_UNITS, g.quantity + have.get(g.sku_id, 0)),
                     at=at, seen_price_minor=g.seen_price_minor)
            for g in guest
        ],
        update_conflicts=True, unique_fields=["owner_id", "sku_id"], update_fields=["quantity", "at", "seen_price_minor"],
    )  # fmt: skip
    return len(guest)


def take_cart(*, owner_id: UUID) -> list[tuple[UUID, int]]:
    """Empty a cart that is becoming an order; its (SKU, quantity) lines in the order they came.

    Belongs to the transaction that places the order: if that is refused, the cart is as it was. Two
    orders from one cart: the second finds it empty.
    """
    owner = owner_id if connection.vendor == "postgresql" else owner_id.hex
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM orders_cart_line WHERE owner_id = %s RETURNING at, CAST(id AS text), sku_id, quantity", [owner]
        )
        taken = sorted(cursor.fetchall())
    return [(sku if isinstance(sku, UUID) else UUID(sku), quantity) for _at, _id, sku, quantity in taken]


def remove_lines(*, owner_id: UUID, sku_ids: Sequence[UUID]) -> None:
    """Take what was ordered out of the cart."""
    CartLine.objects.filter(owner_id=owner_id, sku_id__in=sku_ids).delete()
