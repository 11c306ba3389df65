"""Each rule of the CN table refuses what it should and lets the lawful shape pass."""

import copy
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongzhou.compliance import profiles
from tongzhou.compliance.live import LiveFigures, check_live, layers
from tongzhou.compliance.rules import check_document, forced_profile, worsens
from tongzhou.compliance.values import Weight, verdict

CASES = Path(__file__).parent / "cases"
CN = profiles.load("CN")


def case(name: str) -> dict:
    return tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))


def lawful(**changes):
    document = copy.deepcopy(case("lawful"))
    for path, value in changes.items():
        target = document
        *heads, last = path.split("__")
        for head in heads:
            target = target.setdefault(head, {})
        target[last] = value
    return document


def ids(document, profile=CN, **more):
    return {f.id for f in check_document(document, profile, **more)}


def test_the_lawful_shape_passes():
    findings = check_document(case("lawful"), CN, channels=("wechat",))
    assert verdict(findings) == "PASS", findings


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("yearly-fee", {"CN-FEE", "CN-HEAD", "CN-TEAM", "CN-RANK"}),
        ("eight-levels", {"CN-DEPTH", "CN-PAYOUT"}),
        ("gift-pack", {"CN-FEE", "CN-HEAD", "CN-DEPTH"}),
        ("two-levels", {"CN-DEPTH", "CN-TEAM", "CN-RANK"}),
        ("fifty-one-levels", {"CN-DEPTH", "CN-FEE"}),
    ],
)
def test_named_cases_are_blocked(name, wanted):
    findings = check_document(case(name), CN, channels=("wechat",))
    assert verdict(findings) == "BLOCK"
    assert wanted <= {f.id for f in findings}
    assert all(f.citation and f.fix and f.path for f in findings)


REWARD = {"trigger": "retail_sale", "depth": 1, "base": "paid_net", "rate_bp": 1000}
UNLAWFUL = [
    ("CN-FEE", {"join__fee": 1}),
    ("CN-FEE", {"join__deposit": 1}),
    ("CN-FEE", {"join__training_fee": 1}),
    ("CN-FEE", {"join__required_purchase": 1}),
    ("CN-FEE", {"ranks": [{"name": "x", "fee": 1}]}),
    ("CN-HEAD", {"rewards": [{**REWARD, "trigger": "signup"}]}),
    ("CN-HEAD", {"rewards": [{**REWARD, "trigger": "invite"}]}),
    ("CN-HEAD", {"rewards": [{**REWARD, "trigger": "headcount"}]}),
    ("CN-HEAD", {"rewards": [{**REWARD, "trigger": "upgrade"}]}),
    ("CN-HEAD", {"rewards": [{"trigger": "invite", "depth": 2, "amount_minor": 100, "withdrawable": False}]}),
    ("CN-DEPTH", {"rewards": [REWARD, {**REWARD, "depth": 2}]}),
    ("CN-TEAM", {"rewards": [{**REWARD, "trigger": "team_sales"}]}),
    ("CN-TEAM", {"rewards": [{**REWARD, "base": "downline_commission"}]}),
    *[
        ("CN-TEAM", {"rewards": [{**REWARD, "kind": k}]})
        for k in ("级差", "平级", "培育", "领导", "见点", "对碰", "层碰")
    ],
    *[
        ("CN-RANK", {"ranks": [{"name": "x", "criteria": [{"metric": m, "at_least": 1}]}]})
        for m in ("recruits", "team_size", "team_sales", "own_spend")
    ],
    ("CN-QUOTA", {"keep_active__min_purchase": 1}),
    ("CN-UNIT", {"units__purchasable": True}),
    ("CN-UNIT", {"units__transferable": True}),
    ("CN-UNIT", {"units__promised_return_bp": 800}),
    ("CN-SETTLE", {"settle_days": 6}),
    ("CN-UNKNOWN", {"bonus": 1}),
    ("CN-UNKNOWN", {"join__gift": 1}),
    ("CN-UNKNOWN", {"rewards": [{**REWARD, "trigger": "moon"}]}),
    ("CN-UNKNOWN", {"rewards": [{**REWARD, "base": "moon"}]}),
    ("CN-UNKNOWN", {"rewards": [{**REWARD, "kind": "moon"}]}),
    ("CN-UNKNOWN", {"rewards": [{**REWARD, "depth": 0}]}),
    ("CN-UNKNOWN", {"ranks": [{"name": "x", "criteria": [{"metric": "moon"}]}]}),
    ("CN-PAYOUT", {"rewards": [{**REWARD, "base": "margin", "rate_bp": 10001}]}),
]


@pytest.mark.parametrize(("rule", "change"), UNLAWFUL)
def test_unlawful_shapes_are_blocked(rule, change):
    findings = check_document(lawful(**change), CN)
    assert [f for f in findings if f.id == rule and f.severity == "BLOCK"], findings


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (
            "CN-HEAD-1",
            {"rewards": [REWARD, {"trigger": "invite", "amount_minor": 500, "withdrawable": False, "kind": "coupon"}]},
        ),
        ("CN-CAP30", {"rewards": [{**REWARD, "rate_bp": 3001}]}),
        ("CN-PAYOUT", {"rewards": [{**REWARD, "base": "margin", "rate_bp": 5001}]}),
        ("CN-SELF", {"rewards": [REWARD, {**REWARD, "trigger": "self_purchase"}]}),
        ("CN-COPY", {"copy": {"texts": ["加入就能躺赚"]}}),
        ("CN-COPY", {"copy": {"texts": ["每月赚3000元不是梦"]}}),
    ],
)
def test_reviews_ask_for_a_signature(rule, change):
    findings = check_document(lawful(**change), CN)
    assert [f for f in findings if f.id == rule and f.severity == "REVIEW"], findings
    assert verdict(findings) == "REVIEW"


def test_unknown_cost_warns():
    document = lawful()
    del document["caps"], document["assumptions"]
    findings = check_document(document, CN)
    assert [f.id for f in findings] == ["CN-COST"] and verdict(findings) == "WARN"


def test_a_cut_needs_seven_days_notice_and_a_raise_none():
    before = lawful()
    cut = lawful(rewards=[{**REWARD, "rate_bp": 900}])
    assert "CN-NOTICE" in ids(cut, previous=before)
    cut["dates"] = {"published_at": "2026-07-01T00:00:00+08:00", "effective_at": "2026-07-08T00:00:00+08:00"}
    assert "CN-NOTICE" not in ids(cut, previous=before)
    cut["dates"]["effective_at"] = "2026-07-07T23:59:59+08:00"
    assert "CN-NOTICE" in ids(cut, previous=before)
    assert "CN-NOTICE" not in ids(lawful(rewards=[{**REWARD, "rate_bp": 1100}]), previous=before)
    assert "CN-NOTICE" not in ids(cut)


def test_longer_settlement_or_a_new_ceiling_is_worse():
    assert worsens(lawful(), lawful(settle_days=16))
    assert worsens(lawful(), lawful(caps={"per_order_minor": 100, "payout_to_margin_bp": 5000}))
    assert worsens(lawful(), lawful(member_price={"discount_bp": 400}))
    assert not worsens(lawful(), lawful())


def test_wechat_channels_add_their_own_finding():
    assert "WX-DIST" in ids(lawful(join__fee=1), channels=("wechat",))
    assert "WX-SHARE" in ids(lawful(features={"unlocked_by_sharing": ["coupon"]}), channels=("wechat",))
    assert "WX-DIST" not in ids(lawful(join__fee=1))


def test_two_levels_need_a_signature_in_the_us_and_three_are_blocked():
    us = profiles.load("US")
    two = lawful(profile="US", rewards=[REWARD, {**REWARD, "depth": 2}])
    assert [f.severity for f in check_document(two, us) if f.id == "US-DEPTH"] == ["REVIEW"]
    three = lawful(profile="US", rewards=[REWARD, {**REWARD, "depth": 3}])
    assert [f.severity for f in check_document(three, us) if f.id == "US-DEPTH"] == ["BLOCK"]


@given(st.sampled_from(UNLAWFUL), st.sampled_from(UNLAWFUL))
def test_adding_something_forbidden_never_lowers_the_verdict(one, two):
    alone = verdict(check_document(lawful(**one[1]), CN))
    both = verdict(check_document(lawful(**{**two[1], **one[1]}), CN))
    assert Weight[both] >= Weight[alone]


@given(st.text(min_size=1, max_size=12), st.integers() | st.text(max_size=5) | st.booleans())
def test_any_unknown_key_blocks(key, value):
    document = lawful()
    if key in document:
        return
    document[key] = value
    known = {"units", "ranks", "keep_active", "copy", "features", "dates", "join"}
    if key not in known:
        assert verdict(check_document(document, CN)) == "BLOCK"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=6),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["code", "rewards", "join", "fee", "depth", "ranks", "criteria", "copy", "texts",
                                         "dates", "caps", "units"]), inner, max_size=4), max_leaves=12))  # fmt: skip
def test_no_document_breaks_the_engine(document):
    if isinstance(document, dict):
        check_document(document, CN, channels=("wechat",), previous=lawful())


def test_the_criminal_threshold_is_seen_in_the_live_graph():
    tree = tuple((f"m{i}", f"m{(i - 1) // 3}") for i in range(1, 31))
    assert [f.id for f in check_live(LiveFigures(edges=tree, has_fee=True), CN)] == ["CN-CRIM"]
    assert check_live(LiveFigures(edges=tree), CN) == ()
    flat = tuple((f"m{i}", "m0") for i in range(1, 60))
    assert check_live(LiveFigures(edges=flat, has_fee=True), CN) == ()


@pytest.mark.parametrize(
    ("code", "wanted", "change"),
    [
        (
            "US",
            "US-KOSCOT",
            {"join": {"fee": 36500}, "rewards": [REWARD, {"trigger": "headcount", "amount_minor": 100}]},
        ),
        (
            "US",
            "US-KOSCOT",
            {"join": {"required_purchase": 39900}, "rewards": [{"trigger": "gift_pack", "rate_bp": 2500}]},
        ),
        ("US", "US-EARN", {"copy": {"texts": ["Passive income for everyone"]}}),
        ("US", "US-51", {"rewards": [{**REWARD, "base": "team_sales"}]}),
        ("EU", "EU-14", {"join": {"fee": 100}, "rewards": [{"trigger": "signup", "amount_minor": 100}]}),
        ("EU", "EU-SETTLE", {"settle_days": 13}),
        ("IN", "IN-DS", {"join": {"deposit": 100}}),
        ("IN", "IN-DS", {"rewards": [{"trigger": "invite", "amount_minor": 100}]}),
    ],
)
def test_other_jurisdictions_have_their_own_lines(code, wanted, change):
    law = profiles.load(code)
    assert not [f for f in check_document(lawful(profile=code), law) if f.severity != "WARN"]
    found = {f.id: f for f in check_document(lawful(profile=code, **change), law)}
    assert wanted in found and found[wanted].severity == ("REVIEW" if wanted == "US-EARN" else "BLOCK")
    assert found[wanted].citation_en


@pytest.mark.parametrize(("code", "deep"), [("CN", 1), ("US", 2), ("EU", 2), ("IN", 2)])
def test_every_profile_is_dated_and_says_how_deep(code, deep):
    law = profiles.load(code)
    assert law.max_depth == deep and date.fromisoformat(law.valid_from) <= date(2026, 11, 1)
    assert check_live(LiveFigures(payout_beyond_depth_1_minor=1), law) == () or code == "CN"


def test_us_monitors_stop_at_half_and_at_eighty():
    us = profiles.load("US")
    assert [f.id for f in check_live(LiveFigures(retail_minor=49, participant_minor=51), us)] == ["US-51", "US-80"]
    assert [f.id for f in check_live(LiveFigures(retail_minor=79, participant_minor=21), us)] == ["US-80"]
    assert not check_live(LiveFigures(retail_minor=80, participant_minor=20), us)


def test_yuan_through_wechat_or_alipay_is_chinas():
    assert forced_profile("CNY", ["sandbox", "wechat_transfer"]) == "CN" == forced_profile("CNY", ["alipay"])
    assert forced_profile("CNY", ["sandbox", "bank_csv"]) == "" == forced_profile("USD", ["wechat"])


def test_a_large_flat_group_hides_no_deep_one():
    tree = [(f"m{i}", f"m{(i - 1) // 3}") for i in range(1, 31)]
    flat = [(f"n{i}", "n0") for i in range(1, 200)]
    assert layers(tree + flat) == (31, 4) == layers(flat + tree) and layers(flat) == (200, 2)
    assert layers([("a", "b"), ("b", "a"), ("c", "a")]) == (3, 3), "a loop ends where it would repeat"
