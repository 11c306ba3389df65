from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The machines' door."""

    name = "tongzhou.api"
    label = "api"
