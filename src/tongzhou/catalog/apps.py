from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Goods, prices, pictures, search, and stock keyed (sku, holder)."""

    name = "tongzhou.catalog"
    label = "catalog"
