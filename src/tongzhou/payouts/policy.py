"""The settings of payouts as data: each with its meaning, unit, default and bounds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from tongzhou.payouts.values import Policy

TOP = 100_000_000_00  # no setting is larger than a hundred million


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``kind`` is ``amount`` (minor units), ``bp``, ``rails`` (names by comma) or ``rail`` (one name)."""

    code: str
    kind: str
    default: str
    title: Any
    meaning: Any
    high: int = TOP


SETTINGS = (
    Setting("min_minor", "amount", "100", _("最低提现"), _("一次至少提这么多。低于它的申请会被拒绝，金额一直保留。")),
    Setting("max_minor", "amount", "20000000", _("单笔上限"), _("一次最多提这么多。0 表示不限。")),
    Setting("member_day_minor", "amount", "20000000", _("每人每天上限"), _("一位会员一天里申请的提现合计，不算被退回的。0 表示不限。")),
    Setting("mall_day_minor", "amount", "500000000", _("全店每天上限"), _("全店一天里放款的合计，含后来没打成的。到了就等明天；防止一次误操作放空账户。0 表示不限。")),
    Setting("rails", "rails", "", _("开通的通道"), _("会员可以选的打款通道。只有配置齐全的通道能开通。")),
    Setting("rail", "rail", "", _("默认通道"), _("会员没有选时用的通道，必须是开通的一个。")),
    Setting("bank.fee_minor", "amount", "0", _("银行每笔手续费"), _("银行每笔收商城多少。由商城承担，记作打款手续费，不从会员的钱里扣。"), 10_000),
    Setting("alipay.fee_bp", "bp", "0", _("支付宝费率"), _("支付宝按净额收商城的比例（万分之一）。由商城承担。支付宝应答里写明的以应答为准。"), 500),
    Setting("wechat.fee_bp", "bp", "0", _("微信费率"), _("微信按净额收商城的比例（万分之一）。由商城承担。"), 500),
)  # fmt: skip
BY_CODE = {s.code: s for s in SETTINGS}


def policy(changed: Mapping[str, str], *, least: int, rails: str) -> Policy:
    """The settings in force: defaults (the deployment's smallest payout and rails), then what operators changed."""
    have = (
        {s.code: s.default for s in SETTINGS} | {"min_minor": str(least), "rails": rails, "rail": rails} | dict(changed)
    )
    names = tuple(n for n in have["rails"].split(",") if n)
    fees = {
        "bank": (int(have["bank.fee_minor"]), 0),
        "alipay": (0, int(have["alipay.fee_bp"])),
        "wechat": (0, int(have["wechat.fee_bp"])),
    }
    return Policy(
        int(have["min_minor"]), int(have["max_minor"]), int(have["member_day_minor"]), int(have["mall_day_minor"]), names,
        have["rail"] if have["rail"] in names else (names[0] if names else ""), fees,
    )  # fmt: skip


def fee_of(policy: Policy, rail: str, net_minor: int) -> int:
    """What a rail charges the mall for carrying ``net_minor``; rounded up, because rails do."""
    fixed, bp = policy.fees.get(rail, (0, 0))
    return fixed + (net_minor * bp + 9_999) // 10_000
