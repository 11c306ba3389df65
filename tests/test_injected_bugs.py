"""Checks that never bite prove nothing: one rule at a time is broken in the source, and the life must notice.

Each breakage rewrites one line of one function; a line that no longer exists fails the test, so that
the list cannot go stale.
"""

import importlib
import inspect
import sys
import textwrap
from random import Random

import pytest
from django.db import DatabaseError

from tests.life import Life, set_stage
from tongzhou.kit.refusals import Refusal
from tongzhou.orders.values import RefundItem
from tongzhou.payouts import tax
from tongzhou.payouts.commands import asking
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import maturing
from tongzhou.suppliers import handlers, payables

# a command and its module share a name, and the package shows the command
posting, deliver, refund, settle, dispute, disputes = (
    importlib.import_module(f"tongzhou.{name}")
    for name in ("ledger.commands.post", "orders.commands.deliver", "orders.commands.refund", "orders.commands.settle",
                 "orders.commands.dispute", "payments.disputes")
)  # fmt: skip
pytestmark = pytest.mark.django_db


def part_back(life: Life, order, line: int, units: int, amount: int | None) -> None:
    from tests import oracle

    key = next(f for f in life.facts if isinstance(f, oracle.Placed) and f.order == order.id).lines[line].key
    reference = f"r{len(life.facts)}"
    item = RefundItem(key, units, amount)
    life.give_back(order, reference, item)
    order.refunds.append((reference, item))
    life.facts.append(oracle.Refunded(order.id, key, units, amount))
    life.each_order_is_as_the_oracle_says()


def one_life(life: Life) -> None:
    """Everything the rules are about, once: partial refunds at every stage, clawback, netting, lies, both ends of a payout."""
    dice = Random(14)
    first = life.order(0, 0, {0: 2, 2: 3}, pays=True)
    part_back(life, first, 0, 0, 1)  # before delivery: an odd cent, then a unit
    part_back(life, first, 1, 1, None)
    life.repeat_refund(dice)
    life.time_passes(24 * 9)
    life.ship_one(first, part=False)
    life.receive_one(first)
    life.settle_all(dice)
    life.the_books_hold()
    part_back(life, first, 1, 1, None)
    part_back(life, first, 0, 0, 333)
    late = life.waiting()
    life.hear(late[::-1])
    life.hear(late)  # twice, and now in the other order
    life.time_passes(24 * 9)
    life.settle_all(dice)  # nine days after receipt: nothing is due yet
    life.time_passes(24 * 16)
    life.a_payout_from_end_to_end(dice, 1000)
    part_back(life, first, 0, 1, None)  # after the payout: owed back
    life.settle_all(dice)
    second = life.order(1, 0, {0: 1, 3: 1}, pays=True)
    life.ship_one(second, part=False)
    life.receive_one(second)
    part_back(life, second, 0, 0, 9)
    life.hear(life.waiting()[::-1])  # the refund is heard before the payment
    life.time_passes(24 * 16)
    life.settle_all(dice)  # netted from the next earning
    life.ask(0, 500)
    part_back(life, second, 1, 1, None)  # while a payout is under way, more than is left
    life.settle_all(dice)
    life.step(life.asked[0], good=False)  # turned down: comes back, netting
    life.settle_all(dice)
    lies(life, dice)
    for _ in range(2):
        rich = life.order(0, 0, {3: 3}, pays=True)
        life.ship_one(rich, part=False)
        life.receive_one(rich)
        life.a_payout_from_end_to_end(dice, 1000)  # taxed, and again in the same year
    taken_back(life, dice)
    life.finish()


def taken_back(life: Life, dice: Random) -> None:
    """Chargebacks: of goods that arrived and earned, of goods that were never sent, with a refund that waited; lost and won."""
    arrived, never, kept = (life.order(1, 1, {0: 1, 2: 2}, pays=True) for _ in range(3))
    for order in (arrived, kept):
        life.ship_one(order, part=False)
        life.receive_one(order)
    life.time_passes(24 * 16)
    life.settle_all(dice)  # what they earn has matured
    part_back(life, arrived, 1, 1, None)
    for order, how in ((arrived, "lost"), (kept, "won")):
        life.take_back(order, 1500)
        life.settle_all(dice)
        life.decide(order, how)
        life.settle_all(dice)
    life.take_back(never, 1500, "lost")
    life.settle_all(dice)


def lies(life: Life, dice: Random) -> None:
    """Less than owed, more than owed, twice, too late; cancelled with its freight; two parcels with one freight."""
    from tongzhou.kit.ids import new_id
    from tongzhou.payments.values import Notice

    def told(order, amount):
        life.tell(order, Notice("sandbox", str(new_id()), life.open_trade(order), "succeeded", amount, "CNY", "t"))
        life.each_order_is_as_the_oracle_says()

    order = life.order(1, 0, {2: 1}, pays=False)  # small enough to pay freight
    for amount in (order.total - 1, order.total + 7, order.total):
        told(order, amount)
    life.repeat_notice(dice)
    life.call_off_one(order)
    life.settle_all(dice)
    two = life.order(1, None, {2: 2, 3: 1}, pays=True)
    life.ship_one(two, part=True)
    life.receive_one(two)  # one of two units: not delivered yet
    life.ship_one(two, part=False)
    life.receive_one(two)
    never = life.order(1, 0, {2: 1}, pays=False)
    life.time_passes(1)
    told(never, never.total)
    life.settle_all(dice)


BROKEN = {
    "a reversal ignores the amount": (
        rewarding._legs, "max(0, standing - due)", "standing if line.refunded_minor else 0"),
    "a reversal rounds each refund by itself": (
        rewarding._legs, "max(0, standing - due)",
        "max(0, standing - row.cap_minor + rule_of(row).rate_bp * line.refunded_minor // 10_000)"),
    "what overtook its accrual is not caught up": (
        rewarding._unfinished, "return line.version", "return False and line.version"),
    "suppliers take an older snapshot": (payables, "suppliers_seen.version < excluded", "suppliers_seen.version <> excluded"),
    "suppliers are not asked for returned units": (handlers._leg, "units - line.refunded_units", "units"),
    "a clawback is cut to the balance": (
        posting._parts, "(leg.then, leg.credit, leg.amount - near)]", "(leg.then, leg.credit, 0)]"),
    "an earning does not net what is owed back": (
        maturing._postings, 'nets="receivable.clawback.reward"', 'nets="receivable.points"'),
    "a payout that comes back does not net": (
        asking.give_back, "Fill(TRANSIT, AVAILABLE, row.gross_minor, nets=OWED_BACK)",
        "Move(TRANSIT, AVAILABLE, row.gross_minor)"),
    "the freeze is counted from payment": (
        rewarding._advance, "line.delivered_at + timedelta", "fact.placed_at + timedelta"),
    "less than owed pays the order": (
        settle._take, "or taken.amount_minor < order.total_minor", "or taken.amount_minor < 1"),
    "the notice says what is owed": (
        settle.settle, "owed = order.total_minor if", "owed = taken.amount_minor if"),
    "a refund before delivery comes from revenue": (
        refund._book, 'revenue if delivered else "deposit.orders"', "revenue"),
    "a refund after delivery comes from other deposits": (
        refund._book, 'revenue if delivered else "deposit.orders"', '"deposit.orders"'),
    "the same refund again refunds again": (refund.refund, "    if before:", "    if before is not before:"),
    "the freight of a cancelled order stays": (refund._freight_back, "    return next(", "    return None and next("),
    "delivery earns what was refunded": (deliver.earning_legs, "line.amount_minor - line.refunded_minor", "line.amount_minor"),
    "a lost chargeback leaves the reward": (
        rewarding._legs, 'standing if line.disputed == "lost" else max', "max"),
    "a lost chargeback leaves the deposit": (
        dispute._give_up, 'Move("deposit.orders", "receivable.dispute"', 'Move("expense.dispute", "receivable.dispute"'),
    "a lost chargeback forgets the refund that waited": (disputes._end, "waiting=gone", "waiting=0"),
    "tax forgets what was withheld": (tax.due_now, "- relief_minor - withheld_minor", "- relief_minor"),
    "tax forgets the year so far": (tax.withhold, "before.gross_minor - before.vat_minor + gross_minor", "gross_minor"),
}  # fmt: skip


def break_it(monkeypatch, where, old, new):
    """Rewrite a function (or a module's statement) and put it wherever the original is known."""
    if inspect.ismodule(where):
        assert old in where._TAKE
        monkeypatch.setattr(where, "_TAKE", where._TAKE.replace(old, new))
        return
    original = where
    plain = inspect.unwrap(original)
    source = textwrap.dedent(inspect.getsource(plain))
    assert source.count(old) == 1, f"{plain.__qualname__} no longer says: {old}"
    scope = sys.modules[plain.__module__].__dict__
    before = scope[plain.__name__]
    exec(compile(source.replace(old, new), plain.__module__, "exec"), scope)
    broken = scope[plain.__name__]
    scope[plain.__name__] = before
    for name, module in list(sys.modules.items()):
        if name.startswith("tongzhou.") and getattr(module, plain.__name__, None) is original:
            monkeypatch.setattr(module, plain.__name__, broken)


@pytest.fixture
def here():
    class Here(Life):
        stage = set_stage()

    return Here


def test_nothing_broken_nothing_noticed(here):
    run(here)


@pytest.mark.parametrize("bug", list(BROKEN))
def test_an_injected_bug_is_noticed(here, monkeypatch, bug):
    break_it(monkeypatch, *BROKEN[bug])
    with pytest.raises((AssertionError, Refusal, DatabaseError, ValueError)):
        run(here)


def run(machine):
    life = machine()
    try:
        one_life(life)
    finally:
        life.close()
