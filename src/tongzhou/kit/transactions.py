"""One transaction per write: a command inside a command joins it instead of setting a savepoint of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.transaction import Atomic


class _Boundary(Atomic):
    """The transaction or savepoint of a command."""


@contextmanager
def command() -> Iterator[None]:
    """The transaction of a command; as a decorator or a block.

    Outside any transaction it opens one. Inside another command's it joins that one: no savepoint,
    two statements less, and a refusal that passes through undoes the whole write. Inside any other
    transaction (a batch, a test) it sets a savepoint, so that whoever opened it may catch the
    refusal and go on. A command that wants to catch another's refusal puts ``transaction.atomic()``
    around the call; one that forgets is stopped by Django, which lets nothing more be written.
    """
    inside = bool(connection.atomic_blocks) and isinstance(connection.atomic_blocks[-1], _Boundary)
    with _Boundary(using=None, savepoint=not inside, durable=False):
        yield
