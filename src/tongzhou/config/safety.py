"""What a mall with real money must not have: `doctor` shows it, `serve` and `web` do not start with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.hashers import check_password


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in production. ``needed``: the mall does not start with it."""

    name: str
    said: str
    mend: str
    needed: bool = True


def findings() -> list[Finding]:
    """Everything wrong with this environment as a production mall; empty in the demo."""
    return list(_look()) if settings.PRODUCTION else []


def _look() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding("debug", "DEBUG is on", "Turn it off.")
    if len(settings.SECRET_KEY) < 32:
        yield Finding("secret key", "shorter than 32 characters", "Make a longer TONGZHOU_SECRET_KEY, and keep it.")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Finding("hosts", "any host name would be answered", "Set TONGZHOU_HOSTS to the mall's own names.")
    if settings.SANDBOX_SECRET:
        yield Finding(
            "sandbox", "TONGZHOU_SANDBOX_SECRET is set", "The sandbox bank is refused in production: unset it."
        )
    if settings.TONGZHOU_SMS == "sandbox":
        yield Finding(
            "sms", "the sandbox sender is configured, so nobody can sign in by phone",
            "Set TONGZHOU_SMS to a real sender.", needed=False,
        )  # fmt: skip
    if not settings.SITE_URL.startswith("https://"):
        yield Finding(
            "address", f"{settings.SITE_URL} is not https, so cookies travel in the clear",
            "Set TONGZHOU_SITE_URL to the public https:// address.", needed=False,
        )  # fmt: skip


def demo_operators() -> list[str]:
    """Names of operators who still have the demo's published password; they cannot sign in in production."""
    from tongzhou.people import queries

    return [name for name, hashed in queries.operator_passwords() if check_password(settings.DEMO_PASSWORD, hashed)]
