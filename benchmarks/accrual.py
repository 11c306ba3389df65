"""Accrual of many paid lines and maturity of their rewards, in batches as the worker does, beside a baseline: one
INSERT … SELECT per table of the same rows with the same indexes. ``python -m benchmarks.accrual [LINES]`` on the
database of ``DATABASE_URL``, which must be empty: nothing else is to be in it.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta

AT = datetime(2026, 7, 1, 4, tzinfo=UTC)
EACH, SHARERS, BATCH = 10, 1000, 64  # lines an order, sharers, facts a delivery batch
TABLES = ("rewards_reward", "ledger_posting", "ledger_transfer", "ledger_balance")
PLAN = 'code = "b"\n[[rewards]]\nrate_bp = 1000\n[caps]\npayout_to_margin_bp = 5000\n'


def main() -> None:
    """Fill, accrue, mature, and the baseline of each."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from tongzhou.orders import queries as orders
    from tongzhou.orders.models import Order
    from tongzhou.rewards import commands
    from tongzhou.rewards.models import Reward

    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    call_command("migrate", verbosity=0)
    if Order.objects.exists():
        raise SystemExit("the database is not empty")
    fill(lines)
    ids = list(Order.objects.order_by("id").values_list("id", flat=True))
    accrual = 0.0
    for i in range(0, len(ids), BATCH):  # what a worker reads and decodes is not accrual, and is not kept
        facts = orders.facts_of(dict.fromkeys(ids[i : i + BATCH], AT))
        began = time.monotonic()
        commands.apply(facts, at=AT)
        accrual += time.monotonic() - began
    base = baseline("")
    Reward.objects.update(delivered_at=AT, matures_at=AT + timedelta(days=15))
    _held()
    before = time.monotonic()
    matured = commands.mature_due(at=AT + timedelta(days=18))
    maturity = time.monotonic() - before
    if not matured == Reward.objects.count() == lines:
        raise SystemExit(f"{lines} lines, {Reward.objects.count()} rewards, {matured} matured: nothing was measured")
    late = baseline(" WHERE kind = 'reward_matured'")
    json.dump(
        {
            "lines": lines, "rewards": Reward.objects.count(), "matured": matured,
            "accrual_s": round(accrual, 2), "accrual_baseline_s": round(sum(base.values()), 2),
            "accrual_ratio": round(accrual / sum(base.values()), 1), "accrual_lines_per_s": round(lines / accrual),
            "maturity_s": round(maturity, 2), "maturity_baseline_s": round(sum(late.values()), 2),
            "maturity_ratio": round(maturity / sum(late.values()), 1), "maturity_per_s": round(matured / maturity),
        },
        sys.stdout, indent=2,
    )  # fmt: skip


def fill(lines: int) -> None:
    """Paid orders of ten lines each, as rows; a thousand sharers."""
    from tongzhou.kit.actor import Actor
    from tongzhou.kit.ids import new_id
    from tongzhou.orders.models import Order, OrderLine
    from tongzhou.plans import commands as plans

    by = Actor("operator", None, "benchmark")
    plans.import_plan(text=PLAN, by=by, at=AT)
    version = plans.activate(code="b", by=by, at=AT)
    sharers, sku = [new_id() for _i in range(SHARERS)], new_id()
    rows, goods = [], []
    for n in range(lines // EACH):
        order = Order(
            id=new_id(), no=f"B{n}", buyer_id=new_id(), status="PAID", goods_minor=EACH * 5000, total_minor=EACH * 5000,
            sharer_id=sharers[n % SHARERS], plan_version_id=version.id, placed_at=AT, paid_at=AT,
        )  # fmt: skip
        rows.append(order)
        goods += [
            OrderLine(
                id=new_id(), order=order, buyer_id=order.buyer_id, position=i, sku_id=sku, product_id=sku,
                supplier_id=sku, sku_code=f"S{i}", product_slug=f"p{i}", title="x", quantity=1, unit_list_minor=5000,
                unit_price_minor=5000, amount_minor=5000, cost_minor=3000,
            )
            for i in range(EACH)
        ]  # fmt: skip
    Order.objects.bulk_create(rows, batch_size=1000)
    OrderLine.objects.bulk_create(goods, batch_size=1000)


def _held() -> None:
    """What a delivery would have moved, in one posting a reward, outside the clock."""
    from django.db import transaction

    from tongzhou.kit.actor import SYSTEM
    from tongzhou.ledger import commands as ledger
    from tongzhou.ledger.values import Move, PostingRequest
    from tongzhou.rewards.models import Reward

    rows = list(Reward.objects.order_by("id"))
    for start in range(0, len(rows), 640):
        with transaction.atomic():
            ledger.post_many(
                [
                    PostingRequest(
                        r.sharer_id, "reward_moved", f"reward:{r.line_id}:v0", r.story_id,
                        (Move("expense.rewards", "prepaid.rewards", r.accrued_minor), Move("reward.expected", "reward.held", r.accrued_minor)),
                        AT,
                    )
                    for r in rows[start : start + 640]
                ],
                by=SYSTEM, at=AT,
            )  # fmt: skip


def baseline(where: str) -> dict[str, float]:
    """Seconds to INSERT … SELECT each table's same rows into an empty copy with the same indexes and checks."""
    from django.db import connection

    took = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            if where and table == "rewards_reward":  # maturity writes a time into each reward: as many rows again
                chosen = ""
            elif where and table == "ledger_posting":
                chosen = where
            elif where and table == "ledger_transfer":
                chosen = f" WHERE posting_id IN (SELECT id FROM ledger_posting{where})"
            else:
                chosen = ""
            copy = f"{table}_copy"
            if connection.vendor == "postgresql":
                cursor.execute(f"CREATE TABLE {copy} (LIKE {table} INCLUDING ALL)")
            else:
                _copy_of(cursor, table, copy)
            began = time.monotonic()
            cursor.execute(f"INSERT INTO {copy} SELECT * FROM {table}{chosen}")
            took[table] = time.monotonic() - began
            cursor.execute(f"DROP TABLE {copy}")
    return took


def _copy_of(cursor: object, table: str, copy: str) -> None:
    """SQLite: the table and its indexes again under another name."""
    cursor.execute("SELECT type, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])  # type: ignore[attr-defined]
    for kind, text in cursor.fetchall():  # type: ignore[attr-defined]
        made = text.replace(f'"{table}"', f'"{copy}"')
        if kind == "index":
            name = text.split('"')[1]
            made = made.replace(f'"{name}"', f'"{name}_copy"', 1)
        cursor.execute(made.replace("%", "%%"))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
