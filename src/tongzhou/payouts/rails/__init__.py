"""Rails that carry money to people: one entry each behind one Protocol."""

from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.payments.providers.sandbox import signed
from tongzhou.payouts.values import RailOutcome


class PayoutRail(Protocol):
    """What the mall needs of a rail. The bill number is fixed for ever; the same number again is the same payout."""

    name: str

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """Send; raises when it is not known whether it was sent."""

    def query(self, bill_no: str) -> RailOutcome | None:
        """What the rail knows of a bill number; None when it never heard of it."""


class SandboxRail:
    """The counterparty of the demo. Refused in production."""

    name = "sandbox"

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """POST /v1/payouts."""
        answer = signed("POST", "/v1/payouts", {"bill_no": bill_no, "amount": amount_minor, "name": name, "account": account,
                                                "currency": settings.CURRENCY})  # fmt: skip
        if answer.status_code >= 400 and answer.status_code != 422:  # only 422 says for sure that nothing was sent
            raise Refusal("rail_unreachable", _("打款通道暂时连不上。"), kind=Kind.UNAVAILABLE, retryable=True)
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
            raise Refusal("rail_unreachable", _("打款通道暂时连不上。"), kind=Kind.UNAVAILABLE, retryable=True)
        data = answer.json()
        return RailOutcome(str(data["status"]), str(data.get("txn", "")), str(data.get("reason", "")))


RAILS: dict[str, PayoutRail] = {"sandbox": SandboxRail()}
