"""The engine: a plan's document in, findings out. Pure: no clock, no database, no Django.

It reads the plain document, not the parsed plan, so that a key nobody knows is seen and refused.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tongzhou.compliance.values import Finding, Profile, Severity
from tongzhou.compliance.vocabulary import (
    COPY_CLAIMS,
    COPY_TERMS,
    HEADCOUNT_TRIGGERS,
    KEYS,
    KNOWN_BASES,
    KNOWN_KINDS,
    KNOWN_METRICS,
    KNOWN_TRIGGERS,
    RANK_METRICS,
    TEAM_BASES,
    TEAM_KINDS,
    TEAM_TRIGGERS,
)

BP = 10_000
Doc = Mapping[str, Any]


class _Check:
    """One run: collects findings under the profile's own rule ids."""

    def __init__(self, doc: Doc, profile: Profile, channels: Sequence[str], previous: Doc | None) -> None:
        self.doc, self.profile, self.channels, self.previous = doc, profile, channels, previous
        self.found: list[Finding] = []

    def say(self, rule_id: str, path: str, seen: object, severity: Severity | None = None) -> None:
        """Add a finding if this profile has the rule."""
        rule = self.profile.rules.get(rule_id)
        if rule is None:
            return
        self.found.append(
            Finding(
                rule.id, severity or rule.severity, path, str(seen)[:200], rule.message, rule.message_en,
                rule.citation, rule.citation_en, rule.fix, rule.fix_en,
            )
        )  # fmt: skip

    def own(self, suffix: str, path: str, seen: object, severity: Severity | None = None) -> None:
        """Add a finding by the profile's own prefix: CN-DEPTH, US-DEPTH …"""
        self.say(f"{self.profile.code}-{suffix}", path, seen, severity)


def check_document(
    document: Doc, profile: Profile, *, channels: Sequence[str] = (), previous: Doc | None = None
) -> tuple[Finding, ...]:
    """Every rule of the profile against the document of a plan.

    ``channels`` names where it will be used (``wechat`` adds WX rules); ``previous`` is the document
    in force, for what changes to members' detriment. Findings come in the order of the file.
    """
    run = _Check(document, profile, channels, previous)
    for step in _STEPS:
        step(run)
    return tuple(run.found)


def forced_profile(currency: str, rails: Iterable[str]) -> str:
    """CN for a mall that takes or pays yuan through WeChat or Alipay, whatever else it says of itself; else empty."""
    local = any(name.startswith(("wechat", "alipay")) for name in rails)
    return "CN" if currency == "CNY" and local else ""


def _num(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _part(doc: Doc, name: str) -> Doc:
    value = doc.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(doc: Doc, name: str) -> list[Doc]:
    value = doc.get(name)
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _rewards(doc: Doc) -> Iterator[tuple[str, Doc]]:
    for i, rule in enumerate(_list(doc, "rewards")):
        yield f"rewards[{i}]", rule


def _unknown(run: _Check) -> None:
    """Fail closed: any key, table, trigger, base, kind or metric not in the vocabulary."""
    for path, value in _strange(run.doc, KEYS, ""):
        run.own("UNKNOWN", path, value)
    if run.doc.get("profile", run.profile.code) != run.profile.code:
        run.own("UNKNOWN", "profile", run.doc.get("profile"))
    for path, rule in _rewards(run.doc):
        for key, known in (("trigger", KNOWN_TRIGGERS), ("base", KNOWN_BASES), ("kind", KNOWN_KINDS)):
            if key in rule and rule[key] not in known:
                run.own("UNKNOWN", f"{path}.{key}", rule[key])
        depth = rule.get("depth", 1)
        if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:
            run.own("UNKNOWN", f"{path}.depth", depth)
    for i, rank in enumerate(_list(run.doc, "ranks")):
        for j, criterion in enumerate(_list(rank, "criteria")):
            if criterion.get("metric") not in KNOWN_METRICS:
                run.own("UNKNOWN", f"ranks[{i}].criteria[{j}].metric", criterion.get("metric"))


def _strange(value: object, shape: object, path: str) -> Iterator[tuple[str, object]]:
    """Keys and shapes that the vocabulary does not have."""
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            yield path, value
            return
        for key, inner in value.items():
            here = f"{path}.{key}" if path else str(key)
            if key not in shape:
                yield here, inner
            else:
                yield from _strange(inner, shape[key], here)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield path, value
            return
        for i, inner in enumerate(value):
            yield from _strange(inner, shape[0], f"{path}[{i}]")
    elif isinstance(shape, tuple):
        if (isinstance(value, bool) and bool not in shape) or not isinstance(value, shape):
            yield path, value


def _fees(run: _Check) -> None:
    join = _part(run.doc, "join")
    paid = [
        (f"join.{k}", join[k]) for k in ("fee", "deposit", "training_fee", "required_purchase") if _num(join.get(k))
    ]
    paid += [(f"ranks[{i}].fee", r["fee"]) for i, r in enumerate(_list(run.doc, "ranks")) if _num(r.get("fee"))]
    for path, seen in paid:
        run.own("FEE", path, seen)
        if run.profile.code == "IN":
            run.say("IN-DS", path, seen)
    if paid and run.profile.code == "US" and any(_unrelated(rule) for _p, rule in _rewards(run.doc)):
        run.say("US-KOSCOT", paid[0][0], paid[0][1])
    if paid and run.profile.code == "EU" and any(_introduces(rule) for _p, rule in _rewards(run.doc)):
        run.say("EU-14", paid[0][0], paid[0][1])
    keep = _num(_part(run.doc, "keep_active").get("min_purchase"))
    if keep:
        run.own("QUOTA", "keep_active.min_purchase", keep)


def _introduces(rule: Doc) -> bool:
    return rule.get("trigger", "retail_sale") in HEADCOUNT_TRIGGERS or _num(rule.get("depth", 1)) > 1


def _unrelated(rule: Doc) -> bool:
    return bool(rule.get("trigger", "retail_sale") != "retail_sale")


def _headcount(run: _Check) -> None:
    for path, rule in _rewards(run.doc):
        if rule.get("trigger", "retail_sale") not in HEADCOUNT_TRIGGERS:
            continue
        mild = (
            rule.get("withdrawable", True) is False
            and _num(rule.get("depth", 1)) == 1
            and _num(rule.get("amount_minor")) > 0
            and not _rank_reads_people(run.doc)
        )
        run.own("HEAD-1" if mild else "HEAD", f"{path}.trigger", rule.get("trigger"))
        if run.profile.code == "IN":
            run.say("IN-DS", f"{path}.trigger", rule.get("trigger"))
        if run.profile.code == "EU" and not mild:
            run.say("EU-14", f"{path}.trigger", rule.get("trigger"))


def _rank_reads_people(doc: Doc) -> bool:
    return any(c.get("metric") in RANK_METRICS for r in _list(doc, "ranks") for c in _list(r, "criteria"))


def _depth(run: _Check) -> None:
    for path, rule in _rewards(run.doc):
        depth = _num(rule.get("depth", 1))
        if depth > run.profile.max_depth:
            run.own("DEPTH", f"{path}.depth", depth, run.profile.deeper)
        elif depth > 1:
            run.own("DEPTH", f"{path}.depth", depth)


def _team(run: _Check) -> None:
    for path, rule in _rewards(run.doc):
        for key, bad in (("trigger", TEAM_TRIGGERS), ("base", TEAM_BASES), ("kind", TEAM_KINDS)):
            if rule.get(key) in bad:
                run.own("TEAM", f"{path}.{key}", rule[key])
                if run.profile.code == "US":
                    run.say("US-51", f"{path}.{key}", rule[key])


def _ranks(run: _Check) -> None:
    for i, rank in enumerate(_list(run.doc, "ranks")):
        for j, criterion in enumerate(_list(rank, "criteria")):
            if criterion.get("metric") in RANK_METRICS:
                run.own("RANK", f"ranks[{i}].criteria[{j}].metric", criterion.get("metric"))


def _units(run: _Check) -> None:
    units = _part(run.doc, "units")
    for key in ("purchasable", "transferable", "buy_back"):
        if units.get(key):
            run.own("UNIT", f"units.{key}", units[key])
    if _num(units.get("promised_return_bp")):
        run.own("UNIT", "units.promised_return_bp", units["promised_return_bp"])


def _promised(run: _Check) -> tuple[int, int]:
    """The heaviest promise over one sale in basis points of price, and of margin, over all depths together."""
    deepest: dict[int, int] = {}
    of_margin: dict[int, int] = {}
    for _path, rule in _rewards(run.doc):
        depth, rate = _num(rule.get("depth", 1)), _num(rule.get("rate_bp"))
        into = of_margin if rule.get("base") == "margin" else deepest
        into[depth] = max(into.get(depth, 0), rate)
    return sum(deepest.values()), sum(of_margin.values())


def _payout(run: _Check) -> None:
    price_bp, margin_bp = _promised(run)
    if price_bp > 3000 or any(
        _num(r.get("rate_bp")) > 3000 and r.get("base") != "margin" for _p, r in _rewards(run.doc)
    ):
        run.own("CAP30", "rewards", f"{price_bp} bp")
    margin = _num(_part(run.doc, "assumptions").get("margin_bp"))
    if price_bp and not margin and not _num(_part(run.doc, "caps").get("payout_to_margin_bp")):
        run.own("COST", "assumptions.margin_bp", 0)
    share = margin_bp + (price_bp * BP // margin if margin else 0)
    if share > BP:
        run.own("PAYOUT", "rewards", f"{share} bp / margin", Severity.BLOCK)
    elif share > BP // 2:
        run.own("PAYOUT", "rewards", f"{share} bp / margin", Severity.REVIEW)


def _self(run: _Check) -> None:
    for path, rule in _rewards(run.doc):
        if rule.get("trigger") == "self_purchase":
            run.own("SELF", f"{path}.trigger", rule["trigger"])


def _settle(run: _Check) -> None:
    days = run.doc.get("settle_days", 15)
    if _num(days) < run.profile.min_settle_days:
        run.own("SETTLE", "settle_days", days)


def _copy(run: _Check) -> None:
    texts = _part(run.doc, "copy").get("texts", [])
    for i, text in enumerate(texts if isinstance(texts, list) else []):
        for found in copy_terms(str(text)):
            run.own("COPY", f"copy.texts[{i}]", found)
            run.say("US-EARN", f"copy.texts[{i}]", found)


def copy_terms(text: str) -> list[str]:
    """The forbidden terms and income claims in a published text; empty when it is clean (CN-COPY)."""
    folded = "".join(text.split()).lower()
    found = [term for term in COPY_TERMS if term in folded]
    found += [match.group(0) for pattern in COPY_CLAIMS for match in [pattern.search(folded)] if match]
    return found


def _notice(run: _Check) -> None:
    if run.previous is None or not worsens(run.previous, run.doc):
        return
    dates = _part(run.doc, "dates")
    published, effective = moment(dates.get("published_at")), moment(dates.get("effective_at"))
    if published is None or effective is None or effective < published + timedelta(days=run.profile.notice_days):
        run.own("NOTICE", "dates.effective_at", dates.get("effective_at") or "—")


def moment(value: object) -> datetime | None:
    """A date or time of the document as a moment; None when empty or unreadable."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.min, tzinfo=UTC)
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def worsens(before: Doc, after: Doc) -> bool:
    """True when anything a member could count on gets less: rates, amounts, windows, ceilings, the member price."""
    old = {_key(rule): rule for _p, rule in _rewards(before)}
    new = {_key(rule): rule for _p, rule in _rewards(after)}
    for key, rule in old.items():
        now = new.get(key, {})
        if any(_num(now.get(k)) < _num(rule.get(k)) for k in ("rate_bp", "amount_minor")):
            return True
        if rule.get("withdrawable", True) and not now.get("withdrawable", True):
            return True
        if rule.get("base", "paid_net") != now.get("base", "paid_net"):
            return True
    less = (("lock_days", 30), ("attribution.window_days", 7), ("attribution.protection_days", 0),
            ("member_price.discount_bp", 0))  # fmt: skip
    if any(_deep(after, k, d) < _deep(before, k, d) for k, d in less):
        return True
    if _deep(after, "settle_days", 15) > _deep(before, "settle_days", 15):
        return True
    if _part(before, "attribution").get("model", "last_touch") != _part(after, "attribution").get(
        "model", "last_touch"
    ):
        return True
    for cap in ("per_order_minor", "per_month_minor", "payout_to_margin_bp"):
        was, now_cap = _deep(before, f"caps.{cap}", 0), _deep(after, f"caps.{cap}", 0)
        if now_cap and (not was or now_cap < was):
            return True
    return False


def _key(rule: Doc) -> tuple[object, ...]:
    return tuple(rule.get(k, d) for k, d in (("trigger", "retail_sale"), ("depth", 1), ("category", ""), ("product", ""),
                                             ("sku", ""), ("campaign", "")))  # fmt: skip


def _deep(doc: Doc, path: str, default: int) -> int:
    head, _, tail = path.partition(".")
    value = _part(doc, head).get(tail, default) if tail else doc.get(head, default)
    return _num(value)


def _wechat(run: _Check) -> None:
    if "wechat" not in run.channels:
        return
    bad = {"CN-FEE", "CN-HEAD", "CN-DEPTH", "CN-TEAM", "CN-RANK"}
    for finding in list(run.found):
        if finding.id in bad:
            run.say("WX-DIST", finding.path, finding.seen)
    if _part(run.doc, "features").get("unlocked_by_sharing"):
        run.say("WX-SHARE", "features.unlocked_by_sharing", _part(run.doc, "features")["unlocked_by_sharing"])


_STEPS: tuple[Callable[[_Check], None], ...] = (
    _unknown, _fees, _headcount, _depth, _team, _ranks, _units, _payout, _self, _settle, _copy, _notice, _wechat,
)  # fmt: skip
