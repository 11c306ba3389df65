"""What every format speaks: rows in, products out, notes about what could not be taken."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tongzhou.catalog.values import RowNote


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file: the line it begins on, and its cells by lower-case column name."""

    line: int
    cells: Mapping[str, str]

    def get(self, *names: str) -> str:
        """The first of these columns that is filled, trimmed; else empty."""
        return next((v for n in names if (v := self.cells.get(n, "").strip())), "")


@dataclass(slots=True)
class Report:
    """Notes gathered on the way: rows refused, and rows taken with a change."""

    refusals: list[RowNote] = field(default_factory=list)
    notes: list[RowNote] = field(default_factory=list)
    rows: int = 0

    def refuse(self, line: int, column: str, value: object, code: str, reason: Any, fix: Any = "") -> None:
        """This row is not taken."""
        self.refusals.append(RowNote(line, column, str(value)[:200], code, str(reason), str(fix)))

    def note(self, line: int, column: str, value: object, code: str, reason: Any, fix: Any = "") -> None:
        """This row is taken, but not quite as it stands."""
        self.notes.append(RowNote(line, column, str(value)[:200], code, str(reason), str(fix)))


@dataclass(slots=True)
class ImportedSku:
    """One SKU of the file. ``said`` = the fields of ``SkuDraft`` that the file speaks of; the rest is kept."""

    line: int
    code: str
    said: dict[str, Any]
    on_hand: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedPicture:
    """One picture of the file: a URL, drawn art, or files below MEDIA_ROOT."""

    kind: str
    where: str
    alt: str = ""
    alt_en: str = ""


@dataclass(frozen=True, slots=True)
class CategoryName:
    """One step of a category's path, top first. An empty slug: found by name, or made from it."""

    name: str
    slug: str = ""
    name_en: str = ""


@dataclass(slots=True)
class ImportedProduct:
    """One product of the file. ``said`` = the fields of ``ProductDraft`` that the file speaks of."""

    key: str
    line: int
    said: dict[str, Any]
    skus: list[ImportedSku] = field(default_factory=list)
    pictures: list[ImportedPicture] = field(default_factory=list)
    category: tuple[CategoryName, ...] = ()
    keep_category: bool = True  # an existing product stays where operators have put it
    supplier_code: str = ""
    supplier_name: str = ""
    status: str = ""


class Format(Protocol):
    """One kind of product file."""

    @property
    def name(self) -> str:
        """What ``--format`` says."""

    @property
    def required(self) -> tuple[frozenset[str], ...]:
        """Of each set one column must be there, lower case."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Draft field → the column people see."""

    def products(self, rows: Iterable[Row], report: Report, currency: str) -> Iterable[ImportedProduct]:
        """Rows as products, in order of first sight; what cannot be taken goes into ``report``."""
