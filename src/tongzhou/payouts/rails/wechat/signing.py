"""Signatures and ciphers of WeChat Pay's API v3. The platform's key comes from a file, a public key or a certificate."""

import base64
import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from tongzhou.kit import clock
from tongzhou.payouts.rails.common import private_key, public_key, unsigned

SCHEME = "WECHATPAY2-SHA256-RSA2048"
SKEW_SECONDS = 300


def apiv3_key() -> bytes:
    """The merchant's API v3 key, 32 bytes."""
    return Path(settings.WECHAT_PAY["APIV3_KEY_FILE"]).read_bytes().strip()


def authorization(method: str, path: str, body: bytes) -> str:
    """The Authorization header of a request: RSA-SHA256 over method, path, time, nonce and body."""
    conf = settings.WECHAT_PAY
    stamp, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
    message = f"{method}\n{path}\n{stamp}\n{nonce}\n".encode() + body + b"\n"
    signature = private_key(conf["KEY_FILE"]).sign(message, padding.PKCS1v15(), hashes.SHA256())
    fields = {
        "mchid": conf["MCHID"], "nonce_str": nonce, "signature": base64.b64encode(signature).decode(),
        "timestamp": stamp, "serial_no": conf["SERIAL"],
    }  # fmt: skip
    return f"{SCHEME} " + ",".join(f'{k}="{v}"' for k, v in fields.items())


def verify(headers: Mapping[str, str], body: bytes) -> None:
    """An answer or notification is the platform's, about now. *Refuses:* ``rail_answer_forged``."""
    low = {k.lower(): v for k, v in headers.items()}
    stamp, nonce = low.get("wechatpay-timestamp", ""), low.get("wechatpay-nonce", "")
    if low.get("wechatpay-serial") != settings.WECHAT_PAY["PLATFORM_SERIAL"]:
        raise unsigned("Wechatpay-Serial")
    if not re.fullmatch(r"\d{1,12}", stamp) or abs(clock.now().timestamp() - int(stamp)) > SKEW_SECONDS:
        raise unsigned("Wechatpay-Timestamp")
    try:
        signature = base64.b64decode(low.get("wechatpay-signature", ""), validate=True)
        message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        key = public_key(settings.WECHAT_PAY["PLATFORM_KEY_FILE"])
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        raise unsigned("Wechatpay-Signature") from None


def encrypt_name(name: str) -> str:
    """A payee's name for the platform's eyes only: RSAES-OAEP with SHA-1, as its API asks."""
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)  # noqa: S303 - the protocol
    key = public_key(settings.WECHAT_PAY["PLATFORM_KEY_FILE"])
    return base64.b64encode(key.encrypt(name.encode(), oaep)).decode()


def decrypt_resource(body: bytes) -> dict[str, Any]:
    """The resource of a notification (AEAD_AES_256_GCM). *Refuses:* ``rail_answer_forged``."""
    try:
        resource = json.loads(body)["resource"]
        if resource["algorithm"] != "AEAD_AES_256_GCM":
            raise ValueError("algorithm")
        sealed = base64.b64decode(resource["ciphertext"], validate=True)
        extra = str(resource.get("associated_data") or "").encode()
        plain = AESGCM(apiv3_key()).decrypt(str(resource["nonce"]).encode(), sealed, extra)
        data = json.loads(plain)
    except (ValueError, KeyError, TypeError, InvalidTag):
        raise unsigned("resource") from None
    if not isinstance(data, dict):
        raise unsigned("resource")
    return data
