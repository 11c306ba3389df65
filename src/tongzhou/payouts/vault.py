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

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Details:
    """What a rail needs, and what the platform report names."""

    legal_name: str
    account: str
    born: str
    id_number: str = ""


def _given() -> list[str]:
    return settings.DATA_KEYS or [f"{settings.SECRET_KEY}|payees"]


def _raw(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_raw(key))) for key in _given()])


def key_tag() -> str:
    """A name for the newest key that says nothing of it: rows carry it, so that a rotation knows what is left."""
    return hashlib.sha256(b"tag|" + _raw(_given()[0])).hexdigest()[:12]


def seal(details: Details) -> bytes:
    """Encrypt with the newest key."""
    return seal_bytes(json.dumps(asdict(details), ensure_ascii=False).encode())


def unseal(token: bytes | memoryview) -> Details:
    """Decrypt with any listed key. *Refuses:* ``payee_unreadable`` when none fits."""
    return Details(**json.loads(unseal_bytes(token)))


def seal_bytes(plain: bytes) -> bytes:
    """Encrypt anything with the newest key."""
    return _keys().encrypt(plain)


def unseal_bytes(token: bytes | memoryview) -> bytes:
    """Decrypt anything with any listed key. *Refuses:* ``payee_unreadable`` when none fits."""
    try:
        return _keys().decrypt(bytes(token))
    except InvalidToken:
        raise Refusal(
            "payee_unreadable", _("读不出收款资料：密钥不对。"), kind=Kind.UNAVAILABLE, field="TONGZHOU_DATA_KEYS"
        ) from None


def is_adult(born: str, today: date) -> bool:
    """Eighteen or older on a day; the day of birth is ISO."""
    day = date.fromisoformat(born)
    years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return years >= 18


def id_fits(id_number: str, born: str) -> bool:
    """Whether an 18-digit resident identity number has its check digit right and names this day of birth (GB 11643)."""
    text = id_number.upper()
    if len(text) != 18 or not text[:17].isascii() or not text[:17].isdigit():
        return False
    check = "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, text, strict=False)) % 11]
    return text[17] == check and text[6:14] == born.replace("-", "")


def mask_name(name: str) -> str:
    """林小满 → 林**."""
    return name[:1] + "*" * (len(name) - 1)


def mask_account(account: str) -> str:
    """… 1234: the last four characters, never more."""
    return "**** " + account[-4:]
