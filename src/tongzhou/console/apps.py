from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The operators' door."""

    name = "tongzhou.console"
    label = "console"
