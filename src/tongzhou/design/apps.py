from django.apps import AppConfig


class DesignConfig(AppConfig):
    """The look: tokens, components, art, template tags."""

    name = "tongzhou.design"
    label = "design"
