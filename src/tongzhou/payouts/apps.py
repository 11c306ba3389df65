from django.apps import AppConfig


class PayoutsConfig(AppConfig):
    """Payouts, rails, tax."""

    name = "tongzhou.payouts"
    label = "payouts"
