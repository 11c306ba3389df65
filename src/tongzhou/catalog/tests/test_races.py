"""Real threads on a real database: whoever loses a race is told, and nothing is sold twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, connections

from tongzhou.catalog import commands
from tongzhou.catalog.models import Reservation, Stock, StockMovement
from tongzhou.catalog.tests.making import AT, BY, a_draft, a_product, the_sku
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL (set DATABASE_URL)"),
]
SOON = AT + timedelta(minutes=30)


def at_once(*calls):
    """Run the calls together; what each said: "ok" or the refusal's code."""
    gate = Barrier(len(calls))

    def one(call):
        try:
            gate.wait(timeout=20)
            call()
            return "ok"
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def hold(*wants):
    return lambda: commands.reserve(order_id=new_id(), wants=wants, expires_at=SOON, at=AT)


def test_defect_11_two_buyers_and_one_last_item_one_wins_one_is_told():
    sku = the_sku(a_product(stock=1))
    for _ in range(8):
        assert sorted(at_once(hold((sku, 1)), hold((sku, 1)))) == ["ok", "out_of_stock"]
        assert Stock.objects.get(sku_id=sku).reserved == 1 and Reservation.objects.count() == 1
        commands.release(list(Reservation.objects.values_list("order_id", flat=True)), AT)
        Reservation.objects.all().delete()


def test_defect_19_eight_buyers_of_two_lines_each_never_oversell():
    sku = the_sku(a_product(stock=9))
    said = at_once(*[hold((sku, 1), (sku, 2)) for _ in range(8)])
    assert Counter(said) == {"ok": 3, "out_of_stock": 5}
    row = Stock.objects.get(sku_id=sku)
    assert (row.on_hand, row.reserved) == (9, 9)


def test_orders_that_share_skus_in_opposite_order_wait_in_line_instead_of_in_a_circle():
    skus = [the_sku(a_product(f"tea-{i}", stock=1000)) for i in range(6)]
    calls = [hold(*((s, 1) for s in (skus if i % 2 else reversed(skus)))) for i in range(8)]
    for _ in range(4):
        assert set(at_once(*calls)) == {"ok"}
    assert set(Stock.objects.values_list("reserved", flat=True)) == {32}


def test_paying_while_time_runs_out_sells_once_or_gives_back():
    sku = the_sku(a_product(stock=50))
    for _ in range(6):
        order = new_id()
        commands.reserve(order_id=order, wants=[(sku, 2)], expires_at=AT, at=AT)
        said = at_once(
            lambda o=order: commands.commit(o, SOON),
            lambda: commands.release_expired(at=SOON),
            lambda o=order: commands.commit(o, SOON),
        )
        assert said == ["ok", "ok", "ok"]
    row = Stock.objects.get(sku_id=sku)
    assert (row.on_hand, row.reserved) == (50 - 12, 0)
    assert StockMovement.objects.filter(kind="SOLD").count() == 6


def test_one_order_reserved_twice_at_once_holds_once():
    sku, order = the_sku(a_product(stock=2)), new_id()
    same = lambda: commands.reserve(order_id=order, wants=[(sku, 2)], expires_at=SOON, at=AT)  # noqa: E731
    assert at_once(same, same, same) == ["ok"] * 3
    assert Stock.objects.get(sku_id=sku).reserved == 2


def test_two_products_of_one_slug_and_one_code_one_wins():
    drafts = [a_draft("same-tea"), a_draft("same-tea")]
    said = at_once(*[lambda d=d: commands.save_product(draft=d, by=BY, at=AT) for d in drafts])
    assert sorted(said) == ["ok", "slug_taken"]
