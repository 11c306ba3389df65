from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Cart, price, checkout, order."""

    name = "tongzhou.orders"
    label = "orders"
