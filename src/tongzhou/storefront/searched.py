"""What people look for is counted after their page has been sent, so that no search waits for it.

Kept are the words and how much they found; not who, not from where. What cannot be written is let go: a page
that was found is worth more than its count.
"""

import logging
from collections import deque
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from tongzhou.catalog import commands as catalog

log = logging.getLogger("tongzhou.storefront")
_waiting: deque[tuple[str, int, datetime]] = deque(maxlen=100)


def note(query: str, found: int, at: datetime) -> None:
    """Remember a search until the response is closed."""
    _waiting.append((query, found, at))


def write_down(**_signal: Any) -> None:
    """Count what waits; called when a response has gone out."""
    while True:
        try:
            query, found, at = _waiting.popleft()
        except IndexError:  # nothing is left, or another thread took it
            return
        try:
            catalog.remember_search(query=query, found=found, at=at)
        except DatabaseError:
            log.warning("a search was not counted")
