"""Signatures of the counterparty: Standard Webhooks, with a key both sides know."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def signer(secret: str) -> Webhook:
    """The signer of a shared secret."""
    return Webhook(base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode())


def check_request(secret: str, headers: Mapping[str, str], method: str, path: str, body: bytes) -> bool:
    """True when a request was signed by the mall, recently, over its method, path and body."""
    low = {k.lower(): v for k, v in headers.items()}
    try:
        signer(secret).verify(f"{method} {path}\n{body.decode()}", low, json_parse=False)
    except (WebhookVerificationError, UnicodeDecodeError):
        return False
    return True


def check_pay_url(secret: str, trade_no: str, at: int, sign: str, text: str) -> bool:
    """True when a pay address carries the mall's own signature."""
    try:
        wanted = signer(secret).sign(f"pay_{trade_no}", datetime.fromtimestamp(at, tz=UTC), text)
    except (ValueError, OverflowError, OSError):
        return False
    return any(hashlib.sha256(s.encode()).digest() == hashlib.sha256(wanted.encode()).digest() for s in sign.split(" "))
