"""The read model of lists: what a product repeats of its SKUs and pictures, and its entry in the search index."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from tongzhou.catalog import search, shown, tree, wording
from tongzhou.catalog.models import Picture, Product, Sku
from tongzhou.catalog.tokens import normal
from tongzhou.catalog.values import CategoryNode

KEPT = ["list_low", "list_high", "own_low", "own_high", "list_floor", "cover", "title_key"]


def refresh(product_ids: Iterable[UUID]) -> None:
    """Recompute the card columns and the index entry of products from their SKUs, pictures and texts.

    The only writer of both; every command that changes what they repeat calls it in its own transaction.
    """
    ids = sorted(set(product_ids))
    for start in range(0, len(ids), 200):
        _refresh(ids[start : start + 200])


def _refresh(ids: list[UUID]) -> None:
    products, nodes = list(Product.objects.filter(id__in=ids)), tree.current().by_id
    skus: dict[UUID, list[Sku]] = {}
    for sku in Sku.objects.filter(product_id__in=ids).order_by("position", "id"):
        skus.setdefault(sku.product_id, []).append(sku)
    covers: dict[UUID, Picture] = {}
    for picture in Picture.objects.filter(product_id__in=ids).order_by("position", "id"):
        covers.setdefault(picture.product_id, picture)
    docs = []
    for product in products:
        of_it = skus.get(product.id, [])
        _price_bounds(product, [s for s in of_it if s.active])
        cover = covers.get(product.id)
        product.cover = shown.record(cover) if cover else {}
        product.title_key = title_key(product.title, product.title_en)
        node = nodes.get(product.category_id)
        docs.append(_doc(product, of_it, [nodes[i] for i in node.path if i in nodes] if node else []))
    if len(products) == 1:  # the usual case, and three times as fast as a bulk update
        Product.objects.filter(id=products[0].id).update(**{name: getattr(products[0], name) for name in KEPT})
    else:
        Product.objects.bulk_update(products, KEPT, batch_size=100)
    search.engine().write(docs)
    wording.learn([token for doc in docs for token in doc.all_tokens])


def _price_bounds(product: Product, active: list[Sku]) -> None:
    own = [min(s.member_price_minor, s.list_price_minor) for s in active if s.member_price_minor is not None]
    plain = [s.list_price_minor for s in active if s.member_price_minor is None]
    product.own_low, product.own_high = (min(own), max(own)) if own else (None, None)
    product.list_low, product.list_high = (min(plain), max(plain)) if plain else (None, None)
    product.list_floor = min((s.list_price_minor for s in active), default=0)


def title_key(title: str, title_en: str) -> str:
    """What "the name contains the query" is asked of."""
    return " ".join(f"{normal(title)} {normal(title_en)}".split())[:420]


def _doc(product: Product, skus: list[Sku], above: Sequence[CategoryNode]) -> "search.Doc":
    """``above``: its category and all above that one; a tea on the shelf 茶饮 › 普洱 is found by 茶 whatever its name."""
    shelf = [name for node in above for name in (node.name, node.name_en)]
    rest = [
        product.subtitle, product.subtitle_en, product.brand, *product.tags, *shelf, *(s.code for s in skus if s.active),
        *(v for s in skus if s.active for v in [*s.option_values, *s.option_values_en]),
    ]  # fmt: skip
    return search.Doc(product.id, (product.title, product.title_en), tuple(rest))
