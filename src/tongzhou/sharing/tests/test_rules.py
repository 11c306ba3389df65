"""Who earns from an order: deterministic, in the window, the same in whatever order candidates come."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tongzhou.plans.values import Attribution, AttributionModel
from tongzhou.sharing.rules import choose
from tongzhou.sharing.values import Candidate

AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
BUYER, *OTHERS = [UUID(int=n) for n in range(1, 6)]
DAY = timedelta(days=1)

touches = st.builds(
    lambda sharer, hours, n: Candidate("link", sharer, AT - timedelta(hours=hours), UUID(int=1000 + n)),
    st.sampled_from([BUYER, *OTHERS]), st.integers(-30, 400), st.integers(0, 10_000),
)  # fmt: skip
others = st.builds(
    lambda kind, sharer, hours: Candidate(kind, sharer, AT - timedelta(hours=hours)),
    st.sampled_from(["code", "binding"]), st.sampled_from([BUYER, *OTHERS]), st.integers(0, 2000),
)  # fmt: skip
policies = st.builds(Attribution, st.sampled_from(list(AttributionModel)), st.integers(1, 15), st.integers(0, 90))
many = st.lists(touches | others, max_size=12, unique_by=lambda c: (c.kind, c.at, c.touch_id, c.sharer_id))


@settings(deadline=None)  # a loaded machine is not a wrong answer
@given(many, policies, st.randoms(use_true_random=False))
def test_one_winner_whatever_the_order_and_a_reason_for_everybody(candidates, policy, random):
    choice = choose(candidates, policy, order_at=AT, buyer_id=BUYER)
    mixed = random.sample(candidates, len(candidates))
    assert choose(mixed, policy, order_at=AT, buyer_id=BUYER) == choice
    named = [c for c, _ in choice.losers] + ([choice.winner] if choice.winner else [])
    assert len(named) == len(candidates) and set(named) == set(candidates)
    assert choice.reason and all(why for _, why in choice.losers)


@settings(deadline=None)
@given(many, policies)
def test_the_winner_is_another_in_the_window_and_before_the_order(candidates, policy):
    won = choose(candidates, policy, order_at=AT, buyer_id=BUYER).winner
    if won is None:
        return
    assert won.sharer_id != BUYER and won.at <= AT
    if won.kind == "link":
        assert AT - won.at <= policy.window_days * DAY
    assert won.kind != "binding" or policy.model == AttributionModel.BINDING_FIRST
    if any(c.kind == "code" and c.sharer_id != BUYER for c in candidates):
        assert won.kind == "code"


def said(model, *candidates, protection=0):
    policy = Attribution(model, 7, protection)
    choice = choose(candidates, policy, order_at=AT, buyer_id=BUYER)
    return choice.winner and choice.winner.sharer_id, choice.reason


def test_the_three_models_differ_as_they_say():
    early, late = Candidate("link", OTHERS[0], AT - 3 * DAY), Candidate("link", OTHERS[1], AT - DAY)
    bound = Candidate("binding", OTHERS[2], AT - 20 * DAY)
    assert said("last_touch", early, late, bound) == (OTHERS[1], "last_touch")
    assert said("first_touch", early, late, bound) == (OTHERS[0], "first_touch")
    assert said("binding_first", early, late, bound, protection=30) == (OTHERS[2], "bound_and_protected")
    assert said("binding_first", early, late, bound, protection=10) == (OTHERS[1], "last_touch")
    assert said("binding_first", bound, protection=10) == (OTHERS[2], "bound")
    assert said("last_touch", bound) == (None, "nobody_shared")
