"""What every page's frame needs; no query."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """The cart's count from the session cookie, and whether this is the demo."""
    session = getattr(request, "session", None)
    return {
        "shell": {"cart_count": session.get("cart", 0) if session is not None else 0},
        "demo": settings.TONGZHOU_ENV == "demo",
        "site_url": settings.SITE_URL,
        "currency": settings.CURRENCY,
    }
