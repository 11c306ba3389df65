"""The ledger's verbs. Money moves only through :func:`post` and :func:`post_many`."""

from tongzhou.ledger.commands.post import hold_books, post, post_many
from tongzhou.ledger.commands.prove import prove
from tongzhou.ledger.commands.seal import seal

__all__ = ["hold_books", "post", "post_many", "prove", "seal"]
