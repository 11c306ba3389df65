"""Stock: held, committed, released, counted; refusals prove that nothing moved."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongzhou.catalog import commands, queries, tasks
from tongzhou.catalog.models import DealDay, Reservation, Stock, StockMovement
from tongzhou.catalog.tests.making import AT, BY, a_product, the_sku
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal

pytestmark = pytest.mark.django_db
SOON = AT + timedelta(minutes=30)


def level(sku):
    row = Stock.objects.get(sku_id=sku)
    return row.on_hand, row.reserved


def state():
    return (
        list(Stock.objects.order_by("sku_id").values_list("sku_id", "on_hand", "reserved")),
        list(Reservation.objects.order_by("id").values_list("id", "quantity", "status", "expires_at")),
        StockMovement.objects.count(),
    )


def reserve(order, *wants, until=SOON):
    commands.reserve(order_id=order, wants=wants, expires_at=until, at=AT)


def proven():
    """Levels are what movements and holds sum to."""
    for row in Stock.objects.all():
        moved = StockMovement.objects.filter(sku_id=row.sku_id).aggregate(s=Sum("delta"))["s"] or 0
        held = Reservation.objects.filter(sku_id=row.sku_id, status="HELD").aggregate(s=Sum("quantity"))["s"] or 0
        assert (row.on_hand, row.reserved) == (moved, held)
    return True


def test_hold_pay_and_the_movements_sum_to_the_level():
    sku, order = the_sku(a_product()), new_id()
    reserve(order, (sku, 2))
    assert level(sku) == (5, 2) and queries.available([sku]) == {sku: 3}
    commands.commit(order, AT, deals={sku: 7505})
    assert level(sku) == (3, 0) and proven()
    assert list(DealDay.objects.values_list("lowest_minor", "last_minor")) == [(7505, 7505)]


def test_paying_twice_ships_once():
    sku, order = the_sku(a_product()), new_id()
    reserve(order, (sku, 2))
    commands.commit(order, AT)
    before = state()
    commands.commit(order, AT)
    assert state() == before and proven()


def test_too_many_is_refused_by_name_and_nothing_is_kept():
    plenty, few = the_sku(a_product("a-tea", stock=9)), the_sku(a_product("b-tea", stock=1))
    before = state()
    with pytest.raises(Refusal) as said:
        reserve(new_id(), (plenty, 2), (few, 2))
    assert said.value.code == "out_of_stock" and state() == before
    (error,) = said.value.errors
    assert (error.field, error.value) == (str(few), 1) and "武夷肉桂" in str(error.message)


def test_a_refused_hold_leaves_nothing_even_when_the_caller_goes_on():
    sku = the_sku(a_product(stock=1))
    before = state()
    with transaction.atomic(), pytest.raises(Refusal):
        reserve(new_id(), (sku, 2))
    assert state() == before


def test_defect_19_two_lines_of_one_sku_are_summed_before_the_shelf_is_asked():
    sku = the_sku(a_product(stock=3))
    before = state()
    with pytest.raises(Refusal) as said:
        reserve(new_id(), (sku, 2), (sku, 2))
    assert said.value.errors[0].value == 3 and state() == before
    reserve(new_id(), (sku, 2), (sku, 1))
    assert level(sku) == (3, 3) and proven()


def test_defect_11_zero_changed_rows_is_a_refusal_and_never_a_sale():
    sku = the_sku(a_product(stock=0))
    with pytest.raises(Refusal, match="out_of_stock"):
        reserve(new_id(), (sku, 1))
    with pytest.raises(Refusal, match="out_of_stock"):
        reserve(new_id(), (new_id(), 1))
    assert level(sku) == (0, 0) and not Reservation.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Stock.objects.filter(sku_id=sku).update(reserved=1)


def test_an_orders_own_hold_never_blocks_it():
    sku, order = the_sku(a_product(stock=2)), new_id()
    reserve(order, (sku, 2))
    reserve(order, (sku, 2), until=SOON + timedelta(hours=1))
    assert level(sku) == (2, 2) and Reservation.objects.get().expires_at == SOON + timedelta(hours=1)
    reserve(order, (sku, 1))
    assert level(sku) == (2, 1) and proven()
    with pytest.raises(Refusal, match="out_of_stock"):
        reserve(order, (sku, 3))
    assert level(sku) == (2, 1) and proven()


def test_a_second_line_that_lacks_takes_back_what_the_same_call_changed():
    a, b, order = the_sku(a_product("a-tea", stock=5)), the_sku(a_product("b-tea", stock=0)), new_id()
    reserve(order, (a, 1))
    before = state()
    with pytest.raises(Refusal):
        reserve(order, (a, 3), (b, 1))
    assert state() == before and proven()


def test_a_paid_order_cannot_change_what_it_holds():
    sku, order = the_sku(a_product()), new_id()
    reserve(order, (sku, 1))
    commands.commit(order, AT)
    before = state()
    reserve(order, (sku, 1))
    with pytest.raises(Refusal, match="already_committed"):
        reserve(order, (sku, 2))
    assert state() == before


def test_release_gives_back_once():
    sku, order = the_sku(a_product()), new_id()
    reserve(order, (sku, 2))
    assert commands.release([order, new_id()], AT) == [order]
    assert commands.release([order], AT) == [] and level(sku) == (5, 0) and proven()


def test_time_releases_and_only_what_is_due():
    sku, late, fine = the_sku(a_product()), new_id(), new_id()
    reserve(late, (sku, 2), until=AT)
    reserve(fine, (sku, 1))
    assert tasks.release_expired(AT + timedelta(minutes=1)).startswith("1 ")
    assert level(sku) == (5, 1) and proven()


def test_payment_after_expiry_takes_the_goods_again_if_there_are_any():
    sku, order = the_sku(a_product(stock=2)), new_id()
    reserve(order, (sku, 2), until=AT)
    commands.release_expired(at=SOON)
    commands.commit(order, SOON)
    assert level(sku) == (0, 0) and proven()


def test_payment_after_expiry_is_refused_when_somebody_else_bought_it():
    sku, late, other = the_sku(a_product(stock=2)), new_id(), new_id()
    reserve(late, (sku, 2), until=AT)
    commands.release_expired(at=SOON)
    reserve(other, (sku, 1))
    before = state()
    with pytest.raises(Refusal, match="out_of_stock"):
        commands.commit(late, SOON)
    assert state() == before and proven()


def test_committing_what_nobody_holds_is_refused():
    before = state()
    with pytest.raises(Refusal, match="nothing_held"):
        commands.commit(new_id(), AT)
    assert state() == before


@pytest.mark.parametrize("quantity", [0, -1, 100_001])
def test_odd_quantities_are_refused(quantity):
    sku = the_sku(a_product())
    before = state()
    with pytest.raises(Refusal, match="quantity_invalid"):
        reserve(new_id(), (sku, quantity))
    with pytest.raises(Refusal, match="quantity_invalid"):
        commands.restock(quantities=[(sku, quantity)], reason="x", at=AT, by=BY)
    assert state() == before


def test_restock_write_off_and_count():
    sku, order = the_sku(a_product()), new_id()
    commands.restock(quantities=[(sku, 3)], reason="return", at=AT, by=BY)
    reserve(order, (sku, 6))
    assert commands.write_off(quantities=[(sku, 9)], reason="broken", at=AT, by=BY) == {sku: 2}
    assert level(sku) == (6, 6)
    before = state()
    with pytest.raises(Refusal, match="below_reserved"):
        commands.set_stock(levels=[(sku, 5)], by=BY, at=AT)
    with pytest.raises(Refusal, match="level_invalid"):
        commands.set_stock(levels=[(sku, -1)], by=BY, at=AT)
    with pytest.raises(Refusal, match="sku_not_found"):
        commands.set_stock(levels=[(new_id(), 1)], by=BY, at=AT)
    with pytest.raises(Refusal, match="sku_not_found"):
        commands.restock(quantities=[(sku, 1), (new_id(), 1)], reason="x", at=AT, by=BY)
    assert state() == before
    commands.set_stock(levels=[(sku, 10)], by=BY, at=AT)
    assert level(sku) == (10, 6) and proven()


def test_three_statements_hold_an_order_and_four_commit_it(django_assert_max_num_queries):
    order, skus = new_id(), [the_sku(a_product(f"tea-{i}")) for i in range(6)]
    with django_assert_max_num_queries(2):
        reserve(order, *((sku, 2) for sku in skus))
    with django_assert_max_num_queries(4):
        commands.commit(order, AT, deals=dict.fromkeys(skus, 7505))
    assert proven()


def test_deals_keep_the_days_lowest_and_last():
    sku = the_sku(a_product(stock=9))
    for price in (900, 700, 800):
        order = new_id()
        reserve(order, (sku, 1))
        commands.commit(order, AT, deals={sku: price})
    assert list(DealDay.objects.values_list("lowest_minor", "last_minor")) == [(700, 800)]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["reserve", "commit", "release", "restock", "write_off", "count"]),
            st.integers(0, 2),
            st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4)), min_size=1, max_size=3),
        ),
        max_size=25,
    )
)
def test_whatever_happens_levels_are_what_movements_and_holds_sum_to(steps):
    with transaction.atomic():
        skus = [the_sku(a_product(f"tea-{i}")) for i in range(2)]
        orders = [new_id() for _ in range(3)]
        for verb, which, lines in steps:
            wants = [(skus[i], q) for i, q in lines]
            try:
                if verb == "reserve":
                    reserve(orders[which], *wants)
                elif verb == "commit":
                    commands.commit(orders[which], AT)
                elif verb == "release":
                    commands.release([orders[which]], AT)
                elif verb == "restock":
                    commands.restock(quantities=wants, reason="", at=AT, by=BY)
                elif verb == "write_off":
                    commands.write_off(quantities=wants, reason="", at=AT, by=BY)
                else:
                    commands.set_stock(levels=wants, by=BY, at=AT)
            except Refusal:
                pass
            assert proven()
        transaction.set_rollback(True)
