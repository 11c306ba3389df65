"""What crosses the wall of catalog. All prices are minor units of the mall's currency."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class ProductStatus(StrEnum):
    """Only PUBLISHED products are seen and sold; ARCHIVED ones stay for old orders."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    ARCHIVED = "ARCHIVED"


class ReturnPolicy(StrEnum):
    """七日无理由退货 and its lawful exceptions, a fact of the product."""

    SEVEN_DAYS = "seven_days"
    CUSTOM = "custom"  # made to order
    FRESH = "fresh"  # fresh and perishable
    OPENED_MEDIA = "opened_media"  # downloaded or unsealed media
    PRESS = "press"  # delivered newspapers and periodicals
    TICKED = "ticked"  # the buyer ticked at order that it cannot be returned


STAGES = ("", "sage", "mist", "blush", "clay")  # what a picture stands on; the design system's tones


@dataclass(frozen=True, slots=True)
class PictureValue:
    """One picture, ready to show. ``src`` is a URL; ``srcset`` is empty for drawn art and placeholders."""

    src: str
    alt: str
    alt_en: str = ""
    srcset: str = ""
    width: int = 0
    height: int = 0
    source_url: str = ""  # where an imported picture was said to live; recorded, never fetched
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """One category with its children, position order. ``path`` is its own id, then its parents'."""

    id: UUID
    slug: str
    name: str
    name_en: str
    parent_id: UUID | None
    position: int
    art: str
    path: tuple[UUID, ...]
    children: tuple["CategoryNode", ...] = ()

    def descendants(self) -> list[UUID]:
        """Its own id and those of everything below it."""
        return [self.id, *(i for child in self.children for i in child.descendants())]


@dataclass(frozen=True, slots=True)
class SkuInfo:
    """One SKU as cart and orders need it. ``price_minor`` is what a member pays now."""

    id: UUID
    code: str
    product_id: UUID
    product_slug: str
    category_ids: tuple[UUID, ...]  # leaf first, then its parents
    supplier_id: UUID
    title: str
    title_en: str
    option_text: str
    option_text_en: str
    list_price_minor: int
    price_minor: int
    cost_minor: int | None
    return_policy: str
    sellable: bool  # product published, SKU active, price above zero
    picture: str  # a URL
    stage: str
    weight_grams: int = 0


@dataclass(frozen=True, slots=True)
class ProductCard:
    """One product in a list. ``reference_minor`` is the crossed-out price where one may lawfully be shown."""

    id: UUID
    slug: str
    title: str
    title_en: str
    subtitle: str
    subtitle_en: str
    price_from_minor: int
    price_to_minor: int
    list_from_minor: int
    reference_minor: int | None
    picture: PictureValue
    stage: str
    in_stock: bool
    category_id: UUID
    supplier_id: UUID
    published_at: datetime | None

    @property
    def price_minor(self) -> int:
        """The lowest price: what "from" shows."""
        return self.price_from_minor

    @property
    def has_range(self) -> bool:
        """Whether "from" should be said."""
        return self.price_to_minor > self.price_from_minor


@dataclass(frozen=True, slots=True)
class CardPage:
    """A page of cards; ``next_cursor`` is empty on the last one."""

    items: tuple[ProductCard, ...]
    next_cursor: str = ""


@dataclass(frozen=True, slots=True)
class SkuOption:
    """One SKU on the product page."""

    id: UUID
    code: str
    values: tuple[str, ...]
    values_en: tuple[str, ...]
    list_price_minor: int
    price_minor: int
    reference_minor: int | None
    available: int
    option_text: str
    option_text_en: str


@dataclass(frozen=True, slots=True)
class OptionChoice:
    """One value of one option; ``sold_out`` when no SKU with it has stock."""

    value: str
    value_en: str
    sold_out: bool


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """One option (包装, 颜色 …) and its values in the order of the SKUs."""

    name: str
    name_en: str
    choices: tuple[OptionChoice, ...]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Everything the product page shows. ``description`` is clean HTML, safe to print."""

    id: UUID
    slug: str
    title: str
    title_en: str
    subtitle: str
    subtitle_en: str
    description: str
    description_en: str
    brand: str
    category: CategoryNode
    supplier_id: UUID
    status: str
    stage: str
    return_policy: str
    tags: tuple[str, ...]
    options: tuple[OptionGroup, ...]
    skus: tuple[SkuOption, ...]
    pictures: tuple[PictureValue, ...]
    price_from_minor: int
    price_to_minor: int
    list_from_minor: int
    list_price_basis: str
    published_at: datetime | None
    version: int

    @property
    def in_stock(self) -> bool:
        """Whether anything of it can be bought."""
        return any(sku.available for sku in self.skus)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found. ``count`` stops at the cap; ``more`` says that it did."""

    query: str
    count: int
    more: bool
    items: tuple[ProductCard, ...]
    tokens: tuple[str, ...] = ()


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
class Level:
    """A SKU's stock: what is there, what is spoken for, what can be bought."""

    sku_id: UUID
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        """What can be bought now."""
        return max(0, self.on_hand - self.reserved)


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
