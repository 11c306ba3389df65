"""Placing and settling at their edges: what a second submission may be, and who decides what a repeat is."""

import dataclasses

import pytest

from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.orders import commands as orders
from tongzhou.orders.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return assemble()


def place(cast, **changes):
    asked = {"buyer_id": cast.buyer, "lines": [(cast.tea, 1)], "address": cast.address, "at": AT, "key": "form-1234"}
    return orders.place(**{**asked, **changes})


def test_the_same_form_twice_is_one_order(cast):
    first, again = place(cast), place(cast)
    assert (again.order_id, again.repeated) == (first.order_id, True)
    assert Order.objects.count() == 1


@pytest.mark.parametrize("change", ["address", "note", "quantity"])
def test_a_changed_form_under_the_same_key_never_ships_the_old_one(cast, change):
    place(cast)
    other = {
        "address": {"address": dataclasses.replace(cast.address, detail="文三路 1 号")},
        "note": {"note": "放门口"},
        "quantity": {"lines": [(cast.tea, 2)]},
    }[change]
    with pytest.raises(Refusal) as refused:
        place(cast, **other)
    assert refused.value.code == "idempotency_key_reused"
    assert Order.objects.count() == 1


def test_a_mistyped_sharers_code_is_told_and_nothing_is_placed(cast):
    with pytest.raises(Refusal) as refused:
        place(cast, sharer_code="NOBODY99")
    assert (refused.value.code, refused.value.field) == ("sharer_code_unknown", "sharer_code")
    assert not Order.objects.exists()
    place(cast)  # the key was not used up, and the goods were not held


def test_a_success_under_the_event_id_of_an_earlier_failure_is_booked(cast):
    placed, start = buy(cast)
    assert pay(placed, start, event_id="evt_1", outcome="failed", amount_minor=0).outcome == "failed"
    assert pay(placed, start, event_id="evt_1").outcome == "paid"
    drain(AT)
    assert books.balances(cast.buyer)["deposit.orders"] == placed.total_minor
    assert pay(placed, start, event_id="evt_1").outcome == "repeated"
    assert books.verify().ok
