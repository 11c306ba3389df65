"""The defects of other systems, by number: each one this mall could have had is a named test somewhere."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cast import AT, assemble
from tests.life import sums
from tests.test_story import buy, drain, pay, ship_and_receive
from tongzhou.kit.actor import SYSTEM, member
from tongzhou.kit.money import largest_remainder
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import AccountBalance
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.payments import commands as payments
from tongzhou.payments.models import Payment
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[1]
IN_REACH = {*range(1, 10), 11, *range(13, 18), 19, 20}


@pytest.fixture
def cast():
    return assemble()


def lines_of(placed):
    return [x for x in sold.lines_of([placed.order_id])[placed.order_id] if x.kind == "goods"]


def test_every_defect_in_reach_has_its_test():
    found = set()
    for path in [*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "src").rglob("tests/test_*.py")]:
        for name in re.findall(r"^def test_defect_(\d\d(?:_and_\d\d)*)", path.read_text(encoding="utf-8"), re.M):
            found |= {int(n) for n in name.split("_and_")}
    assert found >= IN_REACH, f"no test of defects {sorted(IN_REACH - found)}"


def test_defect_04_a_partial_refund_takes_its_exact_part_of_the_reward(cast):
    placed, start = buy(cast, quantity=3)
    pay(placed, start)
    drain(AT)
    tea = lines_of(placed)[0]
    assert sums(story_id=tea.id)["reward.expected"] == 2850
    for n, left in ((1, 1900), (2, 950), (3, 0)):
        item = RefundItem(tea.id, 1)
        orders.refund(order_id=placed.order_id, items=[item], reference=f"r{n}", by=SYSTEM, at=AT)
        drain(AT)
        assert sums(story_id=tea.id)["reward.expected"] == left
    assert sums(story_id=lines_of(placed)[1].id)["reward.expected"] == 500  # the other line keeps its own


def test_defect_05_the_freeze_counts_from_receipt_not_from_payment(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    a_month = AT + timedelta(days=30)
    assert rewarding.mature_due(at=a_month) == 0  # paid long ago, not received: nothing is free
    ship_and_receive(cast, placed, a_month)
    assert rewarding.mature_due(at=a_month + timedelta(days=15) - timedelta(seconds=1)) == 0
    assert rewards.earnings(cast.sharer).available_minor == 0
    assert rewarding.mature_due(at=a_month + timedelta(days=15)) == 2


def test_defect_07_each_line_is_credited_its_own_and_never_the_running_total(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    tea, rice = lines_of(placed)
    assert sums(story_id=tea.id)["reward.expected"] == 950
    assert sums(story_id=rice.id)["reward.expected"] == 500
    assert rewards.earnings(cast.sharer).expected_minor == 1450
    assert [r.accrued_minor for r in rewards.of_orders([placed.order_id])] == [950, 500]


@pytest.mark.parametrize("ended", ["called off", "by time", "taken over by a newer order"])
def test_defect_09_money_for_an_order_that_ended_goes_back_and_the_order_stays_ended(cast, ended):
    placed, start = buy(cast, quantity=10)
    late = AT + timedelta(minutes=31)
    if ended == "called off":
        orders.cancel(order_id=placed.order_id, by=member(cast.buyer), buyer_id=cast.buyer, at=AT)
    elif ended == "by time":
        orders.expire_due(at=late)
    else:
        orders.place(buyer_id=cast.buyer, lines=[(cast.tea, 10)], address=cast.address, at=AT)
    before = sold.order_by_id(placed.order_id)
    assert pay(placed, start, late).outcome == "refunding"
    assert pay(placed, start, late).outcome == "repeated"
    drain(late)
    after = sold.order_by_id(placed.order_id)
    assert (after.status, after.paid_at, after.cancel_reason) == ("CANCELLED", None, before.cancel_reason)
    have = sums(book_id=cast.buyer)
    assert not any(have.values()) and not any(books.money_in_flight().values())
    assert sums(book_id=cast.sharer) == {} and books.verify().ok


def test_defect_13_what_is_owed_is_the_malls_own_word_and_checked_against_the_notice(cast):
    with pytest.raises(Refusal) as said:  # the client says what it saw; it is refused, not charged
        orders.place(buyer_id=cast.buyer, lines=[(cast.tea, 1)], address=cast.address, at=AT, expected_minor=1)
    assert said.value.code == "price_changed"
    placed, start = buy(cast)
    assert Payment.objects.get(id=start.payment_id).amount_minor == placed.total_minor == 14_500
    for amount in (1, placed.total_minor - 1):
        again = payments.open_payment(
            order_id=placed.order_id, buyer_id=cast.buyer, order_no=placed.no, amount_minor=placed.total_minor,
            provider="sandbox", return_url="http://x/", at=AT,
        )  # fmt: skip
        assert pay(placed, again, amount_minor=amount).outcome == "refunding"
        assert sold.order_by_id(placed.order_id).status == "PLACED"


def test_defect_16_shares_add_up_to_the_cent_and_the_base_is_what_was_paid(cast):
    for total, weights in ((1000, [24, 48, 71] * 3), (998, [1] * 7), (1, [3, 3, 3]), (10**15 + 7, [7, 11, 13])):
        assert sum(largest_remainder(total, weights)) == total
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    by_line = {r.base_minor: r.accrued_minor for r in rewards.of_orders([placed.order_id])}
    assert by_line == {9500: 950, 5000: 500}  # of the price paid, not of the list price of 10,000 and 6,000


def test_defect_20_no_total_is_cached_every_balance_is_its_sum_after_anything(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    ship_and_receive(cast, placed, AT)
    rewarding.mature_due(at=AT + timedelta(days=16))
    purse = rewards.earnings(cast.sharer)
    assert purse.available_minor == sums(book_id=cast.sharer)["reward.available"] == 1450
    for book in AccountBalance.objects.values_list("book_id", flat=True).distinct():
        assert {a: n for a, n in books.balances(book).items() if n} == {
            a: n for a, n in sums(book_id=book).items() if n
        }
    # no table keeps an amount per member or per sharer outside the books
    from django.apps import apps

    kept = {
        f"{m.__name__}.{f.name}"
        for m in apps.get_models()
        if m.__module__.startswith("tongzhou.")
        for f in m._meta.get_fields()
        if re.search(r"(balance|total|available|earned|withdrawn_minor)", f.name)
    }
    assert kept == {"Order.total_minor"}  # an agreed price, never repaired
