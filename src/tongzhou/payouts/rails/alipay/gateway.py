"""Alipay's gateway: signing what is sent, verifying what comes back, as it came, byte for byte."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509 import Certificate, load_pem_x509_certificates
from django.conf import settings

from tongzhou.kit import clock
from tongzhou.payouts.rails.common import TIMEOUT_SECONDS, private_key, public_key, unreachable, unsigned

_BEIJING = ZoneInfo("Asia/Shanghai")


def cert_sn(certificate: Certificate) -> str:
    """How Alipay names a certificate: MD5 of its issuer and serial number."""
    text = certificate.issuer.rfc4514_string() + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_sn(path: str) -> str:
    """The names of the RSA-signed certificates of the root file, joined."""
    chain = load_pem_x509_certificates(Path(path).read_bytes())
    return "_".join(
        cert_sn(c) for c in chain if c.signature_algorithm_oid.dotted_string.startswith("1.2.840.113549.1.1.")
    )


def text_to_sign(params: Mapping[str, str]) -> bytes:
    """Non-empty parameters but ``sign``, sorted by name, ``k=v`` joined by ``&``."""
    return "&".join(f"{k}={v}" for k, v in sorted(params.items()) if v and k != "sign").encode()


def parameters(method: str, content: Mapping[str, Any]) -> dict[str, str]:
    """The whole signed form of a call."""
    conf = settings.ALIPAY
    params = {
        "app_id": conf["APP_ID"], "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
        "timestamp": clock.now().astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S"), "version": "1.0",
        "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
    }  # fmt: skip
    if conf["APP_CERT_FILE"]:
        params["app_cert_sn"] = cert_sn(load_pem_x509_certificates(Path(conf["APP_CERT_FILE"]).read_bytes())[0])
        params["alipay_root_cert_sn"] = root_sn(conf["ROOT_CERT_FILE"])
    signature = private_key(conf["KEY_FILE"]).sign(text_to_sign(params), padding.PKCS1v15(), hashes.SHA256())
    return {**params, "sign": base64.b64encode(signature).decode()}


def call(method: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """One call; returns the response node once its signature holds. *Refuses:* ``rail_unreachable``, ``rail_answer_forged``."""
    try:
        answer = httpx.post(settings.ALIPAY["URL"], data=parameters(method, content), timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise unreachable(type(error).__name__) from None
    if answer.status_code != 200:
        raise unreachable(answer.status_code)
    return opened(method, answer.text)


def opened(method: str, text: str) -> dict[str, Any]:
    """The response node of an answer, its signature checked over the node exactly as it was written."""
    name = method.replace(".", "_") + "_response"
    try:
        whole = json.loads(text)
        if not isinstance(whole, dict):
            raise ValueError("not an object")
    except ValueError:
        raise unreachable("not JSON") from None
    if not isinstance(whole.get(name), dict):
        raise unreachable("no response node")  # e.g. error_response, which is not signed
    raw, signature = _as_written(text, name), whole.get("sign")
    if raw is None or not isinstance(signature, str):
        raise unsigned("sign")
    try:
        key = public_key(settings.ALIPAY["PUBLIC_KEY_FILE"])
        key.verify(base64.b64decode(signature, validate=True), raw.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        raise unsigned("sign") from None
    node = json.loads(raw)  # what was verified, not what a second key of that name might say
    return node if isinstance(node, dict) else {}


def _as_written(text: str, name: str) -> str | None:
    """The node's own characters. The first key of that name counts and a second is refused, so that what is verified
    is what is read."""
    mark = f'"{name}":'
    if text.count(mark) != 1:
        return None
    start = text.index(mark) + len(mark)
    while text[start : start + 1].isspace():
        start += 1
    _node, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]
