"""The sandbox rail: the counterparty of the demo. Refused in production."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.payments.providers.sandbox import signed
from tongzhou.payouts.rails.common import account_refused, unreachable
from tongzhou.payouts.values import RailOutcome


class SandboxRail:
    """Pays, fails and waits by account; knows each bill number for ever."""

    name = "sandbox"
    title = _("沙箱银行")
    by_file = False
    can_return = False
    low_minor = 0
    high_minor = 0

    def missing(self) -> list[str]:
        """Nothing outside production; in production everything."""
        return (
            ["the sandbox carries no money: TONGZHOU_ENV is production"]
            if settings.TONGZHOU_ENV == "production"
            else []
        )

    def check_account(self, account: str) -> str:
        """6 to 40 letters or digits."""
        number = account.replace(" ", "").strip()
        if not 6 <= len(number) <= 40 or not number.isalnum():
            raise account_refused(account, _("6 到 40 位字母或数字"))
        return number

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """POST /v1/payouts."""
        answer = signed("POST", "/v1/payouts", {"bill_no": bill_no, "amount": amount_minor, "name": name, "account": account,
                                                "currency": settings.CURRENCY})  # fmt: skip
        if answer.status_code >= 400 and answer.status_code != 422:  # only 422 says for sure that nothing was sent
            raise unreachable(answer.status_code)
        data = answer.json()
        if answer.status_code >= 400:
            return RailOutcome("failed", reason=str(data.get("error", ""))[:200])
        return RailOutcome(str(data["status"]), str(data.get("txn", "")), str(data.get("reason", "")))

    def query(self, bill_no: str) -> RailOutcome | None:
        """GET /v1/payouts/<bill_no>."""
        answer = signed("GET", f"/v1/payouts/{bill_no}")
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise unreachable(answer.status_code)
        data = answer.json()
        return RailOutcome(str(data["status"]), str(data.get("txn", "")), str(data.get("reason", "")))
