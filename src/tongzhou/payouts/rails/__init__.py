"""Rails that carry money to people: a folder each behind one Protocol, and one dict.

What holds for every rail, and is tested against a counterparty for each: the bill number is fixed for ever; on any
error the rail is asked before anything is sent again, and never under a new number; an answer counts only when its
signature is the rail's.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.payouts.rails.alipay import AlipayRail
from tongzhou.payouts.rails.bank import BankRail
from tongzhou.payouts.rails.sandbox import SandboxRail
from tongzhou.payouts.rails.wechat import WechatRail
from tongzhou.payouts.values import RailOutcome


class PayoutRail(Protocol):
    """What the mall needs of a rail. Only ``pay`` and ``query`` talk to a network."""

    name: str
    title: Any  # what people call it
    by_file: bool  # carried by a file that people take to the bank; pay and query are never called
    can_return: bool  # may say "returned" of what it had paid
    low_minor: int  # the least and the most it carries at once; 0 = no limit
    high_minor: int

    def missing(self) -> list[str]:
        """What of its configuration is missing or wrong, one sentence each; empty when it may be used."""

    def check_account(self, account: str) -> str:
        """A payee's account as this rail takes it. *Refuses:* ``account``."""

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> RailOutcome:
        """Send; raises when it is not known whether it was sent. The same number again is the same payout."""

    def query(self, bill_no: str) -> RailOutcome | None:
        """What the rail knows of a bill number; None when it never heard of it."""


@runtime_checkable
class Notifying(Protocol):
    """A rail that tells of an end by itself."""

    def notice(self, headers: Mapping[str, str], body: bytes) -> tuple[str, RailOutcome]:
        """(bill number, outcome) of a signed notification. *Refuses:* ``notice_forged``."""


RAILS: dict[str, PayoutRail] = {r.name: r for r in (SandboxRail(), BankRail(), WechatRail(), AlipayRail())}


def configured() -> set[str]:
    """Rails this deployment may use: named in its environment. Compliance asks, because some decide whose law holds."""
    named = {"wechat": settings.WECHAT_PAY["MCHID"], "alipay": settings.ALIPAY["APP_ID"]}
    return {name for name in RAILS if named.get(name, name)}


def usable(name: str) -> PayoutRail:
    """A rail that is configured. *Refuses:* ``rail_unknown``, ``rail_not_configured`` saying what is missing."""
    rail = RAILS.get(name)
    if rail is None:
        raise Refusal("rail_unknown", _("没有这个打款通道。"), field="rail", value=name, rule=", ".join(RAILS))
    missing = rail.missing()
    if missing:
        raise Refusal(
            "rail_not_configured", _("打款通道“%(rail)s”还没有配置好。") % {"rail": rail.title}, kind=Kind.UNAVAILABLE,
            field="rail", value=name, rule="; ".join(missing), fix=_("照 docs/operating/payouts.md 配齐再开通。"),
        )  # fmt: skip
    return rail
