"""Alipay's unified transfer (alipay.fund.trans.uni.transfer): RSA2 over sorted parameters, verified answers.

``out_biz_no`` is fixed per payout. On any error the order is asked for by that number before anything is sent again.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.payouts.rails.alipay.gateway import call
from tongzhou.payouts.rails.common import absent, account_refused, china_only, fen, unreachable, unreadable_keys, yuan
from tongzhou.payouts.values import RailOutcome

PRODUCT, SCENE = "TRANS_ACCOUNT_NO_PWD", "DIRECT_TRANSFER"
ENDS = {"SUCCESS": "paid", "FAIL": "failed", "CLOSED": "failed", "REFUND": "returned"}
# What Alipay says of the payee's own data, for which sending again under the same number will never help.
HOPELESS = re.compile(r"PAYEE_\w+|PAYCARD_\w+|INVALID_PARAMETER|INVALID_CARDNO|PERMIT_CHECK_PERM_LIMITED")
CERTS = ("APP_CERT_FILE", "ROOT_CERT_FILE")


class AlipayRail:
    """Signed requests to the gateway; each payout is one order under its own number."""

    name = "alipay"
    title = _("支付宝转账")
    by_file = False
    can_return = True
    low_minor = 10
    high_minor = 0

    def missing(self) -> list[str]:
        """Configuration (docs/operating/payouts.md). Certificates come in pairs or not at all."""
        conf = settings.ALIPAY
        out = [*china_only(), *absent(conf, "TONGZHOU_ALIPAY_", ("APP_ID", "KEY_FILE", "PUBLIC_KEY_FILE"))]
        out += unreadable_keys(conf, "TONGZHOU_ALIPAY_", ("KEY_FILE",), ("PUBLIC_KEY_FILE", "APP_CERT_FILE"))
        if any(conf[name] for name in CERTS):
            out += absent(conf, "TONGZHOU_ALIPAY_", CERTS)
        return out

    def check_account(self, account: str) -> str:
        """A login (mobile number or e-mail) or a 2088 user id."""
        text = account.strip()
        if not re.fullmatch(r"1\d{10}|2088\d{12}|[^\s@]{1,60}@[^\s@]{1,60}\.[A-Za-z]{2,10}", text):
            raise account_refused(account, _("支付宝登录手机号、邮箱，或 2088 开头的 16 位用户号"))
        return text

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """Send a transfer; the same number, amount and payee however often it is sent."""
        kind = "ALIPAY_USER_ID" if re.fullmatch(r"2088\d{12}", account) else "ALIPAY_LOGON_ID"
        data = call(
            "alipay.fund.trans.uni.transfer",
            {
                "out_biz_no": bill_no, "trans_amount": yuan(amount_minor), "product_code": PRODUCT, "biz_scene": SCENE,
                "order_title": "分享报酬", "payee_info": {"identity": account, "identity_type": kind, "name": name},
                "remark": "分享报酬",
            },
        )  # fmt: skip
        if data.get("code") == "10000":
            return _outcome(data, bill_no)
        code, said = str(data.get("sub_code") or data.get("code", "")), str(data.get("sub_msg") or data.get("msg", ""))
        known = self.query(bill_no)  # on any error the order itself is asked
        if known is not None:
            return known
        if HOPELESS.fullmatch(code):
            return RailOutcome("failed", reason=f"{code}: {said}"[:200])
        raise unreachable(f"{code}: {said}"[:160])

    def query(self, bill_no: str) -> RailOutcome | None:
        """Ask by the mall's own number."""
        content = {"out_biz_no": bill_no, "product_code": PRODUCT, "biz_scene": SCENE}
        data = call("alipay.fund.trans.common.query", content)
        if data.get("code") == "10000":
            return _outcome(data, bill_no)
        if data.get("sub_code") == "ORDER_NOT_EXIST":
            return None
        raise unreachable(f"{data.get('code')} {data.get('sub_code', '')}")


def _outcome(data: Mapping[str, Any], bill_no: str) -> RailOutcome:
    """An order's state; an answer about another order, or without a state, is no answer."""
    state = data.get("status")
    if data.get("out_biz_no") != bill_no or not isinstance(state, str):
        raise unreachable("incomplete answer")
    try:
        amount = fen(data["trans_amount"]) if "trans_amount" in data else None
        fee = fen(data["order_fee"]) if "order_fee" in data else None
    except ValueError:
        raise unreachable("incomplete answer") from None
    reason = str(data.get("fail_reason") or data.get("error_code") or "")
    return RailOutcome(ENDS.get(state, "pending"), str(data.get("order_id", ""))[:64], reason[:200], amount, "", fee)
