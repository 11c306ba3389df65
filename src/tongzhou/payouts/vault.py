"""Payees' details at rest: Fernet, with key rotation (newest key first encrypts, any listed key decrypts)."""

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Kind, Refusal


@dataclass(frozen=True, slots=True)
class Details:
    """What a rail needs."""

    legal_name: str
    account: str
    born: str


def _keys() -> MultiFernet:
    given = settings.DATA_KEYS or [f"{settings.SECRET_KEY}|payees"]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(k.encode()).digest())) for k in given])


def seal(details: Details) -> bytes:
    """Encrypt with the newest key."""
    return _keys().encrypt(json.dumps(asdict(details), ensure_ascii=False).encode())


def unseal(token: bytes | memoryview) -> Details:
    """Decrypt with any listed key. *Refuses:* ``payee_unreadable`` when none fits."""
    try:
        return Details(**json.loads(_keys().decrypt(bytes(token))))
    except InvalidToken:
        raise Refusal(
            "payee_unreadable", _("读不出收款资料：密钥不对。"), kind=Kind.UNAVAILABLE, field="TONGZHOU_DATA_KEYS"
        ) from None


def is_adult(born: str, today: date) -> bool:
    """Eighteen or older on a day; the day of birth is ISO."""
    day = date.fromisoformat(born)
    years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return years >= 18
