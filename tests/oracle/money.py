"""From facts to money: what every book must say once everything has been heard."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.oracle.facts import (
    Captured,
    Delivered,
    Disputed,
    DisputeLost,
    DisputeWon,
    Ended,
    Fact,
    Ledgered,
    PayoutAsked,
    PayoutFailed,
    PayoutPaid,
    Placed,
    Refunded,
    RefundPaid,
)
from tests.oracle.rules import reward_due, tax_due

CHINA = timezone(timedelta(hours=8))


@dataclass
class OrderMoney:
    """One order in its buyer's book, on each account's normal side."""

    gateway: int = 0
    deposit: int = 0
    goods: int = 0
    freight: int = 0
    returning: int = 0
    suspense: int = 0
    disputed: int = 0
    loss: int = 0


@dataclass
class Purse:
    """One sharer's book. ``undecided``: a chargeback is open on something of it, so that how much of what matured
    is held back depends on what was still there; only the sum of held, available and owed is said then."""

    expected: int = 0
    held: int = 0
    available: int = 0
    receivable: int = 0
    in_payout: int = 0
    bank: int = 0
    tax: int = 0
    expense: int = 0
    prepaid: int = 0
    undecided: bool = False


@dataclass
class Answer:
    """Everything."""

    orders: dict[Any, OrderMoney] = field(default_factory=dict)
    rewards: dict[Any, int] = field(default_factory=dict)
    purses: dict[Any, Purse] = field(default_factory=dict)
    suppliers: dict[Any, int] = field(default_factory=dict)


@dataclass
class _Order:
    placed: Placed
    lines: dict[Any, Ledgered]
    captured: int = 0
    not_owed: int = 0
    paid: bool = False
    open: bool = True
    freight_earned: bool = False
    freight_back: bool = False
    sent_back: int = 0
    taken: int = 0
    fees: int = 0
    lost: bool = False
    answered: int = 0  # what a lost chargeback paid instead of refunds and deposits

    @property
    def total(self) -> int:
        return sum(x.line.amount for x in self.lines.values()) + self.placed.freight


def answer(facts: Iterable[Fact], now: datetime) -> Answer:
    """The money at ``now``, everything heard and every window looked at."""
    orders: dict[Any, _Order] = {}
    asked: dict[Any, PayoutAsked] = {}
    paid: list[PayoutPaid] = []
    for fact in facts:
        if isinstance(fact, Placed):
            orders[fact.order] = _Order(fact, {line.key: Ledgered(line) for line in fact.lines})
        elif isinstance(fact, PayoutAsked):
            asked[fact.payout] = fact
        elif isinstance(fact, PayoutFailed):
            del asked[fact.payout]
        elif isinstance(fact, PayoutPaid):
            paid.append(fact)
        else:
            _tell(orders[fact.order], fact)
    said = Answer()
    for key, order in orders.items():
        said.orders[key] = _order_money(order)
        _suppliers(said, order)
        _rewards(said, order, now)
    _payouts(said, asked, paid)
    return said


def _tell(order: _Order, fact: Fact) -> None:
    if isinstance(fact, Captured):
        order.captured += fact.amount
        if order.open and not order.paid and fact.amount >= order.total:
            order.paid = True
            order.not_owed += fact.amount - order.total
        else:
            order.not_owed += fact.amount
    elif isinstance(fact, Ended):
        order.open = False
    elif isinstance(fact, RefundPaid):
        order.sent_back += fact.amount
    elif isinstance(fact, Delivered):
        for key in fact.lines:
            order.lines[key].delivered = fact.at
        order.freight_earned = not order.freight_back
    elif isinstance(fact, Disputed):
        order.taken, order.fees = fact.taken, order.fees + fact.fee
    elif isinstance(fact, DisputeWon):
        order.taken, order.fees = 0, order.fees - fact.fee_back
    elif isinstance(fact, DisputeLost):
        _lose(order)
    elif isinstance(fact, Refunded):
        _refund(order, order.lines[fact.line], fact)


def _refund(order: _Order, line: Ledgered, fact: Refunded) -> None:
    n, q = line.line.amount, line.line.quantity
    amount = fact.amount
    if amount is None:  # what these units are worth: the running share, so that the last takes what is left
        amount = n * (line.units + fact.units) // q - n * line.units // q
        amount = min(amount, n - line.refunded)
    line.refunded += amount
    line.units += fact.units
    everything = all(x.over for x in order.lines.values())
    if everything and not any(x.delivered for x in order.lines.values()):
        order.freight_back = True


def _lose(order: _Order) -> None:
    """The payer keeps it: what was not delivered is given up, and what was on its way back is thereby paid."""
    order.lost = True
    if order.paid:
        for x in order.lines.values():
            if x.delivered is None:
                x.refunded, x.units = x.line.amount, x.line.quantity
        if not any(x.delivered for x in order.lines.values()):
            order.freight_back = True
    order.answered = _order_money(order).returning


def _order_money(order: _Order) -> OrderMoney:
    goods = deposit = given_back = 0
    if order.paid:
        for x in order.lines.values():
            kept = x.line.amount - x.refunded
            given_back += x.refunded
            if x.delivered:
                goods += kept
            else:
                deposit += kept
    freight = order.placed.freight if order.freight_earned else 0
    if order.paid and not order.freight_earned:
        if order.freight_back:
            given_back += order.placed.freight
        else:
            deposit += order.placed.freight
    owed_back = order.not_owed + given_back
    return OrderMoney(
        order.captured - order.sent_back - order.taken - order.fees, deposit, goods, freight,
        owed_back - order.sent_back - order.answered, 0, 0 if order.lost else order.taken,
        order.fees + (order.taken - order.answered if order.lost else 0),
    )  # fmt: skip


def _suppliers(said: Answer, order: _Order) -> None:
    for x in order.lines.values():
        if x.delivered and x.line.cost:
            kept = x.line.cost * (x.line.quantity - x.units) // x.line.quantity
            said.suppliers[x.line.supplier] = said.suppliers.get(x.line.supplier, 0) + kept


def _rewards(said: Answer, order: _Order, now: datetime) -> None:
    placed = order.placed
    if placed.sharer is None or placed.sharer == placed.buyer or not order.paid:
        return
    purse = said.purses.setdefault(placed.sharer, Purse())
    for key, x in order.lines.items():
        due = reward_due(x.line.amount, x.line.cost, placed.rate_bp, placed.share_bp, x.refunded)
        due = 0 if order.lost else due
        said.rewards[key] = due
        if x.delivered is None:
            purse.expected += due
            purse.prepaid += due
            continue
        purse.expense += due
        purse.undecided |= bool(order.taken and not order.lost and due)
        if x.delivered + timedelta(days=placed.window) <= now:
            purse.available += due
        else:
            purse.held += due


def _payouts(said: Answer, asked: dict[Any, PayoutAsked], paid: list[PayoutPaid]) -> None:
    """What was asked for has left "available"; below zero it is owed back. Tax follows the year, release by release."""
    ended = {p.payout for p in paid}
    for payout, fact in asked.items():
        purse = said.purses.setdefault(fact.sharer, Purse())
        purse.available -= fact.amount
        if payout not in ended:
            purse.in_payout += fact.amount
    years: dict[tuple[Any, int], list[Any]] = {}
    for p in sorted(paid, key=lambda p: p.released):
        fact, day = asked[p.payout], p.released.astimezone(CHINA)
        year = years.setdefault((fact.sharer, day.year), [0, 0, day.month])
        year[0] += fact.amount
        tax = tax_due(year[0], day.month - year[2] + 1, year[1])
        year[1] += tax
        said.purses[fact.sharer].tax += tax
        said.purses[fact.sharer].bank -= fact.amount - tax
    for purse in said.purses.values():
        purse.available, purse.receivable = max(0, purse.available), max(0, -purse.available)
