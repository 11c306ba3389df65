"""Words of a plan document: every section, field, trigger, kind and measure, and a value as a person reads it.

What the engine knows (``compliance.vocabulary``) has a name here; a test holds the two together.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tongzhou.console import texts
from tongzhou.design.templatetags.shop_tags import english
from tongzhou.kit.money import format_minor

SECTIONS: dict[str, Any] = {
    "attribution": _("归属"), "member_price": _("会员价"), "rewards": _("奖励"), "join": _("加入门槛"), "dates": _("日期"),
    "units": _("份额"), "assumptions": _("假设"), "ranks": _("等级"), "criteria": _("条件"), "keep_active": _("保持资格"),
    "caps": _("各种上限"), "copy": _("写给会员看的话"), "features": _("功能"),
}  # fmt: skip

FIELDS: dict[str, Any] = {
    "code": _("代码"), "name": _("名字"), "currency": _("货币"), "profile": _("法域"), "settle_days": _("结算等待"),
    "lock_days": _("旧价保留"), "model": _("归给谁"), "window_days": _("有效期"), "protection_days": _("绑定保护"),
    "discount_bp": _("折扣"), "trigger": _("触发"), "depth": _("层"), "base": _("按什么"), "rate_bp": _("比例"),
    "amount_minor": _("固定金额"), "category": _("商品分类"), "product": _("商品"), "sku": "SKU", "campaign": _("活动"),
    "withdrawable": _("能提现"), "kind": _("种类"), "fee": _("收费"), "fee_period_days": _("多少天交一次"),
    "deposit": _("押金"), "training_fee": _("培训费"), "required_purchase": _("必须先买"), "published_at": _("公告"),
    "effective_at": _("生效"), "purchasable": _("能买"), "transferable": _("能转让"), "promised_return_bp": _("承诺回报"),
    "buy_back": _("承诺回购"), "margin_bp": _("毛利率"), "metric": _("看什么"), "at_least": _("至少"), "at_most": _("至多"),
    "min_purchase": _("至少要买"), "per_order_minor": _("每单"), "per_month_minor": _("每人每月"),
    "payout_to_margin_bp": _("占毛利"), "texts": _("句子"), "unlocked_by_sharing": _("分享才给的"),
}  # fmt: skip

TRIGGERS: dict[str, Any] = {
    "retail_sale": _("零售成交"), "self_purchase": _("自己买"), "signup": _("注册"), "invite": _("邀请"),
    "headcount": _("人数"), "upgrade": _("升级"), "downline_signup": _("下线注册"), "gift_pack": _("买礼包"),
    "team_sales": _("团队业绩"), "downline_commission": _("下线佣金"), "downline_sales": _("下线业绩"),
}  # fmt: skip

BASES: dict[str, Any] = {
    **texts.WORDS["base"], "team_sales": _("团队业绩"), "downline_commission": _("下线佣金"),
    "downline_sales": _("下线业绩"), "profit_split": _("利润分成"),
}  # fmt: skip

KINDS: dict[str, Any] = {
    "commission": _("佣金"), "coupon": _("优惠券"), "level_difference": _("级差"), "peer": _("平级"),
    "cultivation": _("培育"), "leadership": _("领导"), "per_node": _("见点"), "binary": _("对碰"), "layer": _("层碰"),
    "matrix": _("矩阵"), "mentor": _("导师"), "级差": _("级差"), "平级": _("平级"), "培育": _("培育"), "领导": _("领导"),
    "见点": _("见点"), "对碰": _("对碰"), "层碰": _("层碰"), "导师": _("导师"),
}  # fmt: skip

METRICS: dict[str, Any] = {
    "recruits": _("拉来的人"), "headcount": _("人数"), "invitees": _("邀请的人"), "team_size": _("团队人数"),
    "team_sales": _("团队业绩"), "downline_sales": _("下线业绩"), "downline_count": _("下线人数"),
    "own_spend": _("自己花的钱"), "own_purchases": _("自己买的"), "upgrades": _("升级"),
    "own_retail_net": _("自己的零售净额"), "outside_buyers": _("店外买家"), "return_rate": _("退货率"),
    "tenure_days": _("加入天数"), "repurchase_rate": _("复购率"), "service_score": _("服务评分"),
    "content_tasks": _("内容任务"), "verified": _("实名"), "adult": _("成年"), "open_violations": _("未了的违规"),
}  # fmt: skip

_CODES: dict[str, dict[str, Any]] = {
    "trigger": TRIGGERS, "base": BASES, "kind": KINDS, "metric": METRICS, "model": texts.WORDS["model"],
}  # fmt: skip
_MONEY = {"fee", "deposit", "training_fee", "required_purchase", "min_purchase"}
_STEP = re.compile(r"([A-Za-z_]+)(?:\[([^\]]*)\])?(?:\.|$)")


def word(family: str, code: str) -> Any:
    """What a trigger, base, kind, measure or model is called, or its code when nobody has named it yet."""
    return _CODES[family].get(code, code)


def place(path: str) -> str:
    """``rewards[depth=2].rate_bp`` → 奖励（第 2 层）· 比例."""
    said = []
    for name, inside in _STEP.findall(path):
        words = str(SECTIONS.get(name) or FIELDS.get(name, name))
        said.append(f"{words}{_inside(inside)}")
    return " · ".join(said)


def _inside(text: str) -> str:
    """Which of several: by number as the law's findings count them, or by what it is about."""
    if not text:
        return ""
    if text.isdigit():
        return f" {int(text) + 1}"
    body, _hash, again = text.partition(" #")
    parts = [_about(*part.split("=", 1)) for part in body.split(", ") if "=" in part]
    words = _comma().join(parts) or gettext("全部商品")
    return (" ({})" if english() else "（{}）").format(f"{words} {again}".strip())


def _comma() -> str:
    return ", " if english() else "，"


def _about(key: str, text: str) -> str:
    if key == "depth":
        return gettext("第 %(n)s 层") % {"n": text}
    return f"{FIELDS.get(key, key)} {value(key, text)}"


def value(key: str, said: Any) -> str:
    """One value of a document: money as money, shares as per cent, days as days, codes in words, a dash for nothing."""
    if said is None:
        return "—"
    if isinstance(said, bool):
        return gettext("是") if said else gettext("否")
    if isinstance(said, Mapping):
        return _comma().join(f"{FIELDS.get(k) or SECTIONS.get(k, k)} {value(str(k), v)}" for k, v in said.items())
    if isinstance(said, list | tuple):
        return ("; " if english() else "；").join(value(key, v) for v in said)
    if isinstance(said, int):
        if key.endswith("_bp"):
            return f"{said // 100}.{said % 100:02d}%"
        if key.endswith("_minor") or key in _MONEY:
            return format_minor(said, settings.CURRENCY)
        if key.endswith("_days"):
            return gettext("%(n)s 天") % {"n": said}
    return str(_CODES.get(key, {}).get(str(said), said))
