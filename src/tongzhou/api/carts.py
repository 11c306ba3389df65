"""Whose cart a cart id is: the id itself says it, so nobody asks the database.

A UUIDv8 (RFC 9562): 48 bits of random, then a keyed hash over them and the member. It cannot be made up, and it fits
its member only.
"""

import hmac
import secrets
from functools import cache
from uuid import UUID

from django.conf import settings

_RANDOM = 6  # bytes


def new_cart(member_id: UUID) -> UUID:
    """A fresh cart id of a member."""
    return _build(secrets.token_bytes(_RANDOM), member_id)


def is_of(cart: UUID, member_id: UUID) -> bool:
    """Whether a cart id was made for this member."""
    return hmac.compare_digest(_build(cart.bytes[:_RANDOM], member_id).bytes, cart.bytes)


def _build(random: bytes, member_id: UUID) -> UUID:
    mac = hmac.digest(_key(settings.SECRET_KEY), random + member_id.bytes, "sha256")
    bits = int.from_bytes(random + mac[:10], "big")
    return UUID(int=bits & ~(0xF << 76 | 0b11 << 62) | 0x8 << 76 | 0b10 << 62)


@cache
def _key(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"tongzhou.api.cart", "sha256")
