from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, addresses and the wiring of facts to handlers."""

    name = "tongzhou.config"
    label = "config"

    def ready(self) -> None:
        """Install the wiring once every room is loaded."""
        from tongzhou.config.wiring import install

        install()
