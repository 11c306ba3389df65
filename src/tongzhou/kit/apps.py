from django.apps import AppConfig


class KitConfig(AppConfig):
    """Money, time, refusals, outbox, idempotency, audit: what every room stands on."""

    name = "tongzhou.kit"
    label = "kit"
