"""`plan.toml` ⇄ `Plan` (interfaces.md): every error of a file at once, each with path, value, rule and fix."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import tomlkit
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Refusal
from tongzhou.plans.values import Attribution, AttributionModel, Caps, Dates, Join, MemberPrice, Plan, RewardRule

MAX_BP = 10_000
_SHAPES: dict[str, Mapping[str, type]] = {
    "": {"code": str, "name": str, "currency": str, "profile": str, "settle_days": int, "lock_days": int},
    "attribution": {"model": str, "window_days": int, "protection_days": int},
    "member_price": {"discount_bp": int},
    "rewards": {
        "trigger": str, "depth": int, "base": str, "rate_bp": int, "amount_minor": int, "category": str,
        "product": str, "sku": str, "campaign": str, "withdrawable": bool, "kind": str,
    },
    "join": {"fee": int, "fee_period_days": int, "deposit": int, "training_fee": int, "required_purchase": int},
    "caps": {"per_order_minor": int, "per_month_minor": int, "payout_to_margin_bp": int},
}  # fmt: skip
_RANGES = {
    "settle_days": (0, 366), "lock_days": (0, 366), "window_days": (1, 366), "protection_days": (0, 3660),
    "discount_bp": (0, MAX_BP), "rate_bp": (0, MAX_BP), "depth": (1, 99), "amount_minor": (0, 10**9),
}  # fmt: skip


def load_document(text: str) -> dict[str, Any]:
    """The file as plain data. *Refuses:* ``not_toml`` with the line."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refusal(
            "not_toml", _("这不是一份有效的 TOML 文件。"), field="file", value=str(error),
            rule=_("TOML 1.0 语法"), fix=_("按提示的行列修改后再试。"),
        ) from None  # fmt: skip


def parse_plan(text: str) -> Plan:
    """Read a plan file. *Refuses:* ``not_toml``, ``plan_invalid`` (listing every error)."""
    return plan_of(load_document(text))


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The decisive parts of a document. Unknown keys are left to compliance, which fails closed on them.

    *Refuses:* ``plan_invalid`` listing every wrong type and range.
    """
    errors: list[Refusal] = []
    top = _table(document, "", errors)
    code = top.get("code", "")
    if not code or len(code) > 40:
        errors.append(_wrong("code", code, _("1 到 40 个字符"), _("给计划起一个短代码，例如 share-10。")))
    rewards = document.get("rewards", [])
    if not isinstance(rewards, list):
        errors.append(_wrong("rewards", rewards, _("是一组 [[rewards]]"), _("每条奖励写成一节 [[rewards]]。")))
        rewards = []
    parts: dict[str, dict[str, Any]] = {}
    for name in ("attribution", "member_price", "join", "caps", "dates"):
        given = document.get(name, {})
        if not isinstance(given, Mapping):
            errors.append(_wrong(name, given, _("是一节 [%(name)s]") % {"name": name}, _("写成 TOML 的一节。")))
            given = {}
        parts[name] = dict(given) if name == "dates" else _table(given, name, errors)
    dates = {k: _moment(f"dates.{k}", parts["dates"].get(k, ""), errors) for k in ("published_at", "effective_at")}
    rules = tuple(
        RewardRule(**_table(rule, "rewards", errors, f"rewards[{i}]."))
        for i, rule in enumerate(rewards)
        if isinstance(rule, Mapping)
    )
    if errors:
        raise Refusal("plan_invalid", _("计划文件里有需要修改的地方。"), field="plan", errors=errors)
    return Plan(
        **top,
        attribution=Attribution(**parts["attribution"]),
        member_price=MemberPrice(**parts["member_price"]),
        rewards=rules,
        join=Join(**parts["join"]),
        dates=Dates(**dates),
        caps=Caps(**parts["caps"]),
    )


def dump_document(document: Mapping[str, Any]) -> str:
    """The document as TOML again; ``load_document(dump_document(d)) == d``."""
    return tomlkit.dumps(dict(document))


def _wrong(path: str, value: object, rule: "str | Promise", fix: "str | Promise") -> Refusal:
    return Refusal(
        "plan_value", _("“%(path)s”的值不对。") % {"path": path}, field=path, value=value, rule=rule, fix=fix
    )


def _table(given: Mapping[str, Any], name: str, errors: list[Refusal], prefix: str | None = None) -> dict[str, Any]:
    """The known keys of one table, checked for type and range."""
    shape, out = _SHAPES[name], {}
    at = (f"{name}." if name else "") if prefix is None else prefix
    for key, kind in shape.items():
        if key not in given:
            continue
        value = given[key]
        if type(value) is not kind:
            errors.append(
                _wrong(at + key, value, _("类型是 %(kind)s") % {"kind": kind.__name__}, _("改成这个类型的值。"))
            )
            continue
        low, high = _RANGES.get(key, (0, 10**12))
        if isinstance(value, int) and not low <= value <= high:
            errors.append(
                _wrong(
                    at + key,
                    value,
                    _("在 %(low)s 与 %(high)s 之间") % {"low": low, "high": high},
                    _("改到这个范围内。"),
                )
            )
            continue
        if key == "model" and value not in set(AttributionModel):
            errors.append(_wrong(at + key, value, ", ".join(AttributionModel), _("从这几种里选一种。")))
            continue
        out[key] = value
    return out


def _moment(path: str, value: object, errors: list[Refusal]) -> datetime | None:
    if value in ("", None):
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.min, tzinfo=UTC)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        errors.append(
            _wrong(path, value, _("ISO 8601 日期或时间"), _("写成 2026-07-01 或 2026-07-01T00:00:00+08:00。"))
        )
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
