"""Bearer tokens: one member's own carts and orders, thirty days, ended by "sign out everywhere"."""

import secrets
from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.http import HttpRequest
from ninja.security import HttpBearer

from tongzhou.kit.refusals import not_found
from tongzhou.people import queries as people

_SALT = "tongzhou.api"
LIFE = timedelta(days=30)


def issue(member_id: UUID) -> str:
    """A token of a member. It is signed, not stored; the member's session epoch in it is what ends it early.

    *Refuses:* ``member_not_found`` (also for a closed account).
    """
    epoch = people.session_epoch(member_id)
    if epoch is None:
        raise not_found("member", code="member_not_found")
    return signing.dumps({"m": member_id.hex, "e": epoch, "n": secrets.token_hex(4)}, salt=_SALT)


def member_of(token: str) -> UUID | None:
    """Whose token this is; None when it is forged, too old, or ended."""
    try:
        said = signing.loads(token, salt=_SALT, max_age=LIFE)
        member_id, epoch = UUID(said["m"]), int(said["e"])
    except (signing.BadSignature, KeyError, ValueError, TypeError):
        return None
    return member_id if people.session_epoch(member_id) == epoch else None


class Bearer(HttpBearer):
    """``Authorization: Bearer …`` with a token of :func:`issue`."""

    def authenticate(self, request: HttpRequest, token: str) -> UUID | None:
        """The member of a token, or None."""
        return member_of(token)
