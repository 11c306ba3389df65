"""What two versions of a plan say differently: path, before, after. Pure; for the CLI, the console and the notices.

Rules are compared by what they are about (trigger, depth, what they match), not by where they stand in
the file, so that a rule put in at the top does not change every rule below it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Doc = Mapping[str, Any]
_KEYS: dict[str, tuple[tuple[str, Any], ...]] = {
    "rewards": (("trigger", "retail_sale"), ("depth", 1), ("campaign", ""), ("sku", ""), ("product", ""), ("category", "")),
    "ranks": (("name", ""),),
    "criteria": (("metric", ""),),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One path of the document that says something else; None where a side says nothing."""

    path: str
    before: Any
    after: Any

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"path": self.path, "kind": self.kind, "before": self.before, "after": self.after}


def diff(before: Doc, after: Doc) -> tuple[Change, ...]:
    """Every changed path, in the order of the newer document; what only the older one has comes last of its table.

    ``diff(a, a)`` is empty, and ``diff(a, b)`` mirrors ``diff(b, a)``.
    """
    return tuple(_tables(before, after, ""))


def _tables(before: Doc, after: Doc, path: str) -> Iterator[Change]:
    for key in [*after, *(k for k in before if k not in after)]:
        here = f"{path}.{key}" if path else str(key)
        yield from _values(before.get(key), after.get(key), here, str(key))


def _values(old: Any, new: Any, path: str, key: str) -> Iterator[Change]:
    if old == new and type(old) is type(new):
        return
    tables = isinstance(old, Mapping | None) and isinstance(new, Mapping | None)
    lists = isinstance(old, list | None) and isinstance(new, list | None)
    if tables and (old or new):
        yield from _tables(old or {}, new or {}, path)
    elif lists and key in _KEYS:
        yield from _named(old or [], new or [], path, _KEYS[key])
    else:
        yield Change(path, old, new)


def _named(old: Sequence[Any], new: Sequence[Any], path: str, keys: Sequence[tuple[str, Any]]) -> Iterator[Change]:
    """Lists of tables that have names of their own; two of one name are told apart by their order."""
    was, now = _by_name(old, keys), _by_name(new, keys)
    for name in [*now, *(n for n in was if n not in now)]:
        before, after = was.get(name), now.get(name)
        here = f"{path}[{name}]"
        if before is None or after is None:
            yield Change(here, before, after)
        else:
            yield from _tables(_plain(before, keys), _plain(after, keys), here)


def _by_name(rows: Sequence[Any], keys: Sequence[tuple[str, Any]]) -> dict[str, Doc]:
    out: dict[str, Doc] = {}
    for row in rows:
        row = row if isinstance(row, Mapping) else {"value": row}
        said = [f"{k}={row[k]}" for k, d in keys if row.get(k, d) != d]
        name = base = ", ".join(said) or "*"
        count = 1
        while name in out:
            count += 1
            name = f"{base} #{count}"
        out[name] = row
    return out


def _plain(row: Doc, keys: Sequence[tuple[str, Any]]) -> Doc:
    """The row without its name, which the path already says."""
    names = {k for k, _d in keys}
    return {k: v for k, v in row.items() if k not in names}
