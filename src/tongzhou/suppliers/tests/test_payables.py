"""Payables are the same whatever the order in which snapshots arrive, and however often."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Move
from tongzhou.suppliers.handlers import on_supplied
from tongzhou.suppliers.values import SuppliedLine, SuppliedLines

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


def fact(supplier, line, delivered, refunded, version, cost=9_001):
    return SuppliedLines(new_id(), supplier, (SuppliedLine(line, cost, delivered, refunded, version),), AT)


def owed(supplier):
    have = books.balances(supplier)
    return have.get("payable.supplier", 0), have.get("receivable.supplier", 0)


@pytest.mark.parametrize("turns", list(permutations(range(3))))
def test_any_order_and_twice_comes_to_the_same(turns):
    supplier, line = new_id(), new_id()
    facts = [fact(supplier, line, 3, n, n + 1) for n in range(3)]
    for turn in turns:
        on_supplied([facts[turn], facts[turn]], AT)
        on_supplied([facts[turn]], AT)
    assert owed(supplier) == (3_000, 0)
    assert books.verify().ok


def test_a_return_after_the_settlement_is_owed_back_and_netted_from_the_next_delivery():
    supplier, line = new_id(), new_id()
    on_supplied([fact(supplier, line, 3, 0, 1)], AT)
    paid = [Move("payable.supplier", "bank", 9_001)]
    ledger.post(book_id=supplier, kind="settled", reference="s", story_id=new_id(), legs=paid, by=SYSTEM, at=AT)
    on_supplied([fact(supplier, line, 3, 3, 2)], AT)
    assert owed(supplier) == (0, 9_001)
    on_supplied([fact(supplier, new_id(), 1, 0, 1, cost=10_000)], AT)
    assert owed(supplier) == (999, 0)
    assert books.verify().ok
