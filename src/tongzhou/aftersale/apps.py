from django.apps import AppConfig


class AftersaleConfig(AppConfig):
    """Returns and refunds asked for by buyers."""

    name = "tongzhou.aftersale"
    label = "aftersale"
