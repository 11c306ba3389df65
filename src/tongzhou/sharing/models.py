"""Share links, the touches they received, and the attribution of each order."""

from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class ShareLink(models.Model):
    """One member's link to one product, or to the whole mall."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=16, unique=True)
    sharer_id = models.UUIDField()
    product_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=8)
    words = models.CharField(max_length=40, blank=True, default="")  # the sharer's own; the friend sees them
    at = models.DateTimeField()

    class Meta:
        db_table = "sharing_link"
        constraints = [
            models.UniqueConstraint(fields=["sharer_id", "product_id"], name="sharing_link_product"),
            models.UniqueConstraint(
                fields=["sharer_id"], name="sharing_link_shop", condition=models.Q(product_id=None)
            ),
        ]


class Touch(models.Model):
    """Somebody opened a link. Append-only, kept in the database and nowhere else."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link_id = models.UUIDField()
    sharer_id = models.UUIDField()
    visitor_id = models.UUIDField()
    product_id = models.UUIDField(null=True)
    plan_version_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    referrer = models.CharField(max_length=200, blank=True, default="")
    agent_class = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        db_table = "sharing_touch"
        indexes = [
            models.Index(fields=["visitor_id", "-at"], name="sharing_touch_visitor"),
            models.Index(fields=["link_id", "-at"], name="sharing_touch_link"),
        ]


class Visitor(models.Model):
    """A browser's signed cookie that has become a member's: its touches are that member's touches."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, editable=False)
    member_id = models.UUIDField(db_index=True)
    joined_at = models.DateTimeField()

    class Meta:
        db_table = "sharing_visitor"


class LinkDay(models.Model):
    """What one link did on one day, counted when it happened: ``views`` with repeats, ``visitors`` and ``carts`` once
    each; machines (``agent_class`` bot) only in ``bots``."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link_id = models.UUIDField()
    product_id = models.UUIDField(null=True)
    day = models.DateField()
    views = models.PositiveIntegerField(default=0)
    visitors = models.PositiveIntegerField(default=0)
    carts = models.PositiveIntegerField(default=0)
    bots = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "sharing_link_day"
        constraints = [models.UniqueConstraint(fields=["link_id", "day"], name="sharing_link_day_once")]
        indexes = [models.Index(fields=["day", "link_id"], name="sharing_link_day_day")]


class FunnelMark(models.Model):
    """One visitor's step (``visit`` | ``cart``) by one link on one day: a second time is no second mark.

    It knows of the visitor what the touch knows, and nothing more. ``product_id`` is what was put in the cart.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link_id = models.UUIDField()
    day = models.DateField()
    visitor_id = models.UUIDField()
    kind = models.CharField(max_length=5)
    product_id = models.UUIDField(null=True)

    class Meta:
        db_table = "sharing_mark"
        constraints = [
            models.UniqueConstraint(fields=["link_id", "day", "kind", "visitor_id"], name="sharing_mark_once")
        ]
        indexes = [models.Index(fields=["kind", "day", "product_id"], name="sharing_mark_product")]


class Attribution(models.Model):
    """Who earns from one order: written with the order, never re-read from a cache or today's binding."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order_id = models.UUIDField(unique=True)
    buyer_id = models.UUIDField(db_index=True)
    sharer_id = models.UUIDField(null=True, db_index=True)
    touch_id = models.UUIDField(null=True)
    link_id = models.UUIDField(null=True, db_index=True)
    touched_at = models.DateTimeField(null=True)
    touched_plan_version_id = models.UUIDField(null=True)
    model = models.CharField(max_length=16)
    reason = models.CharField(max_length=32)
    candidates = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        db_table = "sharing_attribution"
        indexes = [models.Index(fields=["at"], name="sharing_attribution_at", condition=~models.Q(sharer_id=None))]
