"""What risk found, in words: with figures for the operator, without anybody else's data for the sharer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

# code → (what the operator reads, with figures; what the sharer reads, naming nobody)
REASONS: dict[str, tuple[Any, Any]] = {
    "same_device": (_("买家和分享者用过同一台设备"), _("下单的账号和你的账号用过同一台设备")),
    "same_account": (_("买家和分享者用同一个账户付过款"), _("下单的账号和你的账号用同一个账户付过款")),
    "same_payee": (_("买家和分享者的提现收款账户相同"), _("下单的账号和你的账号提现到同一个账户")),
    "same_phone": (_("买家和分享者的账号手机相同"), _("下单的账号和你的账号是同一个手机号")),
    "same_openid": (_("买家和分享者是同一个 openid"), _("下单的账号和你的账号是同一个微信")),
    "same_address": (_("用过同一个收货地址"), _("下单的账号和你用过同一个收货地址")),
    "same_contact": (_("收货电话相同，或是对方的账号手机"), _("这单的收货电话和你的相同")),
    "same_ip": (_("最近用过同一个网络地址"), _("下单的账号和你最近在同一个网络上")),
    "linked": (_("经第三个账号的设备或账户连在一起"), _("下单的账号和你经另一个账号连在一起")),
    "instrument": (_("同一个付款或收款账户上有 %(accounts)s 个账号"), _("有很多账号共用同一个付款或收款账户")),
    "farm": (_("买家的设备 %(days)s 天内有 %(accounts)s 个账号"), _("下单的设备上最近有很多账号")),
    "ring": (_("%(people)s 个人互相推荐绕成一圈"), _("这单在一个互相推荐的圈里")),
    "pair": (_("两个人互相推荐"), _("你们两个人互相推荐")),
    "burst_day": (_("买家被邀请的那天，分享者一共邀请了 %(invited)s 人"), _("买家是你一天里邀请很多人的时候加入的")),
    "burst_ip": (_("其中 %(invited)s 人来自同一个网络地址"), _("那天加入的人很多来自同一个网络")),
    "returns": (_("买家 %(bought)s 件里退了 %(returned)s 件，远高于同类买家"), _("这位买家退货的比例远高于同类买家")),
    "late_refunds": (_("这一对有 %(times)s 单在报酬转为可提后马上退款"), _("你们之间有几单在报酬可提之后马上退款")),
    "rate_raised": (_("大单之前刚刚调高了费率"), _("下单之前费率刚刚调高过")),
    "rebound": (_("买家最近被手工改绑给这位分享者"), _("买家的邀请人最近被人工改成了你")),
    "insider": (_("改费率或改绑定的人就是受益人，或与受益人共用设备、账户"), _("改动规则的人和受益人有关")),
}
KINDS: dict[str, Any] = {
    "device": _("设备"), "account": _("付款账户"), "payee": _("收款账户"), "phone": _("账号手机"), "openid": _("微信身份"),
    "address": _("收货地址"), "contact": _("收货电话"), "ip": _("网络地址"),
}  # fmt: skip
STEPS: dict[str, Any] = {
    "held": _("系统先留着"), "raised": _("到期前再看一次，改为更严"), "appealed": _("分享者申诉"), "released": _("决定放行"),
    "refused": _("拒付"), "lapsed": _("到时没有人答复，按对分享者有利的结果放行"), "over": _("推迟的天数到了，放行"),
}  # fmt: skip
GROUPS: dict[str, Any] = {
    "verdict": _("分数与期限"), "self": _("自己推荐自己"), "ring": _("一伙与圈"), "farm": _("设备农场"), "burst": _("突增"),
    "refund": _("退款套利"), "insider": _("内部人"), "privacy": _("记什么、记多久"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """One reason in words."""

    code: str
    points: int
    operator: str
    sharer: str


def said(reasons: Iterable[dict[str, Any]]) -> list[Said]:
    """The stored reasons of a hold as people read them."""
    out = []
    for r in reasons:
        desk, mine = REASONS.get(r["code"], (r["code"], r["code"]))
        out.append(Said(r["code"], r["points"], str(desk) % r["seen"] if r["seen"] else str(desk), str(mine)))
    return out
