"""Cases: refusals change nothing, asking again is allowed, and a buyer is never refused because of a sharer."""

from datetime import timedelta

import pytest
from tests.cast import AT, assemble
from tests.test_story import buy, drain, pay, ship_and_receive

from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale.models import Case, CaseLine
from tongzhou.catalog import queries as goods
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit.actor import Actor, member
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as sold
from tongzhou.orders.models import OrderLine
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(days=2)


@pytest.fixture
def cast():
    return assemble()


def order(cast, *, received=True, quantity=2):
    placed, start = buy(cast, quantity=quantity)
    pay(placed, start)
    drain(AT)
    if received:
        ship_and_receive(cast, placed, LATER)
    tea = next(x for x in sold.lines_of([placed.order_id])[placed.order_id] if x.sku_id == cast.tea)
    return placed.order_id, tea


def ask(cast, order_id, tea, units=1, reason="quality", at=LATER, **more):
    return aftersale.open_case(
        order_id=order_id, buyer_id=cast.buyer, units={tea.id: units}, reason=reason, at=at, **more
    )


def refused(code, cast, call):
    def state():
        return (
            list(Case.objects.order_by("id").values()), CaseLine.objects.count(),
            list(OrderLine.objects.order_by("id").values()), books.balances(cast.buyer),
        )  # fmt: skip

    before = state()
    with pytest.raises(Refusal) as said:
        call()
    assert said.value.code == code
    assert state() == before


def test_cases_that_are_refused(cast):
    order_id, tea = order(cast)
    no = lambda code, call: refused(code, cast, call)  # noqa: E731
    stranger = {"order_id": order_id, "buyer_id": cast.sharer, "units": {tea.id: 1}, "reason": "quality", "at": LATER}
    no("order_not_found", lambda: aftersale.open_case(**stranger))
    no("reason_unknown", lambda: ask(cast, order_id, tea, reason="because"))
    no("nothing_chosen", lambda: ask(cast, order_id, tea, units=0))
    no("nothing_chosen", lambda: ask(cast, order_id, tea, units=-1))
    no("refund_exceeds_line", lambda: ask(cast, order_id, tea, units=3))
    no("refund_exceeds_line", lambda: ask(cast, order_id, tea, amount_minor=0))
    no("refund_exceeds_line", lambda: ask(cast, order_id, tea, amount_minor=9_501))
    no("return_not_possible", lambda: ask(cast, order_id, tea, reason="no_reason", at=LATER + timedelta(days=9)))
    stray = OrderLine(id=new_id())
    no("line_not_found", lambda: ask(cast, order_id, stray))
    case = ask(cast, order_id, tea)
    no("case_open", lambda: ask(cast, order_id, tea))
    no("answer_missing", lambda: aftersale.reject(case_id=case, answer="不", by=cast.owner, at=LATER))
    no("case_not_found", lambda: aftersale.withdraw(case_id=case, buyer_id=cast.sharer, at=LATER))
    back = {"case_id": case, "buyer_id": cast.buyer, "carrier": "yunda", "at": LATER}
    no("tracking_invalid", lambda: aftersale.send_back(**back, tracking_no="1'; --"))
    no("state_moved_on", lambda: aftersale.send_back(**back, tracking_no="YD7654321"))
    no("case_not_found", lambda: aftersale.approve(case_id=new_id(), by=cast.owner, at=LATER))


def test_unshipped_units_go_back_at_once_and_twice_is_refused(cast):
    order_id, tea = order(cast, received=False)
    ask(cast, order_id, tea, units=2, reason="other")
    drain(LATER)
    assert OrderLine.objects.get(id=tea.id).refunded_quantity == 2
    refused("refund_exceeds_line", cast, lambda: ask(cast, order_id, tea, units=1))
    assert books.verify().ok


def test_less_money_without_units_before_shipping_waits_for_a_person(cast):
    order_id, tea = order(cast, received=False)
    case = ask(cast, order_id, tea, units=2, reason="other", amount_minor=18_999)
    assert Case.objects.get(id=case).status == "REQUESTED"
    assert OrderLine.objects.get(id=tea.id).refunded_minor == 0


def test_defect_03_a_buyer_may_ask_again_after_a_rejection_a_refund_and_the_sharer_s_maturity(cast):
    order_id, tea = order(cast)
    first = ask(cast, order_id, tea)
    aftersale.reject(case_id=first, answer="请补充照片", by=cast.owner, at=LATER)
    refused("state_moved_on", cast, lambda: aftersale.approve(case_id=first, by=cast.owner, at=LATER))
    at = LATER + timedelta(days=30)
    assert rewarding.mature_due(at=at) == 2
    for _ in range(2):
        case = ask(cast, order_id, tea, at=at)
        aftersale.approve(case_id=case, by=cast.owner, at=at)
        aftersale.send_back(case_id=case, buyer_id=cast.buyer, carrier="yunda", tracking_no="YD7654321", at=at)
        aftersale.receive_back(case_id=case, by=cast.owner, at=at)
        refused("state_moved_on", cast, lambda c=case: aftersale.receive_back(case_id=c, by=cast.owner, at=at))
        drain(at)
    assert OrderLine.objects.get(id=tea.id).refunded_minor == 19_000
    assert rewards.earnings(cast.sharer).available_minor == 500
    assert books.verify().ok


def test_silence_decides(cast):
    order_id, tea = order(cast)
    case = ask(cast, order_id, tea)
    assert aftersale.time_out(at=LATER + timedelta(hours=47)) == (0, 0)
    answered = LATER + timedelta(hours=48)
    assert aftersale.time_out(at=answered) == (1, 0)
    assert aftersale.time_out(at=answered + timedelta(days=7)) == (0, 1)
    assert Case.objects.get(id=case).status == "WITHDRAWN"
    assert OrderLine.objects.get(id=tea.id).refunded_minor == 0


def give(cast, order_id, tea, key="k1", units=0, amount_minor=None, **more):
    asked = {"reason": "damaged", "answer": "一罐有压痕，补偿", "by": cast.owner, "at": LATER, **more}
    return aftersale.grant(key=key, order_id=order_id, line_id=tea.id, units=units, amount_minor=amount_minor, **asked)


def standing(cast):
    now = rewards.earnings(cast.sharer)
    return now.expected_minor + now.held_minor + now.available_minor - now.receivable_minor


def test_the_mall_gives_back_any_amount_of_a_line_and_exactly_that_part_of_the_reward_falls(cast):
    order_id, tea = order(cast)
    assert standing(cast) == 2_400
    no = give(cast, order_id, tea, amount_minor=3_333)
    drain(LATER)
    line = OrderLine.objects.get(id=tea.id)
    assert (line.refunded_minor, line.refunded_quantity) == (3_333, 0)
    assert standing(cast) == 1_566 + 500, "10 % of 156.67, down to the cent, and the other line untouched"
    case = Case.objects.get(no=no)
    assert (case.status, case.amount_minor, case.answer) == ("REFUNDED", 3_333, "一罐有压痕，补偿")
    assert give(cast, order_id, tea, amount_minor=3_333) == no, "the same key once more"
    assert OrderLine.objects.get(id=tea.id).refunded_minor == 3_333 and Case.objects.count() == 1
    refused("idempotency_key_reused", cast, lambda: give(cast, order_id, tea, amount_minor=1))
    refused("refund_exceeds_line", cast, lambda: give(cast, order_id, tea, key="k2", amount_minor=15_668))
    give(cast, order_id, tea, key="k2", amount_minor=15_667)
    drain(LATER)
    assert OrderLine.objects.get(id=tea.id).refunded_minor == 19_000 and standing(cast) == 500
    assert books.verify().ok


@pytest.mark.parametrize("parts", [(1, 9_999, 1), (4_750, 4_750), (6_333, 1, 6_333)])
def test_after_the_sharer_was_free_to_take_it_the_amount_is_owed_back_whatever_the_parts(cast, parts):
    order_id, tea = order(cast)
    at = LATER + timedelta(days=30)
    rewarding.mature_due(at=at)
    for number, amount in enumerate(parts):
        give(cast, order_id, tea, key=f"p{number}", amount_minor=amount, at=at)
        drain(at)
    assert standing(cast) == (19_000 - sum(parts)) // 10 + 500
    assert books.verify().ok


def test_units_given_back_are_worth_their_part_and_go_on_the_shelf_when_sound(cast):
    from tongzhou.catalog import queries as goods

    def shelf():
        return goods.available([cast.tea])[cast.tea]

    order_id, tea = order(cast)
    before = shelf()
    give(cast, order_id, tea, units=1)
    assert shelf() == before + 1 and OrderLine.objects.get(id=tea.id).refunded_minor == 9_500
    give(cast, order_id, tea, key="k2", units=1, amount_minor=5_000, sound=False)
    drain(LATER)
    line = OrderLine.objects.get(id=tea.id)
    assert shelf() == before + 1 and (line.refunded_quantity, line.refunded_minor) == (2, 14_500)
    assert books.verify().ok


def test_all_of_an_unshipped_line_given_back_cancels_it(cast):
    order_id, tea = order(cast, received=False)
    give(cast, order_id, tea, amount_minor=19_000)
    drain(LATER)
    assert OrderLine.objects.get(id=tea.id).refunded_quantity == 2 and standing(cast) == 500
    assert books.verify().ok


def test_what_the_mall_may_not_give_back(cast):
    order_id, tea = order(cast)
    no = lambda code, **asked: refused(code, cast, lambda: give(cast, order_id, tea, **asked))  # noqa: E731
    no("nothing_chosen")
    no("nothing_chosen", units=-1, amount_minor=100)
    no("refund_exceeds_line", amount_minor=0)
    no("refund_exceeds_line", amount_minor=-100)
    no("refund_exceeds_line", amount_minor=19_001)
    no("refund_exceeds_line", units=3)
    no("reason_unknown", amount_minor=100, reason="because")
    no("answer_missing", amount_minor=100, answer=" 补 ")
    refused("line_not_found", cast, lambda: give(cast, order_id, OrderLine(id=new_id()), amount_minor=1))
    own = Actor("operator", cast.buyer, "自己")
    no("own_order", amount_minor=100, by=own)
    ask(cast, order_id, tea)
    no("case_open", amount_minor=100)


def test_units_on_their_way_wait_but_money_does_not(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    fulfilment.ship(order_id=placed.order_id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=AT)
    drain(AT)
    tea = next(x for x in sold.lines_of([placed.order_id])[placed.order_id] if x.sku_id == cast.tea)
    refused("return_not_possible", cast, lambda: give(cast, placed.order_id, tea, units=1))
    give(cast, placed.order_id, tea, amount_minor=100)
    waiting, _start = buy(cast)
    line = next(x for x in sold.lines_of([waiting.order_id])[waiting.order_id] if x.kind == "goods")
    refused("order_not_paid", cast, lambda: give(cast, waiting.order_id, line, key="k3", amount_minor=100))
    assert books.verify().ok


@pytest.mark.parametrize(("sent", "kept"), [(2, 2), (1, 1)])
def test_goods_given_away_on_their_way_still_arrive_and_their_supplier_is_owed_for_them(cast, sent, kept):
    """All the money back while a parcel travels: what was sent is the buyer's, what was not stays on the shelf."""
    order_id, tea = order(cast, received=False)
    rice = next(x for x in sold.lines_of([order_id])[order_id] if x.sku_id == cast.rice)
    fulfilment.ship(
        order_id=order_id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=AT, lines={tea.id: sent, rice.id: 1}
    )  # fmt: skip
    left = goods.available([cast.tea])[cast.tea]
    give(cast, order_id, tea, amount_minor=tea.amount_minor)
    give(cast, order_id, rice, key="k2", amount_minor=rice.amount_minor)
    assert goods.available([cast.tea])[cast.tea] == left + 2 - sent
    assert sold.order_by_id(order_id).status == "SHIPPED"  # a parcel on its way is no cancelled order
    fulfilment.confirm_receipt(order_id=order_id, by=member(cast.buyer), buyer_id=cast.buyer, at=LATER)
    drain(LATER)
    assert sold.order_by_id(order_id).status == "COMPLETED"
    assert books.balances(cast.supplier)["payable.supplier"] == 5000 * kept + 3000
    assert books.balances(cast.buyer).get("revenue.goods", 0) == 0
    assert rewards.earnings(cast.sharer).held_minor == 0
    assert books.verify().ok, books.verify().problems
