"""Parcels: refusals change nothing, no unit travels twice, time receives only what is due."""

from datetime import timedelta

import pytest
from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay

from tongzhou.fulfilment import carriers
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.fulfilment.models import MOVES, Parcel, ParcelLine, Status
from tongzhou.kit.actor import member
from tongzhou.kit.refusals import Refusal
from tongzhou.kit.states import reachable
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.models import Order, OrderLine
from tongzhou.orders.values import RefundItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return assemble()


def paid(cast):
    placed, start = buy(cast, quantity=2)
    pay(placed, start)
    drain(AT)
    lines = {x.sku_id: x for x in sold.lines_of([placed.order_id])[placed.order_id]}
    return placed.order_id, lines[cast.tea].id, lines[cast.rice].id


def ship(cast, order_id, at=AT, **more):
    given = {"carrier": "yunda", "tracking_no": "yd1234567", **more}
    return fulfilment.ship(order_id=order_id, by=cast.owner, at=at, **given)


def refused(code, call):
    def state():
        return (
            list(Parcel.objects.order_by("id").values()), ParcelLine.objects.count(),
            list(OrderLine.objects.order_by("id").values()), list(Order.objects.order_by("id").values()),
        )  # fmt: skip

    before = state()
    with pytest.raises(Refusal) as said:
        call()
    assert said.value.code == code
    assert state() == before


def test_every_status_is_reachable():
    assert reachable(MOVES, Status.SHIPPED) == set(Status)


def test_carriers_are_found_by_name_and_code_common_ones_first():
    assert [c.code for c in carriers.search("")[:3]] == ["shunfeng", "zhongtong", "yuantong"]
    assert carriers.search("韵达")[0].code == "yunda" and carriers.search("YUNDA")[0].code == "yunda"
    assert carriers.search("no such carrier") == []


def test_parcels_that_are_refused(cast):
    order_id, tea, rice = paid(cast)
    refused("carrier_unknown", lambda: ship(cast, order_id, carrier="pigeon"))
    for number in ("", "12345", "A" * 33, "YD 123456", "<script>1"):
        refused("tracking_invalid", lambda n=number: ship(cast, order_id, tracking_no=n))
    refused("already_shipped", lambda: ship(cast, order_id, lines={rice: 1, tea: 3}))
    refused("already_shipped", lambda: ship(cast, order_id, lines={tea: 0}))
    refused("nothing_shipped", lambda: fulfilment.confirm_receipt(order_id=order_id, by=member(cast.buyer), at=AT))
    ship(cast, order_id)
    refused("nothing_to_ship", lambda: ship(cast, order_id))
    refused("already_shipped", lambda: ship(cast, order_id, lines={tea: 1}))
    stranger = {"order_id": order_id, "by": member(cast.sharer), "buyer_id": cast.sharer, "at": AT}
    refused("nothing_shipped", lambda: fulfilment.confirm_receipt(**stranger))


def test_refunded_units_do_not_travel(cast):
    order_id, tea, _rice = paid(cast)
    orders.refund(order_id=order_id, items=[RefundItem(tea, 1)], reference="r", by=cast.owner, at=AT)
    parcel = ship(cast, order_id)
    assert ParcelLine.objects.get(parcel_id=parcel, line_id=tea).quantity == 1


def test_an_unpaid_order_is_not_shipped(cast):
    placed, _start = buy(cast)
    refused("order_not_shippable", lambda: ship(cast, placed.order_id))


def test_a_line_in_two_parcels_arrives_with_the_second_and_time_waits_for_it(cast):
    order_id, tea, rice = paid(cast)
    ship(cast, order_id, lines={tea: 1})
    second = AT + timedelta(days=9)
    ship(cast, order_id, lines={tea: 1, rice: 1}, at=second)
    assert fulfilment.receive_due(at=AT + timedelta(days=10)) == 0
    assert Parcel.objects.filter(status="SHIPPED").count() == 2
    assert fulfilment.receive_due(at=second + timedelta(days=10)) == 1
    assert Order.objects.get(id=order_id).status == "COMPLETED"
    buyer = {"order_id": order_id, "by": member(cast.buyer), "buyer_id": cast.buyer}
    assert fulfilment.confirm_receipt(**buyer, at=second + timedelta(days=11)) == 0


def test_an_order_refunded_on_the_way_holds_up_no_other(cast):
    stuck, tea, rice = paid(cast)
    ship(cast, stuck)
    orders.refund(order_id=stuck, items=[RefundItem(tea, 2), RefundItem(rice, 1)], reference="r", by=cast.owner, at=AT)
    fine, *_lines = paid(cast)
    ship(cast, fine, at=AT + timedelta(hours=1))
    fulfilment.receive_due(at=AT + timedelta(days=11))
    assert Order.objects.get(id=fine).status == "COMPLETED"
    assert Order.objects.get(id=stuck).status == "CANCELLED"
    assert not Parcel.objects.filter(status="SHIPPED").exists()  # and is not looked at again
