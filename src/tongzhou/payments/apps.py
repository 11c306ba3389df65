from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Money in and out of payment providers."""

    name = "tongzhou.payments"
    label = "payments"
