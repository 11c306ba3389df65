"""The catalog's tables: reference data that everybody reads, and stock keyed (sku, holder)."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from tongzhou.catalog.values import ProductStatus
from tongzhou.kit.ids import new_id

MALL = "mall"  # the holder whose stock the storefront sells

Status = ProductStatus

MOVES = {
    Status.DRAFT: frozenset({Status.PUBLISHED, Status.ARCHIVED}),
    Status.PUBLISHED: frozenset({Status.DRAFT, Status.ARCHIVED}),
    Status.ARCHIVED: frozenset({Status.DRAFT}),
}


class Category(models.Model):
    """A place in the tree. ``path`` repeats its ancestors (own id first), so that no read walks upwards."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, blank=True, default="")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField(default=0)
    art = models.CharField(max_length=200, blank=True, default="")
    path = models.JSONField(default=list)

    class Meta:
        db_table = "catalog_category"


class Stamp(models.Model):
    """A random mark that changes with the category tree: a process whose copy bears it need not read the tree again."""

    placement: ClassVar[str] = "reference"
    name = models.CharField(primary_key=True, max_length=20)
    mark = models.UUIDField()

    class Meta:
        db_table = "catalog_stamp"


class Product(models.Model):
    """A product page. The ``cover…`` and ``…_low``/``…_high`` columns repeat what its pictures and active SKUs say,
    so that a list of cards is one row each; ``commands.shelf.refresh`` is the only writer of them.

    ``own_*`` are the bounds of explicit member prices; ``list_*`` those of list prices of SKUs without one,
    which the plan's discount lowers; ``list_floor`` is the lowest list price of all.
    """

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True, default="")
    subtitle = models.CharField(max_length=300, blank=True, default="")
    subtitle_en = models.CharField(max_length=300, blank=True, default="")
    description = models.TextField(blank=True, default="")
    description_en = models.TextField(blank=True, default="")
    brand = models.CharField(max_length=120, blank=True, default="")
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="+")
    supplier_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=[(s, s) for s in Status], default=Status.DRAFT)
    option_names = models.JSONField(default=list)
    option_names_en = models.JSONField(default=list)
    stage = models.CharField(max_length=12, blank=True, default="")
    return_policy = models.CharField(max_length=16, default="seven_days")
    tags = models.JSONField(default=list)
    list_price_basis = models.CharField(max_length=300, blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    cover = models.JSONField(default=dict)
    list_low = models.BigIntegerField(null=True)
    list_high = models.BigIntegerField(null=True)
    own_low = models.BigIntegerField(null=True)
    own_high = models.BigIntegerField(null=True)
    list_floor = models.BigIntegerField(default=0)
    title_key = models.CharField(max_length=420, blank=True, default="")

    class Meta:
        db_table = "catalog_product"
        indexes = [
            models.Index(fields=["status", "-published_at", "-id"], name="catalog_product_new"),
            models.Index(fields=["category", "status", "-published_at", "-id"], name="catalog_product_category"),
            models.Index(fields=["-changed_at", "-id"], name="catalog_product_changed"),
            models.Index(fields=["supplier_id"], name="catalog_product_supplier"),
        ]


class Sku(models.Model):
    """One thing that can be bought. Its code is claimed (``sku:…``)."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=64, unique=True)
    option_values = models.JSONField(default=list)
    option_values_en = models.JSONField(default=list)
    list_price_minor = models.BigIntegerField()
    member_price_minor = models.BigIntegerField(null=True)
    cost_minor = models.BigIntegerField(null=True)
    weight_grams = models.PositiveIntegerField(default=0)
    barcode = models.CharField(max_length=64, blank=True, default="")
    position = models.PositiveIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        db_table = "catalog_sku"
        constraints = [
            models.CheckConstraint(condition=Q(list_price_minor__gte=0), name="catalog_sku_list_price"),
            models.CheckConstraint(
                condition=Q(member_price_minor=None)
                | Q(member_price_minor__gte=0, member_price_minor__lte=F("list_price_minor")),
                name="catalog_sku_member_price",
            ),
            models.CheckConstraint(condition=Q(cost_minor=None) | Q(cost_minor__gte=0), name="catalog_sku_cost"),
        ]


class PricePoint(models.Model):
    """What a SKU's prices were from ``at`` on: one row per change, the first at its making."""

    placement: ClassVar[str] = "sku"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    list_price_minor = models.BigIntegerField()
    member_price_minor = models.BigIntegerField(null=True)
    by = models.CharField(max_length=120, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "catalog_price_point"
        indexes = [models.Index(fields=["sku", "-at"], name="catalog_price_point_sku")]


class DealDay(models.Model):
    """The lowest and the last price a SKU was really sold at on one day of the mall."""

    placement: ClassVar[str] = "sku"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    day = models.DateField()
    lowest_minor = models.BigIntegerField()
    last_minor = models.BigIntegerField()

    class Meta:
        db_table = "catalog_deal_day"
        constraints = [models.UniqueConstraint(fields=["sku", "day"], name="catalog_deal_day_once")]


class Stock(models.Model):
    """How many of a SKU a holder has, and how many of those are spoken for."""

    placement: ClassVar[str] = "sku"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    holder = models.CharField(max_length=40, default=MALL)
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)

    class Meta:
        db_table = "catalog_stock"
        constraints = [
            models.UniqueConstraint(fields=["sku", "holder"], name="catalog_stock_once"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & Q(on_hand__gte=F("reserved")), name="catalog_stock_never_oversold"
            ),
        ]


class ReservationStatus(StrEnum):
    """HELD counts into ``Stock.reserved``; COMMITTED has left the shelf."""

    HELD = "HELD"
    COMMITTED = "COMMITTED"
    RELEASED = "RELEASED"


RESERVATION_MOVES = {
    ReservationStatus.HELD: frozenset({ReservationStatus.COMMITTED, ReservationStatus.RELEASED}),
    ReservationStatus.RELEASED: frozenset({ReservationStatus.HELD}),
    ReservationStatus.COMMITTED: frozenset[ReservationStatus](),
}


class Reservation(models.Model):
    """One order's hold on one SKU; Σ of the HELD ones is the SKU's ``reserved``."""

    placement: ClassVar[str] = "sku"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order_id = models.UUIDField()
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    quantity = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=[(s, s) for s in ReservationStatus])
    expires_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        db_table = "catalog_reservation"
        constraints = [models.UniqueConstraint(fields=["order_id", "sku"], name="catalog_reservation_once")]
        indexes = [
            models.Index(fields=["expires_at"], name="catalog_reservation_due", condition=Q(status="HELD")),
            models.Index(fields=["sku"], name="catalog_reservation_sku", condition=Q(status="HELD")),
        ]


class MovementKind(StrEnum):
    """Why a level changed; each row's ``delta`` is signed."""

    COUNTED = "COUNTED"  # set to a counted level
    RECEIVED = "RECEIVED"
    SOLD = "SOLD"
    RETURNED = "RETURNED"
    WRITTEN_OFF = "WRITTEN_OFF"


class StockMovement(models.Model):
    """One change of what is on hand; a SKU's movements sum to its level."""

    placement: ClassVar[str] = "sku"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sku = models.ForeignKey(Sku, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    holder = models.CharField(max_length=40, default=MALL)
    kind = models.CharField(max_length=12, choices=[(k, k) for k in MovementKind])
    delta = models.IntegerField()
    order_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=120, blank=True, default="")
    actor = models.CharField(max_length=120, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "catalog_movement"
        indexes = [models.Index(fields=["sku", "-at"], name="catalog_movement_sku")]
        constraints = [models.CheckConstraint(condition=~Q(delta=0), name="catalog_movement_moves")]


class PictureKind(StrEnum):
    """Where a picture comes from."""

    UPLOADED = "uploaded"  # checked, re-encoded, sizes made; ``path`` is below MEDIA_ROOT
    DRAWN = "drawn"  # the project's own art; ``path`` is a static path
    REMOTE = "remote"  # an import names a URL; recorded, not fetched, shown as a placeholder


class Picture(models.Model):
    """One picture of one product, in ``position`` order; the first is the cover."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=[(k, k) for k in PictureKind])
    path = models.CharField(max_length=200, blank=True, default="")
    widths = models.JSONField(default=list)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    alt = models.CharField(max_length=200, blank=True, default="")
    alt_en = models.CharField(max_length=200, blank=True, default="")
    source_url = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        db_table = "catalog_picture"


class Synonym(models.Model):
    """Words that mean the same to shoppers (番茄, 西红柿): a search for one is a search for each."""

    placement: ClassVar[str] = "reference"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    words = models.JSONField(default=list)

    class Meta:
        db_table = "catalog_synonym"


class SearchWord(models.Model):
    """A Latin word that names, brands or tags have, so that a mistyped one can be recognised."""

    placement: ClassVar[str] = "reference"
    word = models.CharField(primary_key=True, max_length=40)

    class Meta:
        db_table = "catalog_search_word"


class SearchDay(models.Model):
    """How often something was looked for on one day, and how much was found the last time. Nobody is named."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    day = models.DateField()
    query = models.CharField(max_length=100)
    times = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "catalog_search_day"
        constraints = [models.UniqueConstraint(fields=["day", "query"], name="catalog_search_day_once")]


class ImportRun(models.Model):
    """One run of one import, for the console: what it read and what it refused."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    format = models.CharField(max_length=20)
    file_name = models.CharField(max_length=200)
    supplier_code = models.CharField(max_length=40)
    actor = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    finished = models.BooleanField(default=False)
    summary = models.JSONField(default=dict)

    class Meta:
        db_table = "catalog_import_run"
        indexes = [models.Index(fields=["-started_at"], name="catalog_import_run_new")]


class ImportRowDone(models.Model):
    """What an import already took: the same content again changes nothing, and an interrupted run goes on.

    ``stock`` remembers the quantities the file said, so that an update of other columns never sets a
    level back to before today's sales.
    """

    placement: ClassVar[str] = "local"
    key = models.CharField(primary_key=True, max_length=200)
    content_hash = models.CharField(max_length=64)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    stock = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        db_table = "catalog_import_done"
