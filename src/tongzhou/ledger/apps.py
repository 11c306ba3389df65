from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The books: every balance in the mall is a sum of transfers here."""

    name = "tongzhou.ledger"
    label = "ledger"
