"""Payment providers: one folder entry each behind one Protocol."""

from collections.abc import Mapping
from typing import Protocol

from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import invalid
from tongzhou.payments.providers.sandbox import Sandbox
from tongzhou.payments.values import Notice, RefundOutcome


class Provider(Protocol):
    """What the mall needs of a counterparty. Only ``refund`` and ``query`` talk to a network."""

    name: str

    def redirect_url(self, *, trade_no: str, amount_minor: int, currency: str, return_url: str, subject: str) -> str:
        """Where the buyer pays: a signed address."""

    def verify(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """A notification whose signature, time and shape are right. *Refuses:* ``notice_forged``."""

    def refund(self, *, trade_no: str, refund_no: str, amount_minor: int) -> RefundOutcome:
        """Send a refund under its fixed number; the same number again is the same refund."""

    def query_refund(self, refund_no: str) -> RefundOutcome | None:
        """What the provider knows of a refund number; None when it never heard of it."""

    def query(self, trade_no: str) -> Notice | None:
        """What the provider knows of a payment; None while nothing is final."""


PROVIDERS: dict[str, Provider] = {"sandbox": Sandbox()}


def get(name: str) -> Provider:
    """A provider by name. *Refuses:* ``provider_unknown``."""
    found = PROVIDERS.get(name)
    if found is None:
        raise invalid(
            "provider_unknown", _("没有这种付款方式。"), field="provider", value=name, rule=", ".join(PROVIDERS)
        )
    return found
