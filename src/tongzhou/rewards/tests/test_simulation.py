"""A simulation of what was in force is what the ledger says; of a draft, what the draft would have accrued."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from tests.cast import AT, PLAN, assemble
from tests.test_story import buy, drain, pay, ship_and_receive

from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.people import commands as people
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as versions
from tongzhou.plans.document import load_document
from tongzhou.rewards.models import Reward
from tongzhou.rewards.simulation import simulate
from tongzhou.rewards.simulation.rules import deciles, gini_bp


@pytest.fixture
def cast():
    return assemble()


@pytest.fixture
def month(cast):
    """A month of real orders under a monthly and an order ceiling, with a refund in between that frees room."""
    text = PLAN + "per_month_minor = 3000\nper_order_minor = 1400\n"
    begins = AT + timedelta(days=8)
    dates = f'[dates]\npublished_at = "{AT.isoformat()}"\neffective_at = "{begins.isoformat()}"\n'
    plans.import_plan(text=text + dates, by=cast.owner, at=AT)
    plans.activate(code="share-10", by=cast.owner, at=AT)
    placed = []
    for hours in range(6):
        at = begins + timedelta(hours=hours)
        order, start = buy(cast, at, shared=hours == 0)
        pay(order, start, at)
        drain(at)
        placed.append(order)
        if hours == 2:
            ship_and_receive(cast, placed[0], at + timedelta(minutes=5))
            tea = sold.lines_of([placed[0].order_id])[placed[0].order_id][0]
            orders.refund(
                order_id=placed[0].order_id, items=[RefundItem(tea.id, 1, None)], reference="r", reason="changed",
                by=cast.owner, at=at + timedelta(minutes=9),
            )  # fmt: skip
            drain(at + timedelta(minutes=10))
    return cast, begins


@pytest.mark.django_db
def test_what_was_in_force_costs_what_the_ledger_says_to_the_cent(month):
    cast, begins = month
    since, until = begins - timedelta(days=1), begins + timedelta(days=1)
    found = simulate(load_document(PLAN), since=since, until=until, at=until)
    booked = books.flow("reward.expected", "credit", kinds=("reward_accrued",))
    assert found.before.cost_minor == sum(booked.values()) > 0
    assert found.before.cost_minor == sum(Reward.objects.values_list("accrued_minor", flat=True))
    have = books.balances(cast.sharer)
    assert found.before.net_minor == have["reward.expected"] + have["reward.held"]
    assert found.before.cut_by_month_minor > 0 and found.before.cut_by_order_minor > 0
    assert found.orders == 6 and found.shared_minor == found.revenue_minor == 6 * 14500
    # in the middle of the month: what was used of it before the first day still counts
    later = simulate(load_document(PLAN), since=begins + timedelta(hours=3), until=until, at=until)
    rows = Reward.objects.filter(accrued_at__gte=begins + timedelta(hours=3))
    assert later.before.cost_minor == sum(rows.values_list("accrued_minor", flat=True))


@pytest.mark.django_db
def test_a_draft_is_replayed_as_it_would_have_been_accrued(month):
    cast, begins = month
    draft = load_document(PLAN.replace("rate_bp = 1000", "rate_bp = 700"))
    found = simulate(draft, since=begins, until=begins + timedelta(days=1), at=begins)
    assert found.after.cost_minor == 6 * (9500 * 700 // 10000 + 5000 * 700 // 10000)
    assert found.after.reversed_minor == 9500 * 700 // 10000
    (change,) = found.top(5)
    assert change.member_id == cast.sharer
    assert change.delta_minor == found.after.net_minor - found.before.net_minor
    assert (found.gained_minor - found.lost_minor) == change.delta_minor
    assert (
        sum(found.after.deciles) == found.after.net_minor
        and sum(d.after_minor for d in found.days) == found.after.cost_minor
    )
    assert found.verdict in ("PASS", "WARN") or "CN-NOTICE" in {f.id for f in found.findings}


@pytest.mark.django_db
def test_unlawful_shapes_show_what_they_would_pay_and_are_named(month):
    cast, begins = month
    grand = people.register_member(phone="+8613900000099", display_name="周远", at=AT)
    people.bind(invitee_id=cast.sharer, inviter_id=grand, source="invite", by=cast.owner, at=AT)
    draft = load_document(
        PLAN + '[[rewards]]\ndepth = 2\nrate_bp = 500\n[[rewards]]\ntrigger = "invite"\namount_minor = 1000\n'
    )
    found = simulate(draft, since=AT - timedelta(days=1), until=begins + timedelta(days=1), at=begins)
    assert found.after.beyond_1_minor == 6 * (475 + 250) and found.before.beyond_1_minor == 0
    assert found.after.recruit_minor == 1000 and found.before.recruit_minor == 0
    assert {"CN-DEPTH", "CN-HEAD"} <= {f.id for f in found.findings} and found.verdict == "BLOCK"
    assert {c.member_id: c.after_minor > c.before_minor for c in found.changes}[grand]
    assert found.after.over_30 == 1, "whoever earns without selling is above 30 % of own retail"
    assert not Reward.objects.filter(depth=2).exists() and versions.latest("share-10").version == 2, (
        "nothing is written"
    )


@pytest.mark.django_db
def test_another_attribution_policy_is_asked_again(cast):
    inviter = people.register_member(phone="+8613900000099", display_name="周远", at=AT)
    people.bind(invitee_id=cast.buyer, inviter_id=inviter, source="invite", by=cast.owner, at=AT - timedelta(days=1))
    order, start = buy(cast)
    pay(order, start)
    drain(AT)
    draft = load_document(
        PLAN.replace("last_touch", "binding_first").replace("window_days = 7", "window_days = 7\nprotection_days = 30")
    )
    found = simulate(draft, since=AT - timedelta(days=1), until=AT + timedelta(days=1), at=AT)
    after = {c.member_id: (c.before_minor, c.after_minor) for c in found.changes}
    assert after == {cast.sharer: (1450, 0), inviter: (0, 1450)}
    assert (found.gainers, found.losers, found.gained_minor, found.lost_minor) == (1, 1, 1450, 1450)


@pytest.mark.django_db
def test_more_orders_cost_no_more_statements(month):
    _cast, begins = month

    def count(days):
        with CaptureQueriesContext(connection) as seen:
            simulate(load_document(PLAN), since=begins, until=begins + timedelta(hours=days), at=begins)
        return len(seen)

    assert count(1) >= count(6) - 1 and count(6) <= 16


@pytest.mark.django_db
def test_an_empty_period_is_refused(cast):
    with pytest.raises(Refusal) as caught:
        simulate(load_document(PLAN), since=AT, until=AT, at=AT)
    assert caught.value.code == "period_empty"


@given(st.lists(st.integers(0, 10**9), max_size=60))
def test_gini_and_deciles(amounts):
    g, parts = gini_bp(amounts), deciles(amounts)
    assert 0 <= g < 10_000 and sum(parts) == sum(amounts)
    assert gini_bp(amounts[::-1]) == g and abs(gini_bp([3 * a for a in amounts]) - g) <= 1
    assert gini_bp([7] * len(amounts)) == 0
    pairs = sum(abs(a - b) for a in amounts for b in amounts)
    if sum(amounts):
        assert g == pairs * 10_000 // (2 * len(amounts) * sum(amounts)), "the definition by pairs"
