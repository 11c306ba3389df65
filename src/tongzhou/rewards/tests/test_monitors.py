"""The monitors see what happened, and each of them bites."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay, ship_and_receive

from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM, member
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Move
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.models import Order
from tongzhou.orders.values import RefundItem
from tongzhou.payouts import commands as payouts
from tongzhou.people import commands as people
from tongzhou.plans.models import PlanVersion
from tongzhou.rewards import commands, monitors, tasks
from tongzhou.rewards.models import MonitorNight, Reward
from tongzhou.rewards.monitors.rules import seen

pytestmark = pytest.mark.django_db
TODAY = clock.mall_day(AT)


@pytest.fixture
def cast():
    return assemble()


def sell(cast, at=AT):
    placed, start = buy(cast, at)
    pay(placed, start, at)
    drain(at)
    return placed


def night(day=TODAY, at=AT + timedelta(days=1)):
    return monitors.look(day, at=at)


def test_a_lawful_month(cast):
    placed = sell(cast)
    ship_and_receive(cast, placed, AT + timedelta(hours=1))
    tea = sold.lines_of([placed.order_id])[placed.order_id][0]
    orders.refund(
        order_id=placed.order_id, items=[RefundItem(tea.id, 1, None)], reference="r", reason="changed", by=cast.owner,
        at=AT + timedelta(hours=2),
    )  # fmt: skip
    drain(AT + timedelta(hours=2))
    row = night()
    assert row.figures == {
        "retail_bp": 10_000, "retail_minor": 5000, "participant_minor": 0, "recruit_bp": 0, "recruit_minor": 0,
        "accrued_minor": 1450, "beyond_1_minor": 0, "graph_people": 2, "graph_layers": 2, "gini_bp": 0,
        "no_outside_bp": 0, "earners": 1, "over_30": 0, "crime": 0,
    }  # fmt: skip
    assert row.findings == [] and not row.stops and monitors.stop() is None
    assert {s.state for s in seen(row.figures, (), 1)} == {"good"}


def test_money_nobody_can_explain_counts_as_pay_for_recruiting(cast):
    sell(cast)
    ledger.post(
        book_id=cast.sharer, kind="bonus", reference="welcome", story_id=new_id(), by=SYSTEM, at=AT,
        legs=[Move("prepaid.rewards", "reward.expected", 1450)],
    )  # fmt: skip
    row = night()
    assert row.figures["recruit_bp"] == 5000 and not row.stops
    assert [f["id"] for f in row.findings] == ["CN-HEAD"]


def test_payout_beyond_depth_one_is_a_breach_here(cast):
    sell(cast)
    Reward.objects.update(depth=2)
    row = night()
    assert row.figures["beyond_1_minor"] == 1450 and not row.stops
    assert {"CN-DEPTH", "CN-CAP30"} <= {f["id"] for f in row.findings}, "nothing sold by oneself, so above 30 %, too"
    assert {s.monitor.key for s in seen(row.figures, (), 1) if s.state == "stop"} == {"beyond_1_minor"}


def test_selling_only_to_each_other_shows(cast):
    sell(cast)
    link = people.register_member(phone="+8613900000077", display_name="钱宁", at=AT)
    Reward.objects.bulk_create([_copy(Reward.objects.first(), sharer=cast.buyer, buyer=link)])
    row = night()
    # both earn: the buyer of the one order is a participant now, so nothing went outside in goods
    assert (row.figures["retail_bp"], row.figures["participant_minor"]) == (0, 14500)
    assert row.figures["no_outside_bp"] == 5000, "the sharer sold only to somebody who earns"
    assert (row.figures["graph_people"], row.figures["graph_layers"]) == (3, 3)
    assert {s.monitor.key for s in seen(row.figures, (), 1) if s.state != "good"} >= {"retail_bp", "no_outside_bp"}


def _copy(row, *, sharer, buyer):
    return Reward(
        **{f.attname: getattr(row, f.attname) for f in Reward._meta.concrete_fields}
        | {"id": new_id(), "line_id": new_id(), "story_id": new_id(), "sharer_id": sharer, "buyer_id": buyer}
    )


def payout(cast, at):
    """A payout that waits for its two people."""
    placed = Order.objects.get()
    drain(AT)
    fulfilment.ship(order_id=placed.id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=AT)
    fulfilment.confirm_receipt(order_id=placed.id, by=member(cast.buyer), buyer_id=cast.buyer, at=AT)
    drain(AT)
    commands.mature_due(at=at)
    payouts.register_payee(
        member_id=cast.sharer, legal_name="林小满", account="6222020000001234", born="1995-05-05",
        by=member(cast.sharer), at=at,
    )  # fmt: skip
    return payouts.request(member_id=cast.sharer, amount_minor=1450, at=at)


def test_a_criminal_graph_is_seen_when_a_fee_stands_in_the_plan(cast):
    sell(cast)
    one = Reward.objects.first()
    chain = [new_id() for _i in range(3)]
    rows = [_copy(one, sharer=chain[0], buyer=chain[1]), _copy(one, sharer=chain[1], buyer=chain[2])]
    rows += [_copy(one, sharer=chain[0], buyer=new_id()) for _i in range(30)]
    later = AT + timedelta(days=20)
    asked = payout(cast, later)
    Reward.objects.bulk_create(rows)
    assert night().figures["crime"] == 0
    row = PlanVersion.objects.get(status="ACTIVE")
    PlanVersion.objects.filter(id=row.id).update(document={**row.document, "join": {"fee": 36500}})
    found = night()
    assert (found.figures["graph_people"], found.figures["graph_layers"], found.figures["crime"]) == (33, 3, 1)
    assert found.stops and "CN-CRIM" in {f["id"] for f in found.findings} and monitors.stop() == found
    with pytest.raises(Refusal) as caught:
        payouts.release(payout_id=asked, by=cast.owner, at=later)
    assert caught.value.code == "payouts_stopped" and "CN-CRIM" in caught.value.value
    PlanVersion.objects.filter(id=row.id).update(document=row.document)
    assert not night(TODAY + timedelta(days=1)).stops
    assert payouts.release(payout_id=asked, by=cast.owner, at=later) == "CHECKED", "mended, so money moves again"


def test_missed_nights_are_made_up_for_and_the_work_does_not_grow_with_orders(cast):
    sell(cast)
    assert tasks.watch(AT + timedelta(days=3)) == "14 nights looked at"
    assert tasks.watch(AT + timedelta(days=3)) == "0 nights looked at"
    assert tasks.watch(AT + timedelta(days=4)) == "1 nights looked at" and MonitorNight.objects.count() == 15
    assert [n.day for n in monitors.nights(3)] == [TODAY + timedelta(days=n) for n in (1, 2, 3)]

    def count():
        with CaptureQueriesContext(connection) as taken:
            night()
        return len(taken)

    one = count()
    for hours in range(1, 4):
        sell(cast, AT + timedelta(hours=hours))
    assert count() == one <= 20
