"""The ledger's verbs. Money moves only through :func:`post` and :func:`post_many`."""

from tongzhou.ledger.commands.post import post, post_many
from tongzhou.ledger.commands.seal import seal

__all__ = ["post", "post_many", "seal"]
