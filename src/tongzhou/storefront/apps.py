from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """The door of shoppers and sharers."""

    name = "tongzhou.storefront"
    label = "storefront"
