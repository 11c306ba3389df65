"""Placing an order: prices, freight, attribution, stock; all the mall's own word, nothing from the client."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import SkuInfo
from tongzhou.kit import clock, idempotency, inserts
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal, conflict, invalid
from tongzhou.kit.transactions import command
from tongzhou.orders.commands.cart import remove_lines
from tongzhou.orders.models import Order, OrderLine, Status
from tongzhou.orders.rules import GRACE, HOLD, MOST_LINES, MOST_UNITS, freight, line_amount, order_number
from tongzhou.orders.values import Placed
from tongzhou.payments import commands as payments
from tongzhou.people.values import AddressValue
from tongzhou.plans import queries as plans
from tongzhou.plans.values import Attribution
from tongzhou.sharing import commands as sharing


@command()
def place(
    *, buyer_id: UUID, lines: Sequence[tuple[UUID, int]], address: AddressValue, at: datetime, sharer_code: str = "",
    note: str = "", visitor_id: UUID | None = None, key: str = "", cart_owner: UUID | None = None,
    expected_minor: int | None = None,
) -> Placed:  # fmt: skip
    """Place an order for (SKU, quantity) lines and hold its stock for half an hour.

    ``address`` is complete already (people.commands.addresses.check_address). ``expected_minor`` is
    what the buyer saw; if the total is another now, the order is not placed and the buyer is told.
    The same ``key`` again returns the first order.
    *Refuses:* ``order_empty``, ``quantity_invalid``, ``not_sellable``, ``out_of_stock``,
    ``price_changed``, ``sharer_code_unknown``, ``idempotency_key_reused``.
    """
    wants = _wants(lines)
    body = [[[str(s), n] for s, n in wants.items()], _address(address), note.strip(), sharer_code.strip().upper()]
    order_id = new_id()
    if key and not idempotency.take(
        f"place:{buyer_id}:{key}", at=at, owner_id=order_id, input_hash=idempotency.digest(body)
    ):
        return _placed_before(buyer_id, key, body)
    force = plans.in_force(at)
    found = goods.skus(list(wants), force.plan.member_price.discount_bp if force else 0)
    _check_sellable(wants, found)
    rows = [_line(order_id, buyer_id, i, found[sku], n) for i, (sku, n) in enumerate(wants.items())]
    goods_minor = sum(r.amount_minor for r in rows)
    fee = freight(goods_minor, fee_minor=settings.FREIGHT_MINOR, free_from_minor=settings.FREE_FREIGHT_FROM_MINOR)
    if expected_minor is not None and expected_minor != goods_minor + fee:
        raise conflict(
            "price_changed", _("价格刚刚变了，请再看一眼。"), field="total", value=expected_minor, rule=goods_minor + fee,
            fix=_("确认新的金额后再提交。"),
        )  # fmt: skip
    if fee:
        rows.append(_freight_line(order_id, buyer_id, len(rows), fee))
    _hold(order_id, buyer_id, list(wants.items()), at)
    won = sharing.attribute(
        order_id=order_id, buyer_id=buyer_id, typed_code=sharer_code, visitor_id=visitor_id,
        policy=force.plan.attribution if force else Attribution(), at=at,
    )  # fmt: skip
    order = Order(
        id=order_id, no=_number(order_id, at), buyer_id=buyer_id, goods_minor=goods_minor, freight_minor=fee,
        total_minor=goods_minor + fee, saved_minor=sum(r.unit_list_minor * r.quantity for r in rows) - goods_minor,
        address=_address(address), note=note.strip()[:200], attribution_id=won.id, sharer_id=won.sharer_id,
        touched_at=won.touched_at, touched_plan_version_id=won.touched_plan_version_id,
        plan_version_id=force.id if force else None, placed_at=at, expires_at=at + HOLD,
    )  # fmt: skip
    inserts.write([order])
    inserts.write(rows)
    if cart_owner:
        remove_lines(owner_id=cart_owner, sku_ids=list(wants))
    return Placed(order_id, order.no, order.total_minor, expires_at=order.expires_at)


def _hold(order_id: UUID, buyer_id: UUID, wants: list[tuple[UUID, int]], at: datetime) -> None:
    """Hold the goods a little longer than the order waits. A shopper's own unpaid order gives way to the new one."""
    until = at + HOLD + GRACE
    try:
        catalog.reserve(
            order_id=order_id, wants=wants, expires_at=until, at=at
        )  # leaves nothing behind when it refuses
        return
    except Refusal as refusal:
        older = Order.objects.filter(buyer_id=buyer_id, status=Status.PLACED).exclude(id=order_id)
        mine = set(
            OrderLine.objects.filter(order_id__in=older.values("id"), sku_id__in=[s for s, _n in wants]).values_list(
                "order_id", flat=True
            )
        )
        if refusal.code != "out_of_stock" or not mine:
            raise
    payments.close(order_ids=sorted(mine), at=at)  # payments before their orders, as a notice takes them
    moved = Order.objects.filter(id__in=mine, status=Status.PLACED).update(
        status=Status.CANCELLED, cancelled_at=at, cancel_reason="replaced by a newer order"
    )
    if moved:
        catalog.release(sorted(mine), at)
    catalog.reserve(order_id=order_id, wants=wants, expires_at=until, at=at)


def _wants(lines: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    if not lines or len(lines) > MOST_LINES:
        raise invalid("order_empty", _("请先选好商品。"), field="lines", value=len(lines), rule="1–100")
    wants: dict[UUID, int] = {}
    for sku, quantity in lines:
        if not 1 <= quantity <= MOST_UNITS:
            raise invalid(
                "quantity_invalid", _("数量要在 1 到 999 之间。"), field="quantity", value=quantity, rule="1–999"
            )
        wants[sku] = wants.get(sku, 0) + quantity
    return wants


def _placed_before(buyer_id: UUID, key: str, body: object) -> Placed:
    from tongzhou.kit.models import Claim

    claim = Claim.objects.get(value=f"place:{buyer_id}:{key}")
    if claim.input_hash != idempotency.digest(body):
        raise conflict(
            "idempotency_key_reused", _("这个提交已经用于另一份订单。"), field="key", fix=_("请刷新页面再提交。")
        )
    order = Order.objects.get(id=claim.owner_id or buyer_id)
    return Placed(order.id, order.no, order.total_minor, repeated=True, expires_at=order.expires_at)


def _check_sellable(wants: Mapping[UUID, int], found: Mapping[UUID, SkuInfo]) -> None:
    gone = [
        conflict("not_sellable", _("这件商品已经下架。"), field=str(sku), fix=_("请从购物车里去掉它。"))
        for sku in wants
        if sku not in found or not found[sku].sellable or found[sku].price_minor <= 0
    ]
    if gone:
        raise Refusal("not_sellable", _("有商品现在买不了。"), kind=Kind.CONFLICT, field="lines", errors=gone)


def _line(order_id: UUID, buyer_id: UUID, position: int, sku: SkuInfo, quantity: int) -> OrderLine:
    return OrderLine(
        id=new_id(), order_id=order_id, buyer_id=buyer_id, position=position, sku_id=sku.id, sku_code=sku.code,
        product_id=sku.product_id, product_slug=sku.product_slug, supplier_id=sku.supplier_id,
        category_ids=[str(c) for c in sku.category_ids], title=sku.title, title_en=sku.title_en,
        option_text=sku.option_text, option_text_en=sku.option_text_en, picture=sku.picture, stage=sku.stage,
        return_policy=sku.return_policy, quantity=quantity, unit_list_minor=sku.list_price_minor,
        unit_price_minor=sku.price_minor, amount_minor=line_amount(sku.price_minor, quantity),
        cost_minor=None if sku.cost_minor is None else sku.cost_minor * quantity,
    )  # fmt: skip


def _freight_line(order_id: UUID, buyer_id: UUID, position: int, fee: int) -> OrderLine:
    return OrderLine(
        id=new_id(), order_id=order_id, buyer_id=buyer_id, position=position, kind="freight", title="运费",
        title_en="Delivery", quantity=1, unit_price_minor=fee, amount_minor=fee,
    )  # fmt: skip


def _number(order_id: UUID, at: datetime) -> str:
    while True:
        no = order_number(clock.mall_day(at))
        if idempotency.take(f"order:{no}", at=at, owner_id=order_id):
            return no


def _address(address: AddressValue) -> dict[str, str]:
    kept = asdict(address)
    return {k: str(v) for k, v in kept.items() if k not in ("id", "is_default")}
