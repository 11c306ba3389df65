"""What an import of orders reads and says."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file, checked. ``amount_minor`` is the line's, rounded half up."""

    line: int
    sku: str
    title: str
    quantity: int
    unit_minor: int
    amount_minor: int


@dataclass(slots=True)
class Document:
    """All lines of one order number: a sale, a refund or an adjustment."""

    no: str
    kind: str
    placed_at: datetime
    buyer: str
    sharer: str
    refund_of: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the file says that was not taken as it stands: where, what, why, and how to mend it."""

    line: int
    column: str
    value: str
    code: str
    reason: str
    fix: str
    refused: bool = True


@dataclass(slots=True)
class HistoryImport:
    """How an import went. ``read``, ``created``, ``unchanged`` count order numbers, ``rows`` the lines of the
    file, ``refused`` the lines that were not taken, or not wholly; amounts in minor units.
    """

    dry_run: bool = False
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    rows: int = 0
    lines: int = 0
    sales_minor: int = 0
    refunds_minor: int = 0
    unmatched_minor: int = 0
    adjustments_minor: int = 0
    zero_lines: int = 0
    write_offs: int = 0
    guests: int = 0
    note_counts: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, note: Note) -> None:
        """Count a note; the first two hundred of each code are kept whole."""
        count = self.note_counts.get(note.code, 0)
        self.note_counts[note.code] = count + 1
        self.refused += note.refused
        if count < 200:
            self.notes.append(note)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        out = {k: getattr(self, k) for k in self.__slots__ if k != "notes"}
        out["notes"] = [
            {"line": n.line, "column": n.column, "value": n.value, "code": n.code, "reason": n.reason, "fix": n.fix,
             "refused": n.refused}
            for n in self.notes
        ]  # fmt: skip
        return out
