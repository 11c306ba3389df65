"""WeChat merchant transfer (商家转账, API v3): the payee confirms in WeChat within 24 hours, or it ends by itself.

Scene 1005 is commission. The name travels encrypted and, from 2,000 yuan, always. A bill ends SUCCESS, FAIL or
CANCELLED; everything else is under way. Errors are never the end of a bill: it is asked for by its number, and only
"it does not exist", signed by the platform, after a refusal that names the payee's own data, means that it failed.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.payouts.rails.common import (
    TIMEOUT_SECONDS,
    absent,
    account_refused,
    china_only,
    unreachable,
    unreadable_keys,
    unsigned,
)
from tongzhou.payouts.rails.wechat import signing
from tongzhou.payouts.values import RailOutcome

PATH = "/v3/fund-app/mch-transfer/transfer-bills"
NEEDED = ("MCHID", "APPID", "SERIAL", "KEY_FILE", "PLATFORM_SERIAL", "PLATFORM_KEY_FILE", "APIV3_KEY_FILE")
NAME_FROM_MINOR = 2_000_00
SCENE = "1005"
ENDS = {"SUCCESS": "paid", "FAIL": "failed", "CANCELLED": "failed"}
# What WeChat says of the payee's own data, for which asking again under the same number will never help.
HOPELESS = frozenset({"PARAM_ERROR", "INVALID_REQUEST"})


class WechatRail:
    """Signed requests, verified answers; each payout is one bill under its own number."""

    name = "wechat"
    title = _("微信商家转账")
    by_file = False
    can_return = False
    low_minor = 30
    high_minor = 200_000_00

    def missing(self) -> list[str]:
        """Configuration (docs/operating/payouts.md)."""
        conf = settings.WECHAT_PAY
        out = [*china_only(), *absent(conf, "TONGZHOU_WECHAT_", NEEDED)]
        out += unreadable_keys(conf, "TONGZHOU_WECHAT_", ("KEY_FILE",), ("PLATFORM_KEY_FILE",))
        if not out and len(signing.apiv3_key()) != 32:
            out.append("TONGZHOU_WECHAT_APIV3_KEY_FILE holds no 32-byte key")
        return out

    def check_account(self, account: str) -> str:
        """The payee's openid under the mall's AppID."""
        text = account.strip()
        if not re.fullmatch(r"[A-Za-z0-9_-]{20,64}", text):
            raise account_refused(account, _("微信 openid：20 位以上字母、数字、_ 或 -"))
        return text

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """Start a bill; its number, amount, scene and remark are the same however often it is sent."""
        conf = settings.WECHAT_PAY
        body: dict[str, Any] = {
            "appid": conf["APPID"], "out_bill_no": bill_no, "transfer_scene_id": SCENE, "openid": account,
            "transfer_amount": amount_minor, "transfer_remark": "分享报酬",
            "notify_url": f"{settings.SITE_URL}/payouts/wechat/notify", "user_recv_perception": "劳务报酬",
            "transfer_scene_report_infos": [
                {"info_type": "岗位类型", "info_content": "分享者"},
                {"info_type": "报酬说明", "info_content": "商品分享报酬"},
            ],
        }  # fmt: skip
        if amount_minor >= NAME_FROM_MINOR:
            body["user_name"] = signing.encrypt_name(name)
        status, data = _call("POST", PATH, body)
        if status == 200:
            return _outcome(data, bill_no)
        code, said = str(data.get("code", status)), str(data.get("message", ""))
        known = self.query(bill_no)  # on any error the bill itself is asked
        if known is not None:
            return known
        if code in HOPELESS and status in (400, 403):
            return RailOutcome("failed", reason=f"{code}: {said}"[:200])
        raise unreachable(f"{code}: {said}"[:160])

    def query(self, bill_no: str) -> RailOutcome | None:
        """Ask by the mall's own number."""
        status, data = _call("GET", f"{PATH}/out-bill-no/{bill_no}")
        if status == 200:
            return _outcome(data, bill_no)
        if status == 404 and data.get("code") == "NOT_FOUND":
            return None
        raise unreachable(f"{status} {data.get('code', '')}")

    def notice(self, headers: Mapping[str, str], body: bytes) -> tuple[str, RailOutcome]:
        """A notification of a bill's end, verified and decrypted."""
        signing.verify(headers, body)
        data = signing.decrypt_resource(body)
        if str(data.get("mch_id", "")) != settings.WECHAT_PAY["MCHID"]:
            raise unsigned("mch_id")
        bill_no = str(data.get("out_bill_no", ""))
        return bill_no, _outcome(data, bill_no)


def _call(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    """One signed call; the answer's signature is checked before a word of it is believed."""
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() if body is not None else b""
    headers = {
        "Authorization": signing.authorization(method, path, raw), "Accept": "application/json",
        "Content-Type": "application/json", "User-Agent": "tongzhou",
        "Wechatpay-Serial": settings.WECHAT_PAY["PLATFORM_SERIAL"],
    }  # fmt: skip
    try:
        answer = httpx.request(
            method, settings.WECHAT_PAY["URL"] + path, content=raw, headers=headers, timeout=TIMEOUT_SECONDS
        )
    except httpx.HTTPError as error:
        raise unreachable(type(error).__name__) from None
    if answer.status_code >= 500 or answer.status_code in (401, 429):
        raise unreachable(answer.status_code)
    signing.verify(answer.headers, answer.content)
    try:
        data = json.loads(answer.content)
    except ValueError:
        raise unreachable("not JSON") from None
    return answer.status_code, data if isinstance(data, dict) else {}


def _outcome(data: Mapping[str, Any], bill_no: str) -> RailOutcome:
    """A bill's state; an answer about another bill, or without a state, is no answer."""
    state, amount = data.get("state"), data.get("transfer_amount")
    if data.get("out_bill_no") != bill_no or not isinstance(state, str):
        raise unreachable("incomplete answer")
    package = str(data.get("package_info", "")) if state == "WAIT_USER_CONFIRM" else ""
    return RailOutcome(
        ENDS.get(state, "pending"), str(data.get("transfer_bill_no", ""))[:64],
        str(data.get("fail_reason") or ("CANCELLED" if state == "CANCELLED" else ""))[:200],
        amount if isinstance(amount, int) and not isinstance(amount, bool) else None, package,
        needs_package=state == "WAIT_USER_CONFIRM" and not package,
    )  # fmt: skip
