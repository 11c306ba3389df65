from django.apps import AppConfig


class SuppliersConfig(AppConfig):
    """Who owns the goods and ships them."""

    name = "tongzhou.suppliers"
    label = "suppliers"
