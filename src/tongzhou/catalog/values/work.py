"""What the console and the files work with: drafts, lists, histories, imports."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tongzhou.catalog.values.shop import PictureValue, ReturnPolicy


@dataclass(frozen=True, slots=True)
class SkuDraft:
    """A SKU as somebody wants it. ``id`` None: matched by code, else new. ``on_hand`` None: stock is left alone."""

    code: str
    list_price_minor: int
    option_values: tuple[str, ...] = ()
    option_values_en: tuple[str, ...] = ()
    member_price_minor: int | None = None
    cost_minor: int | None = None
    weight_grams: int = 0
    barcode: str = ""
    active: bool = True
    on_hand: int | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A product as somebody wants it; what the console's form, the demo and the imports hand over."""

    slug: str
    title: str
    category_id: UUID
    supplier_id: UUID
    skus: tuple[SkuDraft, ...]
    title_en: str = ""
    subtitle: str = ""
    subtitle_en: str = ""
    description: str = ""
    description_en: str = ""
    brand: str = ""
    option_names: tuple[str, ...] = ()
    option_names_en: tuple[str, ...] = ()
    stage: str = ""
    return_policy: str = ReturnPolicy.SEVEN_DAYS
    tags: tuple[str, ...] = ()
    list_price_basis: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """What a SKU costs whom: everybody, a member (None: the plan's discount decides), the mall (None: unknown)."""

    list_price_minor: int
    member_price_minor: int | None = None
    cost_minor: int | None = None


@dataclass(frozen=True, slots=True)
class SavedProduct:
    """What a save made: ids of the product and, by code, of its SKUs."""

    id: UUID
    slug: str
    version: int
    sku_ids: dict[str, UUID] = field(default_factory=dict)
    created: bool = False


@dataclass(frozen=True, slots=True)
class ConsoleProduct:
    """A row of the console's product list."""

    id: UUID
    slug: str
    title: str
    title_en: str
    status: str
    brand: str
    category_id: UUID
    supplier_id: UUID
    sku_count: int
    list_from_minor: int
    list_to_minor: int
    available: int
    picture: PictureValue
    stage: str
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ConsoleSku:
    """A row of the console's variant matrix."""

    id: UUID
    code: str
    option_values: tuple[str, ...]
    option_values_en: tuple[str, ...]
    list_price_minor: int
    member_price_minor: int | None
    cost_minor: int | None
    weight_grams: int
    barcode: str
    active: bool
    on_hand: int
    reserved: int


@dataclass(frozen=True, slots=True)
class ConsoleProductPage:
    """A product as the console's form edits it."""

    id: UUID
    status: str
    version: int
    draft: ProductDraft
    skus: tuple[ConsoleSku, ...]
    pictures: tuple[PictureValue, ...]


@dataclass(frozen=True, slots=True)
class RowNote:
    """One thing to say about one row of a file: refused (``code`` says why) or taken with a change."""

    line: int
    column: str
    value: str
    code: str
    reason: str
    fix: str

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and the console."""
        return {
            "line": self.line, "column": self.column, "value": self.value, "code": self.code,
            "reason": self.reason, "fix": self.fix,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did, or with ``dry_run`` would do.

    ``read``, ``created``, ``updated`` and ``unchanged`` count products; ``refused`` counts rows, each
    with its note in ``refusals``. ``notes`` tells of rows that were taken with a change.
    """

    format: str
    dry_run: bool
    read: int
    created: int
    updated: int
    unchanged: int
    refused: int
    rows: int
    skus: int
    refusals: tuple[RowNote, ...] = ()
    notes: tuple[RowNote, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "format": self.format, "dry_run": self.dry_run, "read": self.read, "created": self.created,
            "updated": self.updated, "unchanged": self.unchanged, "refused": self.refused, "rows": self.rows,
            "skus": self.skus, "refusals": [n.as_dict() for n in self.refusals],
            "notes": [n.as_dict() for n in self.notes],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class LowStock:
    """A SKU that is running out."""

    sku_id: UUID
    code: str
    product_id: UUID
    title: str
    title_en: str
    option_text: str
    option_text_en: str
    available: int


@dataclass(frozen=True, slots=True)
class PricePointValue:
    """What a SKU's prices were from ``at`` on, and who set them."""

    at: datetime
    list_price_minor: int
    member_price_minor: int | None
    by: str


@dataclass(frozen=True, slots=True)
class MovementValue:
    """One change of a level."""

    at: datetime
    kind: str
    delta: int
    order_id: UUID | None
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class ImportRunValue:
    """One run of an import, as the console tells of it."""

    id: UUID
    format: str
    file_name: str
    supplier_code: str
    actor: str
    started_at: datetime
    finished: bool
    summary: dict[str, Any]
