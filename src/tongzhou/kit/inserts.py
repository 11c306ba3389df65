"""New rows where it is hot: a flat INSERT whose text is made once, in place of the ORM's, which is compiled each time."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db import connection, models

FEW = 12  # beyond that many the ORM's bulk_create costs no more a row, and its text stays the same for any number


def write(rows: "Iterable[models.Model]", *, ignore_conflicts: bool = False) -> None:
    """Insert new rows of one model in one statement, in the caller's transaction; nothing for no rows.

    The same in effect as ``bulk_create``: defaults are set, no signals, no ``save``.
    """
    new = list(rows)
    if not new:
        return
    model = type(new[0])
    if len(new) > FEW:
        model._default_manager.bulk_create(new, ignore_conflicts=ignore_conflicts, batch_size=500)
        return
    statement = _statement(model, len(new), ignore_conflicts)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in new for value in values(row)])


def fresh(row: models.Model) -> bool:
    """Insert one row unless its unique key is taken already; whether it was written now (the row count is trusted)."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row), 1, True), values(row))
        return bool(cursor.rowcount)


def values(row: models.Model) -> list[Any]:
    """A row's values as the engine at hand takes them, in the order of :func:`columns`."""
    kept = row.__dict__
    return [
        kept[name] if plain else field.get_db_prep_save(kept[name], connection)
        for name, field, plain in _fields(type(row), connection.vendor)
    ]


@cache
def columns(model: type[models.Model]) -> str:
    """The column list of an INSERT."""
    return ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)


@cache
def _fields(model: type[models.Model], vendor: str) -> list[tuple[str, Any, bool]]:
    """(attribute, field, whether the driver takes the value as it is). PostgreSQL's takes all but JSON."""
    return [
        (field.attname, field, vendor == "postgresql" and not isinstance(field, models.JSONField))
        for field in model._meta.concrete_fields
    ]


@cache
def _statement(model: type[models.Model], count: int, ignore_conflicts: bool) -> str:
    one = f"({', '.join(['%s'] * len(model._meta.concrete_fields))})"
    end = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    return f'INSERT INTO "{model._meta.db_table}" ({columns(model)}) VALUES {", ".join([one] * count)}{end}'  # noqa: S608
