from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Share links, touches, and who earns from an order."""

    name = "tongzhou.sharing"
    label = "sharing"
