"""Carts and orders."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tongzhou.kit.ids import new_id
from tongzhou.orders.values import OrderStatus


class CartLine(models.Model):
    """What somebody (a member, or a browser's visitor id) wants to buy."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner_id = models.UUIDField()
    sku_id = models.UUIDField()
    quantity = models.PositiveIntegerField()
    seen_price_minor = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        db_table = "orders_cart_line"
        constraints = [models.UniqueConstraint(fields=["owner_id", "sku_id"], name="orders_cart_line_once")]


Status = OrderStatus

MOVES = {
    Status.PLACED: frozenset({Status.PAID, Status.CANCELLED}),
    Status.PAID: frozenset({Status.SHIPPED, Status.COMPLETED, Status.CANCELLED}),
    Status.SHIPPED: frozenset({Status.COMPLETED, Status.CANCELLED}),
    Status.COMPLETED: frozenset[Status](),
    Status.CANCELLED: frozenset[Status](),
}


class Order(models.Model):
    """One order of one buyer. Amounts in minor units; the address is a copy, as it was."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    no = models.CharField(max_length=40, unique=True)
    buyer_id = models.UUIDField()
    book_kind = models.CharField(max_length=10, default="member")
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.PLACED)
    goods_minor = models.BigIntegerField()
    freight_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    saved_minor = models.BigIntegerField(default=0)
    address = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True, default="")
    attribution_id = models.UUIDField(null=True)
    sharer_id = models.UUIDField(null=True)
    touched_at = models.DateTimeField(null=True)
    touched_plan_version_id = models.UUIDField(null=True)
    plan_version_id = models.UUIDField(null=True)
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=100, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "orders_order"
        constraints = [
            models.CheckConstraint(
                condition=Q(total_minor=F("goods_minor") + F("freight_minor")) & Q(total_minor__gte=0),
                name="orders_order_total",
            )
        ]
        indexes = [
            models.Index(fields=["buyer_id", "-id"], name="orders_order_buyer"),
            models.Index(fields=["status", "id"], name="orders_order_queue"),
            models.Index(fields=["sharer_id", "-id"], name="orders_order_sharer", condition=~Q(sharer_id=None)),
            models.Index(fields=["expires_at"], name="orders_order_due", condition=Q(status="PLACED")),
        ]


class OrderLine(models.Model):
    """One line: goods, or the freight. ``amount_minor`` (N) is what it costs with all its tenders."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    buyer_id = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, default="goods")
    sku_id = models.UUIDField(null=True)
    sku_code = models.CharField(max_length=80, blank=True, default="")
    product_id = models.UUIDField(null=True)
    product_slug = models.CharField(max_length=160, blank=True, default="")
    supplier_id = models.UUIDField(null=True)
    category_ids = models.JSONField(default=list)
    title = models.CharField(max_length=240)
    title_en = models.CharField(max_length=240, blank=True, default="")
    option_text = models.CharField(max_length=200, blank=True, default="")
    option_text_en = models.CharField(max_length=200, blank=True, default="")
    picture = models.CharField(max_length=400, blank=True, default="")
    stage = models.CharField(max_length=12, blank=True, default="sand")
    return_policy = models.CharField(max_length=16, blank=True, default="seven_day")
    quantity = models.PositiveIntegerField()
    unit_list_minor = models.BigIntegerField(default=0)
    unit_price_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField()
    points_minor = models.BigIntegerField(default=0)
    credit_minor = models.BigIntegerField(default=0)
    coupon_minor = models.BigIntegerField(default=0)
    cost_minor = models.BigIntegerField(null=True)
    refunded_minor = models.BigIntegerField(default=0)
    refunded_quantity = models.PositiveIntegerField(default=0)
    shipped_quantity = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    disputed = models.CharField(max_length=4, blank=True, default="")  # open, lost: a chargeback (events.LineSnapshot)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "orders_line"
        constraints = [
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("amount_minor")),
                name="orders_line_refunded",
            ),
            models.CheckConstraint(
                condition=Q(refunded_quantity__lte=F("quantity")) & Q(shipped_quantity__lte=F("quantity")),
                name="orders_line_units",
            ),
        ]


class Pair(models.Model):
    """Two products that at least two people bought in one order lately; ``commands.pair_up`` writes them anew each day."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product_id = models.UUIDField()
    other_id = models.UUIDField()
    people = models.PositiveIntegerField()

    class Meta:
        db_table = "orders_pair"
        constraints = [models.UniqueConstraint(fields=["product_id", "other_id"], name="orders_pair_once")]


class RefundRecord(models.Model):
    """One refund of an order under one reference: the same reference again refunds nothing more."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="+")
    buyer_id = models.UUIDField()
    reference = models.CharField(max_length=100)
    items = models.JSONField(default=list)
    cash_minor = models.BigIntegerField()
    points_minor = models.BigIntegerField(default=0)
    credit_minor = models.BigIntegerField(default=0)
    freight_minor = models.BigIntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "orders_refund"
        constraints = [models.UniqueConstraint(fields=["order", "reference"], name="orders_refund_once")]
