"""The words the engine knows. What is not here is refused (fail closed)."""

import re

RETAIL = "retail_sale"
HEADCOUNT_TRIGGERS = frozenset({"signup", "invite", "headcount", "upgrade", "downline_signup", "gift_pack"})
TEAM_TRIGGERS = frozenset({"team_sales", "downline_commission", "downline_sales"})
KNOWN_TRIGGERS = frozenset({RETAIL, "self_purchase"}) | HEADCOUNT_TRIGGERS | TEAM_TRIGGERS

TEAM_BASES = frozenset({"team_sales", "downline_commission", "downline_sales", "profit_split"})
KNOWN_BASES = frozenset({"paid_net", "list_price", "margin", "fixed"}) | TEAM_BASES

TEAM_KINDS = frozenset(
    {
        "level_difference", "peer", "cultivation", "leadership", "per_node", "binary", "layer", "matrix", "mentor",
        "级差", "平级", "培育", "领导", "见点", "对碰", "层碰", "导师",
    }
)  # fmt: skip
KNOWN_KINDS = frozenset({"commission", "coupon"}) | TEAM_KINDS

RANK_METRICS = frozenset(
    {"recruits", "headcount", "invitees", "team_size", "team_sales", "downline_sales", "downline_count", "own_spend",
     "own_purchases", "upgrades"}
)  # fmt: skip
KNOWN_METRICS = RANK_METRICS | frozenset(
    {"own_retail_net", "outside_buyers", "return_rate", "tenure_days", "repurchase_rate", "service_score",
     "content_tasks", "verified", "adult", "open_violations"}
)  # fmt: skip

# The shape of a plan document: mappings by key, [item] for lists, tuples of types for leaves.
_STR, _INT, _BOOL = (str,), (int,), (bool,)
KEYS: dict[str, object] = {
    "code": _STR, "name": _STR, "currency": _STR, "profile": _STR, "settle_days": _INT, "lock_days": _INT,
    "attribution": {"model": _STR, "window_days": _INT, "protection_days": _INT},
    "member_price": {"discount_bp": _INT},
    "rewards": [
        {"trigger": _STR, "depth": _INT, "base": _STR, "rate_bp": _INT, "amount_minor": _INT, "category": _STR,
         "product": _STR, "sku": _STR, "campaign": _STR, "withdrawable": _BOOL, "kind": _STR}
    ],
    "join": {"fee": _INT, "fee_period_days": _INT, "deposit": _INT, "training_fee": _INT, "required_purchase": _INT},
    "dates": {"published_at": (object,), "effective_at": (object,)},
    "units": {"purchasable": _BOOL, "transferable": _BOOL, "promised_return_bp": _INT, "buy_back": _BOOL},
    "assumptions": {"margin_bp": _INT},
    "ranks": [{"name": _STR, "fee": _INT, "criteria": [{"metric": _STR, "at_least": _INT, "at_most": _INT}]}],
    "keep_active": {"min_purchase": _INT},
    "caps": {"per_order_minor": _INT, "per_month_minor": _INT, "payout_to_margin_bp": _INT},
    "copy": {"texts": [_STR]},
    "features": {"unlocked_by_sharing": [_STR]},
}  # fmt: skip

COPY_TERMS = (
    "躺赚", "静态收益", "动态收益", "直推奖", "层推奖", "对碰奖", "见点奖", "报单奖", "原始股", "日入过", "月入过", "稳赚",
    "包赚", "保本", "零风险", "财务自由", "拉人头", "发展下线", "躺着赚", "睡后收入",
    "passiveincome", "guaranteedincome", "getrich", "financialfreedom", "riskfree", "risk-free",
)  # fmt: skip
COPY_CLAIMS = (
    re.compile(r"(日|月|年)(入|赚|收入)[0-9一二三四五六七八九十百千万]+"),
    re.compile(r"(轻松|每天|每月|一个月)赚[0-9一二三四五六七八九十百千万]+"),
    re.compile(r"earn(upto|over)?[$¥€£]?[0-9,]+(aday|aweek|amonth|perday|permonth|/month|/day)"),
)
