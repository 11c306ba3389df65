"""Links, touches and the attribution that is kept with the order."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tongzhou.kit.actor import operator
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands as people
from tongzhou.plans.values import Attribution as Policy
from tongzhou.sharing import commands, queries
from tongzhou.sharing.models import LinkDay, Touch

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def member(tail: int):
    return people.register_member(phone=f"+8613900000{tail:03d}", at=AT)


def touched(sharer, visitor, at=AT):
    link = commands.make_link(member_id=sharer, product_id=None, at=at)
    return commands.touch(code=link.code, visitor_id=visitor, plan_version_id=None, at=at)


def test_the_same_link_twice_is_one_and_a_repeat_is_a_view_not_a_touch():
    sharer, visitor = member(1), new_id()
    first = touched(sharer, visitor)
    assert touched(sharer, visitor, AT + timedelta(minutes=29)).id == first.id
    assert touched(sharer, visitor, AT + timedelta(minutes=31)).id != first.id
    (funnel,) = queries.links_of(sharer)
    assert (funnel.views, funnel.visitors, funnel.orders, len(funnel.link.code)) == (3, 1, 0, 8)


def test_an_unknown_link_is_refused_and_leaves_nothing():
    with pytest.raises(Refusal) as refused:
        commands.touch(code="nonesuch", visitor_id=new_id(), plan_version_id=None, at=AT)
    assert refused.value.code == "link_not_found"
    assert not Touch.objects.exists() and not LinkDay.objects.exists()


def test_defect_06_the_payee_is_of_the_order_not_of_todays_binding():
    sharer, other, buyer = member(1), member(2), member(3)
    boss, second = operator(member(4)), operator(member(5))
    people.bind(invitee_id=buyer, inviter_id=sharer, source="link", by=boss, at=AT)
    policy, order = Policy("binding_first", 7, 30), new_id()
    won = commands.attribute(order_id=order, buyer_id=buyer, policy=policy, at=LATER)
    assert (won.sharer_id, won.reason) == (sharer, "bound_and_protected")
    asked = people.propose_rebind(invitee_id=buyer, inviter_id=other, reason="录入有误", by=boss, at=LATER)
    people.confirm_rebind(proposal_id=asked, by=second, at=LATER)
    assert queries.attribution(order).sharer_id == sharer
    newer = commands.attribute(order_id=new_id(), buyer_id=buyer, policy=policy, at=LATER)
    assert newer.sharer_id == other


def test_defect_15_a_flushed_cache_and_a_new_browser_erase_no_earnings():
    sharer, buyer, visitor, order = member(1), member(2), new_id(), new_id()
    touch = touched(sharer, visitor)
    commands.join_visitor(visitor_id=visitor, member_id=buyer, at=AT)
    cache.clear()
    won = commands.attribute(order_id=order, buyer_id=buyer, policy=Policy(), at=LATER)
    assert (won.sharer_id, won.touch_id, won.reason) == (sharer, touch.id, "last_touch")
    assert queries.attribution(order).touch_id == touch.id


def test_an_own_order_attributes_to_nobody_and_says_why():
    buyer, visitor = member(1), new_id()
    touched(buyer, visitor)
    won = commands.attribute(order_id=new_id(), buyer_id=buyer, policy=Policy(), at=LATER, visitor_id=visitor)
    assert won.sharer_id is None and won.candidates[0]["reason"] == "own_order"


def test_attributing_takes_few_statements():
    sharer, buyer, visitor = member(1), member(2), new_id()
    touched(sharer, visitor)
    with CaptureQueriesContext(
        connection,
    ) as told:
        commands.attribute(order_id=new_id(), buyer_id=buyer, policy=Policy(), at=LATER, visitor_id=visitor)
    assert len([q for q in told if "SAVEPOINT" not in q["sql"]]) <= 3
