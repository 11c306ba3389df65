"""Words of the audit trail: every action, what it was done to, and each of its details, as a person reads it.

A test holds the three lists to what the rooms really record, so that a new action cannot be shown as its code alone.
"""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from tongzhou.console import texts
from tongzhou.kit.money import format_minor

ACTIONS: dict[str, Any] = {
    "order.ship": _("发货"),
    "order.cancel": _("取消订单"),
    "order.refund": _("退款"),
    "dispute.opened": _("拒付开始"),
    "dispute.won": _("拒付，商城赢"),
    "dispute.lost": _("拒付，买家赢"),
    "dispute.refused": _("没收下的拒付通知"),
    "dispute.fee": _("补记拒付手续费"),
    "orders.export": _("导出订单"),
    "case.approve": _("同意售后"),
    "case.reject": _("不同意售后"),
    "case.received": _("验收退货"),
    "case.granted": _("商城主动退款"),
    "payout.release.1": _("放款，第一人"),
    "payout.release.2": _("放款，第二人"),
    "payout.reject": _("退回提现"),
    "payout.batch": _("批量放款"),
    "payout.ask": _("再问通道"),
    "payee.unmask": _("查看收款人全貌"),
    "payee.set": _("填写收款人"),
    "payout_setting.change": _("改提现设置"),
    "bank_file.make": _("做银行文件"),
    "bank_file.release": _("放银行文件"),
    "bank_file.cancel": _("撤银行文件"),
    "bank_file.download": _("下载银行文件"),
    "bank_results.import": _("导入银行结果"),
    "tax.decide": _("签税务决定"),
    "tax.report": _("导出平台报送"),
    "tax.remit.prepare": _("制缴款单"),
    "tax.remit.confirm": _("确认缴款"),
    "tax.remit.cancel": _("撤缴款单"),
    "product.created": _("新建商品"),
    "product.changed": _("改商品"),
    "product.published": _("上架"),
    "product.unpublished": _("下架"),
    "product.archived": _("收起"),
    "product.from_history": _("从历史订单建商品"),
    "products.imported": _("导入商品"),
    "price.changed": _("改价"),
    "stock.counted": _("盘点"),
    "picture.added": _("加图片"),
    "picture.removed": _("移走图片"),
    "picture.ordered": _("图片排序"),
    "search.synonyms": _("整批换近义词"),
    "search.synonyms.added": _("加近义词"),
    "search.synonyms.removed": _("移走近义词"),
    "plan.import": _("写计划草稿"),
    "plan.activate": _("启用计划"),
    "compliance.sign": _("签字"),
    "profile.propose": _("提议换法域"),
    "profile.confirm": _("确认换法域"),
    "profile.decline": _("搁下换法域"),
    "member.unmask": _("查看全号"),
    "member.rename": _("改名"),
    "member.sign_out_everywhere": _("全部退出登录"),
    "members.import": _("导入会员"),
    "members.export": _("导出会员"),
    "consent.name": _("同意显示名字"),
    "consent.device": _("同意记设备"),
    "role.grant": _("给角色"),
    "role.revoke": _("撤角色"),
    "binding.propose": _("提议改绑"),
    "binding.confirm": _("确认改绑"),
    "binding.decline": _("搁下改绑"),
    "risk.release": _("风控放行"),
    "risk.refuse": _("风控拒付"),
    "risk.setting": _("改风控设置"),
    "ledger.seal": _("封账"),
    "ledger.verify": _("验账"),
    "ledger.proof_failed": _("验账没通过"),
    "delivery.revive": _("重投"),
    "category.created": _("新建分类"),
    "category.changed": _("改分类"),
    "category.removed": _("删分类"),
    "supplier.created": _("新建供应商"),
    "supplier.changed": _("改供应商"),
    "refund.retry": _("再退一次"),
}

SUBJECTS: dict[str, Any] = {
    "order": _("订单"), "case": _("售后"), "payout": _("提现"), "batch": _("批次"), "bank_file": _("银行文件"),
    "bank_results": _("银行结果"), "remittance": _("缴款单"), "quarter": _("季度"), "tax_rule": _("税务规则"),
    "product": _("商品"), "sku": _("规格"), "category": _("分类"), "supplier": _("供应商"), "catalog": _("目录"),
    "plan": _("计划"), "profile": _("法域"), "member": _("会员"), "hold": _("风控暂扣"), "risk": _("风控"),
    "setting": _("设置"), "ledger": _("账本"), "delivery": _("投递"), "import": _("导入"), "export": _("导出"),
    "refund": _("退款"),
}  # fmt: skip

DETAILS: dict[str, Any] = {
    "after": _("之后"), "answer": _("答复"), "before": _("之前"), "books": _("本数"), "carrier": _("快递"),
    "cash_minor": _("现金"), "changed": _("改了"), "code": _("编码"), "count": _("数量"), "created": _("新建"),
    "days": _("天数"), "decision": _("决定"), "digest": _("指纹"), "dispute_no": _("拒付编号"), "done": _("办成"), "dry_run": _("只是试一遍"),
    "effective_at": _("生效"), "file": _("文件"), "finding": _("发现"), "first": _("第一个问题"), "format": _("格式"),
    "given": _("同意"), "gross_minor": _("税前"), "groups": _("组数"), "left": _("没办"), "name": _("名字"),
    "net_minor": _("到手"), "netted_minor": _("抵掉"), "new": _("之后"), "now": _("之后"), "ok": _("通过"),
    "old": _("之前"), "path": _("位置"), "people": _("人数"), "problems": _("问题"), "proposal": _("提议"),
    "rail": _("通道"), "read": _("读到"), "reason": _("理由"), "reference": _("凭据"), "refused": _("没收下"),
    "role": _("角色"), "sha256": _("指纹"), "slug": _("网址名"), "sound": _("完好"), "tracking_no": _("运单号"),
    "transfers": _("转账"), "unchanged": _("没变"), "units": _("件数"), "updated": _("更新"), "verdict": _("结论"),
    "version": _("版本"), "was": _("之前"), "words": _("词"), "withheld_minor": _("代扣"), "notes": _("提示"), "amount_minor": _("金额"),
}  # fmt: skip

VERDICTS: dict[str, Any] = {
    "PASS": _("通过"), "WARN": _("通过，有提醒"), "REVIEW": _("要签字"), "BLOCK": _("不能启用"),
}  # fmt: skip

KINDS: dict[str, Any] = {
    "system": _("系统"), "member": _("会员"), "operator": _("后台"), "provider": _("通道"), "import": _("导入"),
}  # fmt: skip


def said(action: str) -> Any:
    """What an action is called, or its code when nobody has named it yet."""
    return ACTIONS.get(action, action)


def detail(key: str, value: Any) -> Any:
    """A detail's value as a person reads it: money as money, yes and no, codes in words."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if key.endswith("_minor") and isinstance(value, int):
        return format_minor(value, settings.CURRENCY)
    if key == "role":
        return texts.STATES["role"].get(str(value), (value, ""))[0]
    if key == "reason":
        return texts.WORDS["reason"].get(str(value), value)
    if key == "verdict":
        return VERDICTS.get(str(value), value)
    if isinstance(value, list | tuple):
        return ", ".join("—" if v is None else str(v) for v in value)
    return value


def doer(entry: Any) -> Any:
    """Who did it: their name, or what kind of party it was."""
    named = "" if entry.actor_kind == "system" else entry.actor_name
    return named or KINDS.get(entry.actor_kind, entry.actor_kind)
