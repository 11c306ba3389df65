"""Rows read where it is hot: a SELECT whose text is made once, rows that are the usual model instances."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def one(model: type[M], where: str, params: Sequence[Any]) -> M | None:
    """The first row of a model (``t``) that fits a condition, or None."""
    rows = many(model, f"{where} LIMIT 1", params)
    return rows[0] if rows else None


def many(model: type[M], where: str, params: Sequence[Any]) -> list[M]:
    """The rows of a model (``t``) that fit a condition, which may end in an order and a limit.

    ``where`` is the program's own text, never anything a caller sent: that goes into ``params``.
    """
    return [build(model, row) for row in fetch(_select(model, where), params)]


def picked(
    model: type[models.Model], names: tuple[str, ...], where: str, params: Sequence[Any], extra: str = ""
) -> list[tuple[Any, ...]]:
    """Some fields of the rows of a model (``t``) that fit a condition, as Python values; ``extra``, one more expression, last.

    ``where`` and ``extra`` are the program's own text; what a caller sent goes into ``params``.
    """
    found = fetch(_select_some(model, names, where, extra), params)
    converters = _some_converters(model, names, connection.vendor)
    if not converters:
        return found
    out = []
    for row in found:
        values = list(row)
        for i, convert, column in converters:
            values[i] = convert(values[i], column, connection)
        out.append(tuple(values))
    return out


def fetch(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The raw rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [value(p) for p in params])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def id_of(stored: Any) -> UUID:
    """A UUID from a raw row."""
    return stored if isinstance(stored, UUID) else UUID(stored)


def value(given: Any) -> Any:
    """A parameter as the engine at hand stores it."""
    if connection.vendor == "postgresql":
        return given
    if isinstance(given, datetime):
        return connection.ops.adapt_datetimefield_value(given)
    if isinstance(given, date):
        return given.isoformat()
    return given.hex if isinstance(given, UUID) else given


@cache
def columns(model: type[models.Model], alias: str) -> str:
    """Every column of a model under a table alias, in the order :func:`build` wants."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def build(model: type[M], row: Sequence[Any]) -> M:
    """A model instance from the values of its columns."""
    values = list(row)
    for i, convert, column in _converters(model, connection.vendor):
        values[i] = convert(values[i], column, connection)
    return model.from_db("default", [field.attname for field in model._meta.concrete_fields], values)


@cache
def _select(model: type[models.Model], where: str) -> str:
    return f'SELECT {columns(model, "t")} FROM "{model._meta.db_table}" t WHERE {where}'  # noqa: S608


@cache
def _select_some(model: type[models.Model], names: tuple[str, ...], where: str, extra: str) -> str:
    some = ", ".join(f't."{model._meta.get_field(name).column}"' for name in names)  # type: ignore[union-attr]
    return f'SELECT {some}{", " if extra else ""}{extra} FROM "{model._meta.db_table}" t WHERE {where}'  # noqa: S608


def _converters(model: type[models.Model], vendor: str) -> list[tuple[int, Callable[..., Any], Any]]:
    return _some_converters(model, tuple(field.name for field in model._meta.concrete_fields), vendor)


@cache
def _some_converters(
    model: type[models.Model], names: tuple[str, ...], vendor: str
) -> list[tuple[int, Callable[..., Any], Any]]:
    """(position, converter, its expression): what the ORM would apply to make Python values of the engine's."""
    out = []
    for i, field in enumerate(cast("models.Field[Any, Any]", model._meta.get_field(name)) for name in names):
        column: Any = field.get_col(model._meta.db_table)
        found = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
        out += [(i, convert, column) for convert in found]
    return out
