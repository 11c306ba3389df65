"""Rewards: one decision per order line and depth. The money itself is in the ledger, under the reward's story."""

from typing import ClassVar

from django.db import models

from tongzhou.kit.ids import new_id


class Reward(models.Model):
    """Why somebody earns from a line: the rule and ceiling frozen at accrual, and what has happened since.

    ``depth`` 1 is the sharer, 2 the sharer's inviter where the jurisdiction allows it. ``story_id`` is
    the line's own id at depth 1; deeper rewards have a story of their own, so that no book's story shows
    somebody else's money.
    ``line_version`` is the newest snapshot taken in; older ones are ignored. Amounts of the line are
    frozen copies (minor units), so that the explanation never depends on today's catalog.
    ``verdict`` is what risk said of it while it was held (values.Outcome; empty: nothing yet).
    ``disputed`` follows the line: ``open`` keeps it from maturing and holds back what had matured, ``lost`` ends it.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    line_id = models.UUIDField()
    depth = models.PositiveSmallIntegerField(default=1)
    story_id = models.UUIDField()
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
    disputed = models.CharField(max_length=4, blank=True, default="")
    settle_days = models.PositiveIntegerField()
    accrued_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    matures_at = models.DateTimeField(null=True)
    matured_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=8, blank=True, default="")
    verdict_at = models.DateTimeField(null=True)
    waits_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "rewards_reward"
        constraints = [models.UniqueConstraint(fields=["line_id", "depth"], name="rewards_line_depth")]
        indexes = [
            models.Index(fields=["sharer_id", "-id"], name="rewards_sharer"),
            models.Index(
                fields=["matures_at"],
                name="rewards_due",
                condition=models.Q(matured_at=None, delivered_at__isnull=False) & ~models.Q(verdict="refuse"),
            ),
        ]


class MonitorNight(models.Model):
    """What the compliance monitors saw on one of the mall's days, over the window that ended with it.

    ``stops``: what by law freezes payouts until a later night finds it mended.
    """

    placement: ClassVar[str] = "local"
    day = models.DateField(primary_key=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    profile = models.CharField(max_length=8)
    plan_label = models.CharField(max_length=60, blank=True, default="")
    figures = models.JSONField()
    findings = models.JSONField(default=list)
    stops = models.BooleanField(default=False)
    computed_at = models.DateTimeField()

    class Meta:
        db_table = "rewards_monitor_night"
