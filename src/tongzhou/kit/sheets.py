"""Many rows in one statement, by columns: one parameter a column, however many rows.

A statement with a mark for each value of each row costs more to put together than its rows cost the
database. Here each column travels as one array (PostgreSQL) or all of them as one JSON document
(SQLite), so the text of a statement does not grow with its rows, and an INSERT, an UPDATE or a
read of thousands is the database's own work. The caller sorts: rows are taken in the order given.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

from tongzhou.kit import selects

FEW = 12  # so many rows and fewer are written out: the database reads a short list faster than an array
M = TypeVar("M", bound=models.Model)
Columns = Mapping[str, tuple[str, Sequence[Any]]]  # name → (PostgreSQL's type, values)


def table(name: str, columns: Columns) -> tuple[str, list[Any]]:
    """Rows as a table called ``name`` for a FROM, and its parameters. Types: uuid, text, bigint, timestamptz, jsonb.

    A jsonb value is any JSON-like value; the other types take None and what Python calls them.
    """
    kinds = tuple((column, kind) for column, (kind, _values) in columns.items())
    count = len(next(iter(columns.values()))[1])
    return _table(name, kinds, connection.vendor, _few(count)), _given(columns, count)


def _few(count: int) -> int:
    """How many rows to write out; 0 for arrays."""
    return count if count <= FEW else 0


def _given(columns: Columns, count: int) -> list[Any]:
    """The parameters of :func:`_table`."""
    postgres = connection.vendor == "postgresql"
    if postgres and not _few(count):
        return [_array(kind, values) for kind, values in columns.values()]
    cells = [
        _documents(values) if kind == "jsonb" else values if postgres else [_cell(kind, v) for v in values]
        for kind, values in columns.values()
    ]
    rows = zip(*cells, strict=True)
    return [v for row in rows for v in row] if _few(count) else [json.dumps(list(rows), ensure_ascii=False)]


def insert(
    model: type[models.Model], each: Mapping[str, Sequence[Any]], same: Mapping[str, Any] | None = None, *,
    unless: Sequence[str] = (),
) -> int:  # fmt: skip
    """Insert rows in the order given; returns how many were written (fewer only with ``unless``).

    ``each`` has a value a row, ``same`` one for all, by attribute; together they name every column, for
    no default of the model is applied. ``unless`` names a unique key: a row whose key is taken is left out.
    """
    kept = same or {}
    count = len(next(iter(each.values())))
    if not count:
        return 0
    text, kinds = _insert(model, tuple(each), tuple(kept), tuple(unless), connection.vendor, _few(count))
    params = _given({name: (kinds[name], values) for name, values in each.items()}, count)
    given = [_scalar(kinds[name], value) for name, value in kept.items()]
    with connection.cursor() as cursor:
        cursor.execute(text, [*given, *params])
        return int(cursor.rowcount)


def write(rows: "Sequence[models.Model]") -> int:
    """Insert new rows of one model, in the order given; nothing for no rows."""
    if not rows:
        return 0
    kept = [row.__dict__ for row in rows]
    names = [field.attname for field in type(rows[0])._meta.concrete_fields]
    return insert(type(rows[0]), {name: [row[name] for row in kept] for name in names})


def row(model: type[M], values: Mapping[str, Any]) -> M:
    """A new row of which every column is given, as unpickling makes one: ``__init__`` costs ten times as much."""
    made = model.__new__(model)
    made.__dict__.update(values)
    made._state = ModelState()
    return made


def run(statement: str, params: Sequence[Any]) -> int:
    """Execute a statement over a table of :func:`table`; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [selects.value(p) for p in params])
        return int(cursor.rowcount)


def _scalar(kind: str, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if kind == "jsonb" else selects.value(value)


@cache
def _table(name: str, kinds: tuple[tuple[str, str], ...], vendor: str, few: int) -> str:
    names = ", ".join(column for column, _kind in kinds)
    if few:
        marks = ", ".join(f"%s::{kind}" if vendor == "postgresql" else "%s" for _column, kind in kinds)
        values = f"VALUES {', '.join([f'({marks})'] * few)}"
        if vendor == "postgresql":
            return f"({values}) AS {name}({names})"
        read = ", ".join(f"column{i} AS {column}" for i, (column, _kind) in enumerate(kinds, start=1))
        return f"(SELECT {read} FROM ({values})) AS {name}"  # noqa: S608
    if vendor == "postgresql":
        return f"unnest({', '.join(f'%s::{kind}[]' for _column, kind in kinds)}) AS {name}({names})"
    read = ", ".join(f"json_extract(value, '$[{i}]') AS {column}" for i, (column, _kind) in enumerate(kinds))
    return f"(SELECT {read} FROM json_each(%s)) AS {name}"  # noqa: S608


@cache
def _insert(
    model: type[models.Model],
    each: tuple[str, ...],
    same: tuple[str, ...],
    unless: tuple[str, ...],
    vendor: str,
    few: int,
) -> tuple[str, dict[str, str]]:
    """The INSERT, and the type of each attribute."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    if set(fields) != {*each, *same}:
        raise TypeError(f"{model.__name__}: columns missing or unknown: {set(fields) ^ {*each, *same}}")
    kinds = {name: _kind(field) for name, field in fields.items()}
    mark = {name: f"%s::{kinds[name]}" if vendor == "postgresql" else "%s" for name in same}
    rows = _table("w", tuple((name, kinds[name]) for name in each), vendor, few)
    names = ", ".join(f'"{fields[name].column}"' for name in (*same, *each))
    values = ", ".join([*mark.values(), *(f"w.{name}" for name in each)])
    end = f" ON CONFLICT ({', '.join(unless)}) DO NOTHING" if unless else ""
    text = f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} FROM {rows} WHERE true{end}'  # noqa: S608
    return text, kinds


def _kind(field: "models.Field[Any, Any]") -> str:
    for kind, types in _KINDS.items():
        if isinstance(field, types):
            return kind
    raise TypeError(f"no sheet of {type(field).__name__}")


_KINDS: dict[str, tuple[type, ...]] = {
    "uuid": (models.UUIDField, models.ForeignKey),
    "bigint": (models.IntegerField,),
    "text": (models.CharField, models.TextField),
    "timestamptz": (models.DateTimeField,),
    "jsonb": (models.JSONField,),
    "boolean": (models.BooleanField,),
}  # a text column of limited length takes text: a cast to varchar(n) would cut it silently


def _array(kind: str, values: Sequence[Any]) -> str:
    """A PostgreSQL array literal. A list for each type, not a call for each value: this is all that a row costs here."""
    if kind == "uuid":
        parts = ["NULL" if v is None else v.hex for v in values]
    elif kind in ("bigint", "boolean"):
        parts = ["NULL" if v is None else str(v) for v in values]
    elif kind == "timestamptz":
        parts = ["NULL" if v is None else f'"{v.isoformat()}"' for v in values]
    else:
        texts = (
            [None if v is None else json.dumps(v, ensure_ascii=False) for v in values] if kind == "jsonb" else values
        )
        parts = ["NULL" if v is None else '"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in texts]
    return "{" + ",".join(parts) + "}"


def _documents(values: Sequence[Any]) -> list[str | None]:
    """JSON texts; a document that many rows share is written out once."""
    texts: dict[int, str | None] = {id(None): None}
    for value in values:
        if id(value) not in texts:
            texts[id(value)] = json.dumps(value, ensure_ascii=False)
    return [texts[id(value)] for value in values]


def _cell(kind: str, value: Any) -> Any:
    """A value as SQLite stores it, within a JSON document."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return str(selects.value(value))
    if kind == "jsonb":
        return json.dumps(value, ensure_ascii=False)
    return value.hex if kind == "uuid" else value
