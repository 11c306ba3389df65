"""A killed worker loses nothing and repeats nothing, on the engine at hand."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def database(tmp_path):
    """A database of its own for the processes that will die."""
    if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
        yield f"sqlite:///{tmp_path / 'kill.sqlite3'}"
        return
    import psycopg

    given, name = os.environ["DATABASE_URL"], f"tz_kill_{uuid4().hex[:12]}"
    with psycopg.connect(given, autocommit=True) as base:
        base.execute(f"CREATE DATABASE {name}")
    yield given.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(given, autocommit=True) as base:
        # not WITH (FORCE): that also means to end an autovacuum worker, which only a superuser may
        base.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
            [name],
        )
        base.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_workers_killed_at_random_do_everything_once(database, tmp_path, seed):
    bank = tmp_path / "bank"
    bank.mkdir()
    env = {**os.environ, "DATABASE_URL": database, "TONGZHOU_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tongzhou.config.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", str(seed), str(bank)], cwd=ROOT, env=env, capture_output=True, text=True,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["kills"] >= 10, "hardly anybody was killed: this proved nothing"
    assert (said["problems"], said["backlog"], said["dead"]) == ([], 0, 0)
    assert (said["refunds"], said["payouts"], said["in_transit"]) == (["SUCCEEDED"], ["PAID"], {})
    assert said["bank_refunds"] == said["books_refunds"] and said["bank_payouts"] == said["books_payouts"] > 0
    assert said["sums"]["gateway.sandbox"] == said["captured"] - said["bank_refunds"]
    assert said["asked_again"] == 0  # a worker asks what the bank knows before it repeats a number
    assert said["sums"] == UNDISTURBED


# what the same thirty lives come to when no worker is killed
UNDISTURBED = {
    "bank": -27_388, "deposit.orders": 318_392, "expense.goods": 148_000, "expense.rewards": 27_388,
    "gateway.sandbox": 592_284, "payable.supplier": 148_000, "payout.in_transit.reward": 0, "prepaid.rewards": 31_838,
    "refund.in_transit": 0, "revenue.goods": 273_892, "reward.available": 0, "reward.expected": 31_838, "reward.held": 0,
    "suspense.payments": 0,
}  # fmt: skip
