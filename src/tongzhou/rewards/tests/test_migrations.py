"""Rewards of before there were depths keep their money, their story and their explanation."""

import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)


def test_rewards_of_before_depths_stay_whole():
    def to(name):
        executor = MigrationExecutor(connection)
        executor.migrate([("rewards", name)])
        return executor.loader.project_state([("rewards", name)]).apps.all_models["rewards"]["reward"]

    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("rewards")[0][1]
    try:
        old = to("0001_initial")
        line, who = uuid.uuid4(), uuid.uuid4()
        row = old.objects.create(
            line_id=line, order_id=uuid.uuid4(), order_no="T1", sharer_id=who, buyer_id=uuid.uuid4(), rule={},
            plan_version_id=uuid.uuid4(), plan_label="share-10 v1", base_minor=1, cap_minor=7, accrued_minor=7,
            line_version=1, settle_days=15, accrued_at="2026-07-14T00:00:00Z",
        )  # fmt: skip
        new = to("0002_depth")
        kept = new.objects.get(id=row.id)
        assert (kept.line_id, kept.story_id, kept.depth, kept.accrued_minor, kept.sharer_id) == (line, line, 1, 7, who)
        new.objects.all().delete()
    finally:
        to(latest)
