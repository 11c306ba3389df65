"""What several rails share: keys from files, money in text, refusals in one voice."""

import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Kind, Refusal, invalid

TIMEOUT_SECONDS = 10.0


def unreachable(value: object = None) -> Refusal:
    """It is not known whether anything was sent: ask again later."""
    return Refusal(
        "rail_unreachable", _("打款通道暂时连不上。"), kind=Kind.UNAVAILABLE, retryable=True, value=value,
        fix=_("不用做什么：系统会按原单号查询，不会付两次。"),
    )  # fmt: skip


def unsigned(value: object = None) -> Refusal:
    """An answer that is not the rail's own: it counts as no answer."""
    return Refusal(
        "rail_answer_forged", _("打款通道的应答签名不对，当作没有应答。"), kind=Kind.UNAVAILABLE, retryable=True, value=value,
        rule=_("应答必须由平台公钥验签通过"), fix=_("核对平台公钥文件；反复出现时停用这个通道。"),
    )  # fmt: skip


def account_refused(account: str, rule: Any) -> Refusal:
    """An account this rail cannot take; the account itself is not repeated."""
    return invalid("account", _("收款账号看起来不对。"), field="account", value="…" + account[-2:], rule=rule)


def china_only() -> list[str]:
    """WeChat and Alipay carry CNY only; that they put the mall under Chinese law is compliance's to say (domain.md §4)."""
    return [] if settings.CURRENCY == "CNY" else [f"TONGZHOU_CURRENCY must be CNY, it is {settings.CURRENCY}"]


def absent(conf: dict[str, str], prefix: str, names: tuple[str, ...]) -> list[str]:
    """Which variables are empty, and which files cannot be read."""
    out = [f"{prefix}{name} is not set" for name in names if not conf.get(name)]
    for name in names:
        path = conf.get(name, "")
        if path and name.endswith("_FILE"):
            try:
                Path(path).read_bytes()
            except OSError as error:
                out.append(f"{prefix}{name}: {error.strerror or 'unreadable'}")
    return out


@lru_cache(maxsize=16)
def _private(path: str, _stamp: int) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(Path(path).read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA private key")
    return key


@lru_cache(maxsize=16)
def _public(path: str, _stamp: int) -> rsa.RSAPublicKey:
    pem = Path(path).read_bytes()
    key = load_pem_x509_certificate(pem).public_key() if b"BEGIN CERTIFICATE" in pem else load_pem_public_key(pem)
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA public key")
    return key


def _stamp(path: str) -> int:
    return Path(path).stat().st_mtime_ns


def private_key(path: str) -> rsa.RSAPrivateKey:
    """The RSA private key of a PEM file; read again when the file changed."""
    return _private(path, _stamp(path))


def public_key(path: str) -> rsa.RSAPublicKey:
    """The RSA public key of a PEM file, a key or a certificate; read again when the file changed."""
    return _public(path, _stamp(path))


def unreadable_keys(conf: dict[str, str], prefix: str, private: tuple[str, ...], public: tuple[str, ...]) -> list[str]:
    """Which key files are there but hold no RSA key."""
    out = []
    for load, names in ((private_key, private), (public_key, public)):
        for name in names:
            if not conf.get(name):
                continue
            try:
                load(conf[name])
            except OSError:
                continue  # `absent` says so already
            except (ValueError, TypeError) as error:
                out.append(f"{prefix}{name}: {error}"[:160])
    return out


def yuan(amount_minor: int) -> str:
    """``1290`` → ``12.90``."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def fen(text: object) -> int:
    """``"12.9"`` → ``1290``. *Refuses:* ``ValueError`` for anything else."""
    if (
        not isinstance(text, str | int)
        or isinstance(text, bool)
        or not re.fullmatch(r"\d{1,12}(\.\d{1,2})?", str(text))
    ):
        raise ValueError(f"not an amount: {text!r}")
    return int(Decimal(str(text)) * 100)
