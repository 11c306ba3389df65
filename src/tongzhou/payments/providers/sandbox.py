"""The adapter to the sandbox counterparty. Signatures are Standard Webhooks' both ways; refused in production."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tongzhou.kit import clock
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.payments.values import DISPUTES, Notice, RefundOutcome

MOST = 10**15  # minor units; no payment is larger
TIMEOUT = httpx.Timeout(10.0, connect=3.0)


def _signer() -> Webhook:
    if settings.TONGZHOU_ENV == "production":
        raise Refusal("sandbox_in_production", _("正式环境不能使用沙箱付款。"), kind=Kind.FORBIDDEN)
    key = hashlib.sha256(settings.SANDBOX_SECRET.encode()).digest()
    return Webhook(base64.b64encode(key).decode())


def signed(method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """One signed call to the counterparty. *Refuses:* ``counterparty_unreachable`` (retryable)."""
    raw = json.dumps(body or {}, separators=(",", ":"), sort_keys=True)
    message, now = f"msg_{new_id().hex}", clock.now()
    text = f"{method} {path}\n{raw}"
    headers = {
        "webhook-id": message, "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": _signer().sign(message, now, text), "content-type": "application/json",
    }  # fmt: skip
    try:
        return httpx.request(method, settings.SANDBOX_URL + path, content=raw, headers=headers, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise Refusal(
            "counterparty_unreachable", _("对方系统暂时连不上。"), kind=Kind.UNAVAILABLE, retryable=True,
            value=type(error).__name__,
        ) from None  # fmt: skip


class Sandbox:
    """Pays, fails, delays, repeats and lies on demand, over a real network with real signatures."""

    name = "sandbox"

    def redirect_url(self, *, trade_no: str, amount_minor: int, currency: str, return_url: str, subject: str) -> str:
        """The counterparty's own pay page, its parameters signed."""
        fields = {"trade_no": trade_no, "amount": str(amount_minor), "currency": currency, "subject": subject,
                  "notify_url": f"{settings.SITE_URL}/pay/sandbox/notify", "return_url": return_url}  # fmt: skip
        text = urlencode(sorted(fields.items()))
        now = clock.now()
        sign = _signer().sign(f"pay_{trade_no}", now, text)
        return f"{settings.SANDBOX_URL}/pay?{text}&{urlencode({'at': int(now.timestamp()), 'sign': sign})}"

    def verify(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Checks signature and time first: every doubt is a forgery. What is signed and unreadable is malformed."""
        try:
            text = body.decode()
            _signer().verify(text, {k.lower(): v for k, v in headers.items()}, json_parse=False)
        except (WebhookVerificationError, ValueError, KeyError, TypeError, OverflowError, OSError):
            raise Refusal("notice_forged", _("通知的签名不对。"), kind=Kind.FORBIDDEN) from None
        try:
            data = json.loads(text)
            return Notice(
                "sandbox", _text(data["event_id"]), _text(data["trade_no"]), _one_of(data["outcome"]),
                _amount(data["amount"]), _text(data["currency"]), _text(data.get("txn", ""), least=0),
                _text(data.get("payer", ""), least=0), _text(data.get("dispute_no", ""), least=0),
                _amount(data.get("fee", 0)), _text(data.get("reason", ""), least=0),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise invalid(
                "notice_malformed", _("通知的内容读不懂。"), field=str(error)[:60],
                rule="event_id, trade_no, outcome, amount, currency", fix=_("按文档的字段重新签名再发。"),
            ) from None  # fmt: skip

    def refund(self, *, trade_no: str, refund_no: str, amount_minor: int) -> RefundOutcome:
        """POST /v1/refunds."""
        answer = signed("POST", "/v1/refunds", {"trade_no": trade_no, "refund_no": refund_no, "amount": amount_minor})
        return _outcome(answer)

    def query_refund(self, refund_no: str) -> RefundOutcome | None:
        """GET /v1/refunds/<no>."""
        answer = signed("GET", f"/v1/refunds/{refund_no}")
        return None if answer.status_code == 404 else _outcome(answer)

    def query(self, trade_no: str) -> Notice | None:
        """GET /v1/payments/<trade_no>."""
        answer = signed("GET", f"/v1/payments/{trade_no}")
        if answer.status_code != 200:
            return None
        data = answer.json()
        if data["outcome"] not in ("succeeded", "failed"):
            return None
        return Notice("sandbox", f"query:{trade_no}:{data['outcome']}", trade_no, data["outcome"], _amount(data["amount"]),
                      data["currency"], data.get("txn", ""), str(data.get("payer", ""))[:80])  # fmt: skip


def _amount(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        raise ValueError("amount")
    return value


def _text(value: object, *, least: int = 1) -> str:
    if not isinstance(value, str) or not least <= len(value) <= 100 or not value.isprintable():
        raise ValueError("text")
    return value


def _one_of(value: object) -> str:
    if value not in ("succeeded", "failed", *DISPUTES):
        raise ValueError("outcome")
    return str(value)


def _outcome(answer: httpx.Response) -> RefundOutcome:
    if answer.status_code >= 500:
        raise Refusal("counterparty_unreachable", _("对方系统暂时连不上。"), kind=Kind.UNAVAILABLE, retryable=True)
    data = answer.json()
    if answer.status_code >= 400:
        return RefundOutcome("failed", reason=str(data.get("error", answer.status_code))[:200])
    return RefundOutcome(str(data["status"]), str(data.get("txn", "")), str(data.get("reason", "")))
