"""What lists are narrowed by, as conditions on the rows of products: no join, no further statement."""

from uuid import UUID

from django.db.models import BigIntegerField, BooleanField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.expressions import CombinedExpression, RawSQL
from django.db.models.functions import Coalesce, Greatest, Least

from tongzhou.catalog import rules, tree
from tongzhou.catalog.models import MALL, Product, Status
from tongzhou.catalog.values import Sieve

_DEAR = 10**15

# true when a variant on sale has something left that nobody reserved; asked row by row through two indexes,
# as a scalar, because an EXISTS may be planned as a hash of every variant in the mall
IN_STOCK = (
    "(SELECT 1 FROM catalog_sku s JOIN catalog_stock r ON r.sku_id = s.id WHERE s.product_id = {}.id"  # noqa: S608 - own words
    f" AND s.active AND r.holder = '{MALL}' AND r.on_hand > r.reserved LIMIT 1) IS NOT NULL"
)
STOCKED = RawSQL(IN_STOCK.format("catalog_product"), [], output_field=BooleanField())  # noqa: S611 - own words


def published() -> "QuerySet[Product]":
    """What visitors may see."""
    return Product.objects.filter(status=Status.PUBLISHED)


def _plain(bound: str, discount_bp: int) -> "ExpressionWrapper[CombinedExpression]":
    big = BigIntegerField()
    taken = F(bound) * Value(discount_bp, big) / Value(rules.BP, big)
    return ExpressionWrapper(F(bound) - taken, output_field=big)


def low_price(discount_bp: int) -> Least:
    """The lowest member price as an SQL expression, the same arithmetic as ``cards.bounds``."""
    big = BigIntegerField()
    dear = Value(_DEAR, big)
    return Least(
        Coalesce(_plain("list_low", discount_bp), dear), Coalesce(F("own_low"), dear), output_field=big
    )  # fmt: skip


def high_price(discount_bp: int) -> Greatest:
    """The highest member price, likewise."""
    big = BigIntegerField()
    nothing = Value(0, big)
    return Greatest(
        Coalesce(_plain("list_high", discount_bp), nothing), Coalesce(F("own_high"), nothing), output_field=big
    )  # fmt: skip


def on_offer() -> Q:
    """A card of it bears a crossed-out price (``to_cards`` decides alike): its list price is documented, all its
    variants cost the same, and less than that. Asked of rows that bear ``low`` and ``high``."""
    return ~Q(list_price_basis="") & Q(low=F("high"), list_floor__gt=F("low"))


def sieved(
    rows: "QuerySet[Product]", sieve: Sieve, discount_bp: int, *, priced: bool = False
) -> "QuerySet[Product]":  # fmt: skip
    """The rows that meet every kind of choice; with ``low``, their lowest price, when ``priced`` or asked for."""
    if sieve.categories:
        rows = rows.filter(category_id__in=below(sieve))
    if sieve.brands:
        rows = rows.filter(brand__in=sieve.brands)
    if sieve.suppliers:
        rows = rows.filter(supplier_id__in=sieve.suppliers)
    bounded = sieve.price_from_minor is not None or sieve.price_below_minor is not None
    if priced or bounded or sieve.on_offer:
        rows = rows.annotate(low=low_price(discount_bp))
    if sieve.price_from_minor is not None:
        rows = rows.filter(Q(low__gte=sieve.price_from_minor))
    if sieve.price_below_minor is not None:
        rows = rows.filter(Q(low__lt=sieve.price_below_minor))
    if sieve.on_offer:
        rows = rows.annotate(high=high_price(discount_bp)).filter(on_offer())
    return rows.filter(STOCKED) if sieve.in_stock else rows


def below(sieve: Sieve) -> list[UUID]:
    """The chosen categories and everything below them."""
    if not sieve.categories:
        return []
    by_id = tree.current().by_id
    nodes = [(i, by_id.get(i)) for i in sieve.categories]
    return [one for i, node in nodes for one in (node.descendants() if node else [i])]
