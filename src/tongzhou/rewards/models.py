"""Rewards: one decision per order line. The money itself is in the ledger, under the line's story."""

from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class Reward(models.Model):
    """Why somebody earns from a line: the rule and ceiling frozen at accrual, and what has happened since.

    ``line_version`` is the newest snapshot taken in; older ones are ignored. Amounts of the line are
    frozen copies (minor units), so that the explanation never depends on today's catalog.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line_id = models.UUIDField(unique=True)
    order_id = models.UUIDField(db_index=True)
    order_no = models.CharField(max_length=40)
    sharer_id = models.UUIDField()
    buyer_id = models.UUIDField()
    attribution_id = models.UUIDField(null=True)
    plan_version_id = models.UUIDField()
    plan_label = models.CharField(max_length=60)
    rule = models.JSONField()
    base_minor = models.BigIntegerField()
    points_minor = models.BigIntegerField(default=0)
    list_minor = models.BigIntegerField(default=0)
    cost_minor = models.BigIntegerField(null=True)
    cap_minor = models.BigIntegerField()
    accrued_minor = models.BigIntegerField()
    accrual_transfer_id = models.UUIDField(null=True)
    refunded_minor = models.BigIntegerField(default=0)
    line_version = models.PositiveIntegerField()
    settle_days = models.PositiveIntegerField()
    accrued_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    matures_at = models.DateTimeField(null=True)
    matured_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "rewards_reward"
        indexes = [
            models.Index(fields=["sharer_id", "-id"], name="rewards_sharer"),
            models.Index(
                fields=["matures_at"],
                name="rewards_due",
                condition=models.Q(matured_at=None, delivered_at__isnull=False),
            ),
        ]
