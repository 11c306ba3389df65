from django.apps import AppConfig


class PlansConfig(AppConfig):
    """Reward plans: versions, policy, member price."""

    name = "tongzhou.plans"
    label = "plans"
