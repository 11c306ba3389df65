"""Scores, groups and circles: no database."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongzhou.risk import policy, rules
from tongzhou.risk.values import Evidence, Kind

P = {key: s.default for key, s in policy.defaults().items()}
A, B, C, D, E, F = (UUID(int=n) for n in range(1, 7))


@pytest.mark.parametrize(
    ("evidence", "points", "outcome", "codes"),
    [
        (Evidence(), 0, "pay", []),
        (Evidence(shared=frozenset({Kind.DEVICE})), 100, "refuse", ["same_device"]),
        (Evidence(shared=frozenset({Kind.ACCOUNT})), 100, "refuse", ["same_account"]),
        (Evidence(shared=frozenset({Kind.PHONE})), 100, "refuse", ["same_phone"]),
        (Evidence(shared=frozenset({Kind.OPENID})), 100, "refuse", ["same_openid"]),
        (Evidence(shared=frozenset({Kind.PAYEE})), 100, "refuse", ["same_payee"]),
        (Evidence(shared=frozenset({Kind.ADDRESS, Kind.IP})), 30, "pay", ["same_address", "same_ip"]),
        (
            Evidence(shared=frozenset({Kind.ADDRESS, Kind.IP, Kind.CONTACT})), 45, "delay",
            ["same_address", "same_contact", "same_ip"],
        ),
        (Evidence(linked=True), 50, "delay", ["linked"]),
        (Evidence(instrument_accounts=4), 0, "pay", []),
        (Evidence(instrument_accounts=5), 70, "review", ["instrument"]),
        (Evidence(device_accounts=3), 0, "pay", []),
        (Evidence(device_accounts=4), 70, "review", ["farm"]),
        (Evidence(ring=(A, B)), 15, "pay", ["pair"]),
        (Evidence(ring=(A, B, C)), 70, "review", ["ring"]),
        (Evidence(invited_that_day=19), 0, "pay", []),
        (Evidence(invited_that_day=20), 45, "delay", ["burst_day"]),
        (Evidence(invited_that_day=20, invited_one_ip=10), 75, "review", ["burst_day", "burst_ip"]),
        (Evidence(returned=2, bought=2), 0, "pay", []),
        (Evidence(returned=3, bought=10), 0, "pay", []),
        (Evidence(returned=4, bought=10), 40, "delay", ["returns"]),
        (Evidence(returned=4, bought=10, median_bp=1400), 0, "pay", []),
        (Evidence(late_refunds=2), 70, "review", ["late_refunds"]),
        (Evidence(rate_raised=True), 40, "delay", ["rate_raised"]),
        (Evidence(rebound=True), 30, "pay", ["rebound"]),
        (Evidence(rebound=True, insider=True), 100, "review", ["rebound", "insider"]),
    ],
)  # fmt: skip
def test_what_each_finding_scores_and_leads_to(evidence, points, outcome, codes):
    found = rules.score(evidence, P)
    assert (found.points, found.outcome, [r.code for r in found.reasons]) == (points, outcome, codes)


def test_settings_decide_what_follows():
    twins = Evidence(shared=frozenset({Kind.DEVICE}))
    assert rules.score(twins, {**P, "self_referral_refuses": 0}).outcome == "review"
    assert rules.score(Evidence(device_accounts=4), {**P, "device_accounts": 4}).outcome == "pay"
    assert rules.score(Evidence(rebound=True), {**P, "rebind_points": 0}).reasons == ()


@given(
    st.builds(
        Evidence,
        shared=st.frozensets(st.sampled_from(list(Kind))),
        linked=st.booleans(),
        instrument_accounts=st.integers(0, 50),
        device_accounts=st.integers(0, 50),
        invited_that_day=st.integers(0, 200),
        invited_one_ip=st.integers(0, 200),
        returned=st.integers(0, 20),
        bought=st.integers(0, 20),
        late_refunds=st.integers(0, 5),
        insider=st.booleans(),
    )
)
def test_a_score_is_explained_by_its_reasons_and_nothing_else(evidence):
    found = rules.score(evidence, P)
    assert found.points == min(100, sum(r.points for r in found.reasons))
    assert (found.outcome == "pay") == (found.points < P["pay_below"])


def test_circles_close_only_where_everybody_mostly_buys_through_the_next():
    six = {A: B, B: C, C: D, D: E, E: F, F: A}
    assert rules.circle(A, B, six, 6) == (A, B, C, D, E, F)
    assert rules.circle(A, B, six, 5) == (), "longer than looked for"
    assert rules.circle(A, C, six, 6) == (), "not the step that closes it"
    assert rules.circle(A, B, {**six, E: C}, 6) == (), "a circle further on is not this buyer's"
    assert rules.circle(A, B, {A: B, B: A}, 6) == (A, B)
    assert rules.circle(A, A, {A: A}, 6) == ()


def test_mostly_through_needs_both_orders_and_share():
    assert rules.mostly_through({A: (3, 600), B: (9, 400)}, least_orders=3, least_pct=50) == A
    assert rules.mostly_through({A: (2, 900), B: (3, 100)}, least_orders=3, least_pct=50) is None
    assert rules.mostly_through({A: (3, 499), B: (3, 501)}, least_orders=3, least_pct=60) is None
    assert rules.mostly_through({}, least_orders=1, least_pct=1) is None


def test_groups_join_along_chains_and_do_not_depend_on_order():
    pairs = [(A, "d1"), (B, "d1"), (B, "p1"), (C, "p1"), (D, "d2")]
    joined = rules.groups(pairs)
    assert joined[A] == joined[B] == joined[C] == A and joined[D] == D
    assert rules.groups(reversed(pairs)) == joined


def test_values_have_one_spelling_and_say_nothing_where_they_say_nothing():
    assert rules.normal(Kind.ADDRESS, "330106｜竞舟路 98 号,3幢") == rules.normal(Kind.ADDRESS, "330106竞舟路98号3幢")
    assert rules.normal(Kind.CONTACT, "+86 139-0000-0672") == "13900000672"
    assert rules.normal(Kind.IP, "127.0.0.1") == rules.normal(Kind.IP, "10.0.0.8") == rules.normal(Kind.IP, "x") == ""
    assert rules.normal(Kind.IP, "2001:db9:1:2::9") == rules.normal(Kind.IP, "2001:db9:1:2:ffff::1")
    assert rules.normal(Kind.IP, "93.184.216.34") == "93.184.216.34"


def test_the_median_of_nothing_is_nothing():
    assert rules.median_bp([]) == 0 and rules.median_bp([0, 0, 5000]) == 0 and rules.median_bp([9, 1, 4]) == 4


def test_every_setting_has_its_meaning_beside_it_and_a_default_within_its_bounds():
    assert len(policy.defaults()) >= 40
    for s in policy.defaults().values():
        assert s.low <= s.default <= s.high and s.zh.endswith("。") and s.en.endswith("."), s.key
