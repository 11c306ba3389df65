"""The plan form: fields ⇄ a plan document. What the form does not know of stays in the document as it was."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from tongzhou.compliance.vocabulary import KNOWN_KINDS, KNOWN_METRICS, KNOWN_TRIGGERS
from tongzhou.console import forms
from tongzhou.kit.money import plain
from tongzhou.kit.numbers import whole
from tongzhou.kit.refusals import Refusal, invalid

# name in the form → (path in the document, how it is written)
FIELDS: dict[str, tuple[str, str]] = {
    "code": ("code", "text"), "name": ("name", "text"), "profile": ("profile", "text"),
    "settle_days": ("settle_days", "whole"), "lock_days": ("lock_days", "whole"),
    "attribution-model": ("attribution.model", "text"), "attribution-window_days": ("attribution.window_days", "whole"),
    "attribution-protection_days": ("attribution.protection_days", "whole"),
    "member_price-discount_bp": ("member_price.discount_bp", "percent"),
    "caps-per_order_minor": ("caps.per_order_minor", "money"), "caps-per_month_minor": ("caps.per_month_minor", "money"),
    "caps-payout_to_margin_bp": ("caps.payout_to_margin_bp", "percent"),
    "join-fee": ("join.fee", "money"), "join-fee_period_days": ("join.fee_period_days", "whole"),
    "join-deposit": ("join.deposit", "money"), "join-training_fee": ("join.training_fee", "money"),
    "join-required_purchase": ("join.required_purchase", "money"),
    "keep_active-min_purchase": ("keep_active.min_purchase", "money"),
    "dates-effective_at": ("dates.effective_at", "text"),
}  # fmt: skip
ROW = ("scope", "key", "rate", "amount", "depth", "trigger", "base", "kind", "spend")
RANK = ("name", "fee", "metric", "least")
SCOPES = ("all", "category", "product", "sku")
MOST_ROWS = 40
TRIGGERS, KINDS, METRICS = sorted(KNOWN_TRIGGERS), sorted(KNOWN_KINDS), sorted(KNOWN_METRICS)


@dataclass(slots=True)
class Form:
    """The form as typed: single fields, reward rows, rank rows, sentences for members."""

    fields: dict[str, str]
    rows: list[dict[str, str]] = field(default_factory=list)
    ranks: list[dict[str, str]] = field(default_factory=list)
    copy: str = ""


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _written(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "money" and isinstance(value, int):
        return plain(value, settings.CURRENCY)
    if kind == "percent" and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    return str(value)


def of(document: Mapping[str, Any]) -> Form:
    """A document as the form shows it, with two empty rows to write in."""
    fields = {name: _written(_at(document, path), kind) for name, (path, kind) in FIELDS.items()}
    rows = []
    for rule in document.get("rewards") or []:
        scope = next((s for s in SCOPES[1:] if rule.get(s)), "all")
        rows.append({
            "scope": scope, "key": str(rule.get(scope, "")), "rate": _written(rule.get("rate_bp"), "percent"),
            "amount": _written(rule.get("amount_minor") or None, "money"), "depth": str(rule.get("depth", 1)),
            "trigger": str(rule.get("trigger", "retail_sale")), "base": str(rule.get("base", "paid_net")),
            "kind": str(rule.get("kind", "commission")), "spend": "" if rule.get("withdrawable", True) else "1",
        })  # fmt: skip
    ranks = [
        {"name": str(r.get("name", "")), "fee": _written(r.get("fee"), "money"), "metric": str(c.get("metric", "")),
         "least": str(c.get("at_least", ""))}
        for r in document.get("ranks") or []
        for c in (r.get("criteria") or [{}])
    ]  # fmt: skip
    texts = _at(document, "copy.texts") or []
    return _padded(Form(fields, rows, ranks, "\n".join(map(str, texts))))


def _padded(form: Form) -> Form:
    empty = {"scope": "all", "key": "", "rate": "", "amount": "", "depth": "1", "trigger": "retail_sale",
             "base": "paid_net", "kind": "commission", "spend": ""}  # fmt: skip
    form.rows = [*form.rows, *(dict(empty) for _i in range(2))][:MOST_ROWS]
    form.ranks = [*form.ranks, dict.fromkeys(RANK, "")][:MOST_ROWS]
    return form


def typed(post: QueryDict) -> Form:
    """What came with the request."""
    fields = {name: post.get(name, "").strip() for name in FIELDS}
    rows = [
        {part: post.get(f"row-{i}-{part}", "").strip() for part in ROW}
        for i in range(MOST_ROWS)
        if f"row-{i}-rate" in post
    ]
    ranks = [
        {part: post.get(f"rank-{i}-{part}", "").strip() for part in RANK}
        for i in range(MOST_ROWS)
        if f"rank-{i}-name" in post
    ]
    return Form(fields, rows, ranks, post.get("copy", ""))


def document_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """The document the form says, over what ``base`` says of things the form does not show.

    *Refuses:* ``plan_invalid`` listing every field that cannot be read.
    """
    errors: list[Refusal] = []
    out: dict[str, Any] = deepcopy(dict(base))
    for name, (path, kind) in FIELDS.items():
        _put(out, path, _read(form.fields.get(name, ""), kind, name, errors))
    out["rewards"] = [r for i, row in enumerate(form.rows) if (r := _reward(i, row, errors)) is not None]
    ranks = _ranks(form, errors)
    texts = [line.strip() for line in form.copy.splitlines() if line.strip()]
    _put(out, "copy.texts", texts or None)
    if ranks:
        out["ranks"] = ranks
    else:
        out.pop("ranks", None)
    if errors:
        raise Refusal("plan_invalid", _("计划里有需要修改的地方。"), field="plan", errors=errors)
    out.setdefault("currency", settings.CURRENCY)
    return out


def _read(text: str, kind: str, name: str, errors: list[Refusal]) -> Any:
    if kind == "money":
        return forms.amount(text, name, errors)
    if kind == "percent":
        return forms.percent(text, name, errors)
    if kind == "whole":
        return forms.whole(text, name, errors)
    return text or None


def _put(out: dict[str, Any], path: str, value: Any) -> None:
    """Write one value; an empty one takes the key away, and a section left empty goes with it."""
    head, _dot, last = path.rpartition(".")
    part = out.setdefault(head, {}) if head else out
    if value is None:
        part.pop(last, None)
    else:
        part[last] = value
    if head and not out[head]:
        del out[head]


def _reward(i: int, row: Mapping[str, str], errors: list[Refusal]) -> dict[str, Any] | None:
    if not row["rate"] and not row["amount"] and not row["key"]:
        return None
    rate = forms.percent(row["rate"], f"rewards[{i}].rate_bp", errors)
    amount = forms.amount(row["amount"], f"rewards[{i}].amount_minor", errors)
    depth = forms.whole(row["depth"], f"rewards[{i}].depth", errors, most=99)
    if row["scope"] != "all" and not row["key"]:
        errors.append(
            invalid("key_missing", _("请写是哪一个。"), field=f"rewards[{i}].key", fix=_("分类写网址名，商品写网址名，SKU 写编码。"))
        )  # fmt: skip
    out: dict[str, Any] = {
        "trigger": row["trigger"] or "retail_sale",
        "depth": depth or 1,
        "base": row["base"] or "paid_net",
    }
    if rate is not None:
        out["rate_bp"] = rate
    if amount:
        out["amount_minor"] = amount
    if row["scope"] in SCOPES[1:]:
        out[row["scope"]] = row["key"]
    if row["kind"] not in ("", "commission"):
        out["kind"] = row["kind"]
    if row["spend"]:
        out["withdrawable"] = False
    return out


def _ranks(form: Form, errors: list[Refusal]) -> list[dict[str, Any]]:
    """Rows of the same name are one rank with several criteria."""
    ranks: dict[str, dict[str, Any]] = {}
    for i, row in enumerate(form.ranks):
        if not row["name"]:
            continue
        fee = forms.amount(row["fee"], f"ranks[{i}].fee", errors)
        least = forms.whole(row["least"], f"ranks[{i}].at_least", errors)
        rank = ranks.setdefault(row["name"], {"name": row["name"]})
        if fee:
            rank["fee"] = fee
        if row["metric"]:
            rank.setdefault("criteria", []).append({"metric": row["metric"], "at_least": least or 0})
    return list(ranks.values())


def matched(refusal: Refusal, form: Form) -> Refusal:
    """The plan's faults with the form's own names and row numbers; its document has no empty rows."""
    used = [i for i, r in enumerate(form.rows) if r["rate"] or r["amount"] or r["key"]]
    for error in refusal.errors:
        head, dot, tail = error.field.partition("].")
        row = whole(head[8:]) if dot and head.startswith("rewards[") else None
        if row is not None and row < len(used):
            error.field = f"rewards[{used[row]}].{tail}"
        elif "." in error.field:
            error.field = error.field.replace(".", "-")
    return refusal
