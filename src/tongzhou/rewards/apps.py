from django.apps import AppConfig


class RewardsConfig(AppConfig):
    """What a sale leads to."""

    name = "tongzhou.rewards"
    label = "rewards"
