"""Refunds on their way: what is booked and not sent yet can be found, and leaves the list once."""

import pytest
from tests.cast import AT, assemble
from tests.test_story import buy, pay

from tongzhou.orders import commands as orders
from tongzhou.payments import commands
from tongzhou.payments.values import RefundOutcome

pytestmark = pytest.mark.django_db


def test_a_requested_refund_is_listed_until_it_has_its_end():
    cast = assemble()
    placed, start = buy(cast)
    pay(placed, start)
    assert commands.requested_refunds() == []
    orders.cancel(order_id=placed.order_id, by=cast.owner, at=AT, reason="changed my mind")
    (refund,) = commands.requested_refunds()
    commands.record_refund(refund, RefundOutcome("succeeded", "r"), at=AT)
    assert commands.requested_refunds() == []
