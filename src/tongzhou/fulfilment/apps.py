from django.apps import AppConfig


class FulfilmentConfig(AppConfig):
    """Parcels and receipt."""

    name = "tongzhou.fulfilment"
    label = "fulfilment"
