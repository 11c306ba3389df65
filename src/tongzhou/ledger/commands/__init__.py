"""The ledger's verbs. Money moves only through :func:`post` and :func:`post_many`."""

from tongzhou.ledger.commands.post import MOST, hold_books, post, post_many
from tongzhou.ledger.commands.prove import prove
from tongzhou.ledger.commands.seal import seal

__all__ = ["MOST", "hold_books", "post", "post_many", "prove", "seal"]
