"""Two people of a chain, where the law allows it; one, where it does not, whatever a row of a plan may say."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay, ship_and_receive

from tongzhou.compliance import commands as compliance
from tongzhou.compliance import queries as law
from tongzhou.compliance.values import Severity
from tongzhou.kit.actor import member
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import Transfer
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.people import commands as people
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as versions
from tongzhou.plans.models import PlanVersion
from tongzhou.rewards import commands, queries
from tongzhou.rewards.models import Reward

pytestmark = pytest.mark.django_db
TWO = """
code = "two"
profile = "US"
settle_days = 15
[[rewards]]
rate_bp = 1000
[[rewards]]
depth = 2
rate_bp = 500
"""


@pytest.fixture
def cast():
    return assemble()


@pytest.fixture
def rails(monkeypatch):
    """No counterparty that forces a jurisdiction; put back afterwards."""
    monkeypatch.setattr(law, "_rails", [])


@pytest.fixture
def grand(cast):
    """Whoever invited the sharer, long before."""
    who = people.register_member(phone="+8613900000099", display_name="周远", at=AT - timedelta(days=90))
    people.bind(invitee_id=cast.sharer, inviter_id=who, source="invite", by=cast.owner, at=AT - timedelta(days=80))
    return who


@pytest.fixture
def states(cast, rails):
    """A mall of the United States: what it takes to change whose law it lives under."""
    change = compliance.propose_profile(new="US", reason="the entity moved", by=cast.owner, at=AT)
    compliance.confirm_profile(change_id=change, by=cast.finance, at=AT)
    return cast


def begin(cast, text, at=AT):
    kept = plans.import_plan(text=text, by=cast.owner, at=at)
    row = PlanVersion.objects.get(id=kept.id)
    for finding in plans.check(row.document, at=at):
        if finding.severity == Severity.REVIEW:
            compliance.sign_off(
                plan_code=row.code, version=row.version, finding=finding, reason="looked at", by=cast.finance, at=at
            )
    return plans.activate(code=kept.code, by=cast.owner, at=at)


def test_two_levels_are_paid_held_matured_and_taken_back_each_in_its_own_book(states, grand):
    cast = states
    begin(cast, TWO)
    placed, start = buy(cast)  # 10000 + 6000 without a member discount: this plan has none; rice has its own 5000
    pay(placed, start)
    drain(AT)
    rows = {(r.line_id, r.depth): r for r in Reward.objects.filter(order_id=placed.order_id)}
    assert {d for _l, d in rows} == {1, 2} and len(rows) == 4
    assert (queries.earnings(cast.sharer).expected_minor, queries.earnings(grand).expected_minor) == (1500, 750)
    ship_and_receive(cast, placed, AT + timedelta(days=1))
    assert (queries.earnings(cast.sharer).held_minor, queries.earnings(grand).held_minor) == (1500, 750)
    assert commands.mature_due(at=AT + timedelta(days=17)) == 4
    assert (queries.earnings(cast.sharer).available_minor, queries.earnings(grand).available_minor) == (1500, 750)
    tea = sold.lines_of([placed.order_id])[placed.order_id][0]
    orders.refund(
        order_id=placed.order_id, items=[RefundItem(tea.id, 1, None)], reference="r1", reason="changed",
        by=cast.owner, at=AT + timedelta(days=18),
    )  # fmt: skip
    drain(AT + timedelta(days=18))
    assert (queries.earnings(cast.sharer).available_minor, queries.earnings(grand).available_minor) == (500, 250)
    assert books.verify().ok
    total = queries.summary()[0]
    assert total.balanced and (total.earned_minor, total.reversed_minor, total.sharers) == (2250, 1500, 2)
    assert sum(s.earned_minor for s in queries.summary(by="plan")[1:]) == 2250
    mine, above = queries.rewards_of(cast.sharer), queries.rewards_of(grand)
    assert {r.depth for r in mine} == {1} and {r.depth for r in above} == {2}
    with_others = Transfer.objects.filter(story_id__in=[r.story_id for r in above]).exclude(book_id=grand)
    assert not with_others.exists(), "no story shows somebody else's book"


def test_a_lines_margin_is_one_room_for_both_and_the_sharer_is_served_first(states, grand):
    cast = states
    begin(cast, TWO.replace("1000", "4000") + "[caps]\npayout_to_margin_bp = 5000\nper_order_minor = 2700\n")
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    by_line: dict = {}
    for r in Reward.objects.filter(order_id=placed.order_id):
        by_line.setdefault(r.line_id, {})[r.depth] = r.accrued_minor
    tea, rice = sold.lines_of([placed.order_id])[placed.order_id][:2]
    # tea: margin 5000, half of it 2500; 4000 asked → 2500, nothing left. rice: 2000, half 1000; 2000 asked → 1000
    # the order's 2700 over 3500: the sharer alone is already above it
    assert by_line == {tea.id: {1: 1929, 2: 0}, rice.id: {1: 771, 2: 0}}
    assert sum(a for line in by_line.values() for a in line.values()) == 2700


def test_each_person_has_a_month_of_their_own(states, grand):
    cast = states
    begin(cast, TWO + "[caps]\nper_month_minor = 800\n")
    for hours in (0, 1):
        placed, start = buy(cast, AT + timedelta(hours=hours))
        pay(placed, start, AT + timedelta(hours=hours))
        drain(AT + timedelta(hours=hours))
    assert (queries.earnings(cast.sharer).expected_minor, queries.earnings(grand).expected_minor) == (800, 800)


def test_whoever_invited_the_sharer_when_the_order_was_placed_is_paid(states, grand):
    """Defect 6: the payee is never read from today's binding."""
    cast = states
    begin(cast, TWO)
    placed, start = buy(cast)
    pay(placed, start)
    other = people.register_member(phone="+8613900000098", display_name="何川", at=AT)
    fix = people.propose_rebind(
        invitee_id=cast.sharer, inviter_id=other, reason="a mistake", by=cast.owner, at=AT + timedelta(hours=1)
    )
    people.confirm_rebind(proposal_id=fix, by=cast.finance, at=AT + timedelta(hours=2))
    drain(AT + timedelta(hours=3))
    assert queries.earnings(grand).expected_minor == 750 and queries.earnings(other).expected_minor == 0


def test_nobody_earns_from_their_own_order_at_any_depth(states):
    cast = states
    people.bind(
        invitee_id=cast.sharer, inviter_id=cast.buyer, source="invite", by=cast.owner, at=AT - timedelta(days=1)
    )
    begin(cast, TWO)
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    assert {r.depth for r in Reward.objects.filter(order_id=placed.order_id)} == {1}


@pytest.mark.parametrize("profile", ["CN", "US"])
def test_under_chinas_law_nothing_deeper_than_one_is_paid_whatever_a_row_says(cast, grand, profile):
    text = TWO.replace('"US"', f'"{profile}"')
    kept = plans.import_plan(text=text, by=cast.owner, at=AT)
    with pytest.raises(Refusal) as caught:
        plans.activate(code="two", by=cast.owner, at=AT)
    assert {e.code for e in caught.value.errors} & {"CN-DEPTH", "CN-UNKNOWN"}
    # somebody writes the row by hand, past every command
    PlanVersion.objects.filter(status="ACTIVE").update(status="RETIRED", retired_at=AT)
    PlanVersion.objects.filter(id=kept.id).update(status="ACTIVE", effective_at=AT)
    versions.forget()
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    assert {r.depth for r in Reward.objects.filter(order_id=placed.order_id)} == {1}
    assert queries.earnings(grand).expected_minor == 0 and queries.earnings(cast.sharer).expected_minor == 1500


def test_depth_costs_a_one_level_mall_no_statement(cast, grand):
    placed, start = buy(cast)
    pay(placed, start)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        drain(AT)
    about = [q["sql"] for q in seen if "people_binding" in q["sql"] or "compliance_profile_change" in q["sql"]]
    assert not about


def test_the_malls_jurisdiction_takes_two_and_yuan_through_wechat_has_no_choice(cast, rails):
    change = compliance.propose_profile(new="US", reason="the entity moved", by=cast.owner, at=AT)
    assert law.mall_profile() == "CN"
    for by, code in ((cast.owner, "same_person"), (member(cast.buyer), "not_named")):
        with pytest.raises(Refusal) as caught:
            compliance.confirm_profile(change_id=change, by=by, at=AT)
        assert caught.value.code == code and law.mall_profile() == "CN"
    law.tell_rails(lambda: {"sandbox", "wechat"})
    with pytest.raises(Refusal) as caught:
        compliance.confirm_profile(change_id=change, by=cast.finance, at=AT)
    assert caught.value.code == "profile_forced"
    law.tell_rails(lambda: ())
    compliance.confirm_profile(change_id=change, by=cast.finance, at=AT)
    assert (law.mall_profile(), law.max_depth()) == ("US", 2)
    with pytest.raises(Refusal) as caught:
        compliance.confirm_profile(change_id=change, by=cast.finance, at=AT)
    assert caught.value.code == "state_moved_on"
    law.tell_rails(lambda: {"alipay"})
    assert law.mall_profile() == "CN", "a rail added later forces it, too"
