"""The statements stock is moved by, one for all SKUs of an order, the same in effect on SQLite and PostgreSQL.

Each takes ``(sku_id, quantity)`` pairs with every SKU once. PostgreSQL locks the rows in SKU order
inside the statement, so two orders that share SKUs wait in line instead of in a circle; SQLite has
one writer at a time anyway.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from tongzhou.catalog.models import MALL
from tongzhou.kit import inserts
from tongzhou.kit.ids import new_id

Wants = Sequence[tuple[UUID, int]]

_PG = """
WITH wants (sku_id, qty) AS (VALUES {values}),
locked AS (
  SELECT s.id, s.on_hand, s.reserved, w.qty FROM catalog_stock s JOIN wants w ON w.sku_id = s.sku_id
  WHERE s.holder = %s ORDER BY s.sku_id FOR UPDATE OF s
)
UPDATE catalog_stock t SET {change} FROM locked l
WHERE t.id = l.id AND (SELECT count(*) FROM locked c WHERE {enough}) = %s
"""
_LITE = """
UPDATE catalog_stock AS t SET {change} WHERE t.holder = %s AND t.sku_id IN ({marks})
AND (SELECT count(*) FROM catalog_stock c WHERE c.holder = %s AND c.sku_id IN ({marks}) AND {enough}) = %s
"""


_SKUS = """
SELECT s.id, s.code, s.product_id, p.slug, c.path, p.supplier_id, p.title, p.title_en, s.option_values, s.option_values_en,
  s.list_price_minor, s.member_price_minor, s.cost_minor, p.return_policy, p.status, s.active, p.cover, p.stage,
  s.weight_grams, t.on_hand - t.reserved
FROM catalog_sku s JOIN catalog_product p ON p.id = s.product_id JOIN catalog_category c ON c.id = p.category_id
LEFT JOIN catalog_stock t ON t.sku_id = s.id AND t.holder = %s WHERE s.{column} IN ({marks})
"""


def sku_rows(column: str, wanted: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What cart and orders need of SKUs, by ``id`` or ``code``, with what can be bought of each; JSON and ids decoded."""
    statement = _SKUS.format(column=column, marks=", ".join(["%s"] * len(wanted)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [MALL, *(uuid(w) if column == "id" else w for w in wanted)])
        found = cursor.fetchall()
    return [
        (_id(r[0]), r[1], _id(r[2]), r[3], _json(r[4]), _id(r[5]), r[6], r[7], _json(r[8]), _json(r[9]), *r[10:15],
         bool(r[15]), _json(r[16]), *r[17:])
        for r in found
    ]  # fmt: skip


def _id(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


@contextmanager
def together() -> Iterator[None]:
    """The caller's transaction if there is one, else one of its own: no savepoint, two statements less per call.

    Only for code that leaves nothing behind when it refuses.
    """
    if connection.in_atomic_block:
        yield
    else:
        with transaction.atomic():
            yield


def uuid(value: UUID) -> Any:
    """A UUID as the engine at hand stores it."""
    return value if connection.vendor == "postgresql" else value.hex


def hold(wants: Wants) -> bool:
    """reserved += q where on_hand − reserved ≥ q, for all of them or for none; True when all."""
    return _move(wants, "reserved = {t}reserved + {q}", "{c}on_hand - {c}reserved >= {q}")


def unhold(wants: Wants) -> bool:
    """reserved −= q."""
    return _move(wants, "reserved = {t}reserved - {q}", "{c}reserved >= {q}")


def ship(wants: Wants) -> bool:
    """What was held leaves the shelf: on_hand −= q and reserved −= q."""
    return _move(wants, "on_hand = {t}on_hand - {q}, reserved = {t}reserved - {q}", "{c}reserved >= {q}")


def put(wants: Wants) -> bool:
    """on_hand += q; a negative q takes away what is not held."""
    return _move(wants, "on_hand = {t}on_hand + {q}", "{c}on_hand + {q} >= {c}reserved")


def _move(wants: Wants, change: str, enough: str) -> bool:
    wants = sorted(wants)
    if not wants:
        return True
    n = len(wants)
    if connection.vendor == "postgresql":
        sql = _PG.format(
            values=", ".join(["(%s::uuid, %s::integer)"] * n),
            change=change.format(t="t.", q="l.qty"),
            enough=enough.format(c="c.", q="c.qty"),
        )
        params: list[Any] = [part for pair in wants for part in pair] + [MALL, n]
    else:
        cases = [part for sku, qty in wants for part in (uuid(sku), qty)]
        ids = [uuid(sku) for sku, _qty in wants]
        arms = " ".join(["WHEN %s THEN %s"] * n)
        marks = ", ".join(["%s"] * n)
        sql = _LITE.format(
            change=change.format(t="t.", q=f"(CASE t.sku_id {arms} END)"),
            enough=enough.format(c="c.", q=f"(CASE c.sku_id {arms} END)"),
            marks=marks,
        )
        params = cases * change.count("{q}") + [MALL, *ids, MALL, *ids] + cases * enough.count("{q}") + [n]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return bool(cursor.rowcount == n)


def insert_fresh(model: type[models.Model], rows: Sequence[models.Model], *, conflict: Sequence[str]) -> int:
    """INSERT … ON CONFLICT DO NOTHING; how many rows were new."""
    one = f"({', '.join(['%s'] * len(model._meta.concrete_fields))})"
    statement = (
        f"INSERT INTO {model._meta.db_table} ({inserts.columns(model)})"  # noqa: S608
        f" VALUES {', '.join([one] * len(rows))} ON CONFLICT ({', '.join(conflict)}) DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in inserts.values(row)])
        return int(cursor.rowcount)


def commit_holds(order_id: UUID) -> list[tuple[UUID, int]]:
    """HELD → COMMITTED for every hold of an order; what they held."""
    which = "order_id = %s AND status = 'HELD'"
    if connection.vendor == "postgresql":  # lock by id, as a release does
        which = f"id IN (SELECT id FROM catalog_reservation WHERE {which} ORDER BY id FOR UPDATE)"  # noqa: S608
    statement = f"UPDATE catalog_reservation SET status = 'COMMITTED' WHERE {which} RETURNING sku_id, quantity"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [uuid(order_id)])
        return [(sku if isinstance(sku, UUID) else UUID(sku), qty) for sku, qty in cursor.fetchall()]


def note_deals(deals: Mapping[UUID, int], day: date) -> None:
    """Remember the lowest and the last real price of each SKU of a day; a deal that changes neither writes nothing."""
    if not deals:
        return
    rows = sorted(deals.items())
    pg = connection.vendor == "postgresql"
    one = "(%s::uuid, %s::uuid, %s::date, %s::bigint, %s::bigint)" if pg else "(%s, %s, %s, %s, %s)"
    low = "LEAST" if pg else "MIN"
    statement = (
        "INSERT INTO catalog_deal_day (id, sku_id, day, lowest_minor, last_minor)"  # noqa: S608
        f" VALUES {', '.join([one] * len(rows))} ON CONFLICT (sku_id, day) DO UPDATE SET"
        f" lowest_minor = {low}(catalog_deal_day.lowest_minor, excluded.lowest_minor), last_minor = excluded.last_minor"
        " WHERE excluded.lowest_minor < catalog_deal_day.lowest_minor"
        " OR excluded.last_minor <> catalog_deal_day.last_minor"
    )
    params = [part for sku, price in rows for part in (uuid(new_id()), uuid(sku), day.isoformat(), price, price)]
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
