from django.apps import AppConfig


class KitConfig(AppConfig):
    """Money, time, refusals, outbox, idempotency, audit: what every room stands on."""

    name = "tongzhou.kit"
    label = "kit"

    def ready(self) -> None:
        """Let every integer travel to PostgreSQL as 64 bits.

        Django sends a bare Python integer as 32 bits, whatever column it meets, and the driver cuts what is
        larger without a word: ``F("refunded_minor") + 10**10`` would become another amount. A value too
        large for a 32-bit column is then refused by the database instead of changed.
        """
        from django.db.backends.postgresql.operations import DatabaseOperations

        sizes = getattr(DatabaseOperations, "integerfield_type_map", None)
        if sizes:
            DatabaseOperations.integerfield_type_map = dict.fromkeys(sizes, sizes["BigIntegerField"])
