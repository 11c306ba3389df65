"""Pure rules of people: phones, masks, codes."""

import re
import secrets

_MAINLAND = re.compile(r"^(?:\+?86)?(1[3-9]\d{9})$")
_E164 = re.compile(r"^\+[1-9]\d{7,14}$")
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that reads like something else


def normal_phone(text: str) -> str | None:
    """A phone in E.164, or None: mainland numbers may come without ``+86``, others need their ``+``."""
    digits = re.sub(r"[\s\-()（）]", "", text or "")
    found = _MAINLAND.match(digits)
    if found:
        return f"+86{found[1]}"
    return digits if _E164.match(digits) else None


def mask_phone(phone: str) -> str:
    """``13812341234`` → ``138****1234``; other numbers keep three and four characters too."""
    bare = phone.removeprefix("+86")
    return f"{bare[:3]}****{bare[-4:]}" if len(bare) >= 8 else "****" if bare else ""


def new_code(length: int = 8) -> str:
    """An unguessable code of unambiguous characters: 31^8 ≈ 8.5 × 10^11."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def default_name(phone: str) -> str:
    """A name for somebody who gave none."""
    return f"同舟{phone[-4:]}"
