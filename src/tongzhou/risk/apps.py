from django.apps import AppConfig


class RiskConfig(AppConfig):
    """Scores and verdicts on rewards, holds with a reason, review and appeal."""

    name = "tongzhou.risk"
    label = "risk"
