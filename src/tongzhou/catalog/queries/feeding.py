"""Everything on sale, variant by variant, for those who list it elsewhere: two statements per 500 products."""

from collections.abc import Iterator
from html import unescape
from uuid import UUID

from tongzhou.catalog import html, rules, shown
from tongzhou.catalog.models import MALL, PictureKind, Product, Sku, Stock
from tongzhou.catalog.queries.sieves import published
from tongzhou.catalog.values import FeedItem

BATCH = 500
_FIELDS = (
    "id", "slug", "title", "title_en", "subtitle", "subtitle_en", "description", "description_en", "brand",
    "category_id", "cover",
)  # fmt: skip


def feed(*, discount_bp: int) -> Iterator[FeedItem]:
    """Each variant of each published product that has a price and a picture of its own, by product id."""
    last = UUID(int=0)
    while rows := list(published().filter(id__gt=last).order_by("id").only(*_FIELDS)[:BATCH]):
        last = rows[-1].id
        yield from _batch(rows, discount_bp)


def _batch(rows: list[Product], discount_bp: int) -> Iterator[FeedItem]:
    of: dict[UUID, list[Sku]] = {}
    for sku in Sku.objects.filter(product_id__in=[r.id for r in rows], active=True).order_by("position", "id"):
        of.setdefault(sku.product_id, []).append(sku)
    ids = [s.id for skus in of.values() for s in skus]
    stock = Stock.objects.filter(sku_id__in=ids, holder=MALL).values_list("sku_id", "on_hand", "reserved")
    room = {sku: on_hand - reserved for sku, on_hand, reserved in stock}
    for row in rows:
        if row.cover.get("kind") not in {PictureKind.DRAWN, PictureKind.UPLOADED}:
            continue
        skus = of.get(row.id, [])
        for sku in skus:
            price = rules.member_price(sku.list_price_minor, sku.member_price_minor, discount_bp)
            if price > 0:
                yield _item(row, sku, price, room.get(sku.id, 0), many=len(skus) > 1)


def _item(row: Product, sku: Sku, price: int, room: int, *, many: bool) -> FeedItem:
    said, said_en = (
        " ".join(dict.fromkeys(part for part in (subtitle, unescape(html.plain(text))) if part))
        for subtitle, text in ((row.subtitle, row.description), (row.subtitle_en, row.description_en))
    )
    picture = shown.value(row.cover, title=row.title, title_en=row.title_en)
    return FeedItem(
        id=sku.id, code=sku.code, slug=row.slug, many=many, title=row.title, title_en=row.title_en, description=said,
        description_en=said_en, option_text=rules.option_text(sku.option_values),
        option_text_en=rules.option_text(sku.option_values_en or sku.option_values), brand=row.brand,
        category_id=row.category_id, barcode=sku.barcode, price_minor=price, available=max(0, room),
        picture=picture.src,
    )  # fmt: skip
