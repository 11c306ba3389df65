"""Reads of catalog.

``discount_bp`` is the member discount of the plan in force, for SKUs without a member price of their own.
"""

from tongzhou.catalog.queries.addresses import selling, sitemap, sitemap_parts, slug_of
from tongzhou.catalog.queries.cards import cards, cards_by_ids
from tongzhou.catalog.queries.console import (
    console_product,
    console_products,
    import_runs,
    low_stock,
    movements,
    price_history,
    running_out,
    view_counts,
)
from tongzhou.catalog.queries.facets import facets
from tongzhou.catalog.queries.feeding import feed
from tongzhou.catalog.queries.finding import (
    popular_searches,
    search,
    searched,
    searches,
    suggest,
    synonym_groups,
)
from tongzhou.catalog.queries.page import current_slug, product_page
from tongzhou.catalog.queries.skus import available, levels, sku_by_codes, sku_ids_of, skus, skus_with_room
from tongzhou.catalog.queries.trees import categories, category, category_by_id, forget, named, shelves, slugs_up, trail

__all__ = [
    "available",
    "cards",
    "cards_by_ids",
    "categories",
    "category",
    "category_by_id",
    "console_product",
    "console_products",
    "current_slug",
    "facets",
    "feed",
    "forget",
    "import_runs",
    "levels",
    "low_stock",
    "movements",
    "named",
    "popular_searches",
    "price_history",
    "product_page",
    "running_out",
    "search",
    "searched",
    "searches",
    "selling",
    "shelves",
    "sitemap",
    "sitemap_parts",
    "sku_by_codes",
    "sku_ids_of",
    "skus",
    "skus_with_room",
    "slug_of",
    "slugs_up",
    "suggest",
    "synonym_groups",
    "trail",
    "view_counts",
]
