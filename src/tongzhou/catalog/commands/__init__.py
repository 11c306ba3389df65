"""The verbs of catalog."""

from tongzhou.catalog.commands.categories import create_category, remove_category, save_category
from tongzhou.catalog.commands.files import export_products, import_products
from tongzhou.catalog.commands.history import ensure_historical_skus, uncategorised
from tongzhou.catalog.commands.pictures import add_picture, order_pictures, remove_picture
from tongzhou.catalog.commands.products import discount_category, save_product, set_prices
from tongzhou.catalog.commands.publishing import archive, publish, unpublish
from tongzhou.catalog.commands.searching import (
    add_synonyms,
    drop_synonyms,
    index_is_current,
    reindex,
    reindex_due,
    remember_search,
    set_synonyms,
)
from tongzhou.catalog.commands.stock import commit, release, release_expired, reserve, restock, set_stock, write_off

__all__ = [
    "add_picture",
    "add_synonyms",
    "archive",
    "commit",
    "create_category",
    "discount_category",
    "drop_synonyms",
    "ensure_historical_skus",
    "export_products",
    "import_products",
    "index_is_current",
    "order_pictures",
    "publish",
    "reindex",
    "reindex_due",
    "release",
    "release_expired",
    "remember_search",
    "remove_category",
    "remove_picture",
    "reserve",
    "restock",
    "save_category",
    "save_product",
    "set_prices",
    "set_stock",
    "set_synonyms",
    "uncategorised",
    "unpublish",
    "write_off",
]
