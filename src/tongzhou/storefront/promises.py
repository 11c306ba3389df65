"""分享赚: what the pages promise a sharer is what a sale would really give.

A variant's promise knows its cost, so the ceiling of its margin holds here as it will at accrual. A card
stands for all variants of a product and shows what its cheapest gives before that ceiling.
"""

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductCard, ProductPage, SkuOption
from tongzhou.plans.rules import LineFacts, estimate
from tongzhou.plans.values import PlanVersionValue


def on_card(force: PlanVersionValue | None, card: ProductCard) -> int:
    """What one unit of a card's product would earn a sharer, minor units."""
    if force is None:
        return 0
    facts = LineFacts("", card.slug, goods.slugs_up(card.category_id), card.price_minor, 0, card.list_from_minor, None)
    return estimate(force.plan, facts)


def promised(force: PlanVersionValue | None, item: ProductPage, sku: SkuOption) -> int:
    """What one unit of a variant would earn a sharer, minor units: its narrowest rule, the ceiling of its margin."""
    if force is None:
        return 0
    facts = LineFacts(
        sku.code, item.slug, goods.slugs_up(item.category.id), sku.price_minor, 0, sku.list_price_minor, sku.cost_minor
    )
    return estimate(force.plan, facts)
