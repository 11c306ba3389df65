from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """The door of shoppers and sharers."""

    name = "tongzhou.storefront"
    label = "storefront"

    def ready(self) -> None:
        """Count searches when their pages have been sent."""
        from django.core.signals import request_finished

        from tongzhou.storefront import searched

        request_finished.connect(searched.write_down, dispatch_uid="storefront.searched")
