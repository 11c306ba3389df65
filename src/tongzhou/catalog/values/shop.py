"""What shoppers' pages, cart and orders see. All prices are minor units of the mall's currency."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
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
    """One SKU on the product page. ``cost_minor`` is for what a sale would earn, never for a reader."""

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
    cost_minor: int | None = field(default=None, repr=False)


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
    """What a search found. ``count`` stops at the cap; ``more`` says that it did.

    ``corrected`` is what was really looked for when the words as typed found nothing.
    """

    query: str
    count: int
    more: bool
    items: tuple[ProductCard, ...]
    tokens: tuple[str, ...] = ()
    corrected: str = ""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One variant as it is listed elsewhere. ``many``: its product has others; ``picture`` is a URL of its own."""

    id: UUID
    code: str
    slug: str
    many: bool
    title: str
    title_en: str
    description: str
    description_en: str
    option_text: str
    option_text_en: str
    brand: str
    category_id: UUID
    barcode: str
    price_minor: int
    available: int
    picture: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A product whose name one may be typing."""

    title: str
    title_en: str
    slug: str


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a shopper narrows a list by; of each kind any of the named will do, and every kind must be met.

    Prices are the lowest a member pays, minor units, from (inclusive) and below (exclusive).
    ``on_offer``: a crossed-out price may lawfully stand beside the price.
    """

    categories: tuple[UUID, ...] = ()
    brands: tuple[str, ...] = ()
    suppliers: tuple[UUID, ...] = ()
    price_from_minor: int | None = None
    price_below_minor: int | None = None
    in_stock: bool = False
    on_offer: bool = False


@dataclass(frozen=True, slots=True)
class Facets:
    """What the first thousand hits are made of: (key, how many), most first. Prices are bands in minor units:
    (from, below or None, how many). A figure is what choosing it gives, with the other kinds of choices as they are.
    """

    categories: tuple[tuple[UUID, int], ...] = ()
    brands: tuple[tuple[str, int], ...] = ()
    suppliers: tuple[tuple[UUID, int], ...] = ()
    prices: tuple[tuple[int, int | None, int], ...] = ()
    in_stock: int = 0
    on_offer: int = 0
    looked_at: int = 0
    left: int = 0  # how many of those meet every choice


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
