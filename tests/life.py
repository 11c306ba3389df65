"""A mall's life as a state machine: real commands, a moving clock, and facts that arrive late, twice and out of order.

After every step the books must verify and each buyer's book must say what the oracle says. Whenever
everything has been heard (:meth:`Life.settle_down`, and at the end), every balance must.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import F, Q, Sum
from django_tasks_db.models import DBTaskResult
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests import oracle
from tests.cast import AT
from tests.life_stage import RATE_BP, SHARE_BP, WANTS, WINDOW, Asked, Bought, Draw, Stage, set_stage, sums, together
from tongzhou.catalog import queries as goods
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import outbox, worker
from tongzhou.kit.actor import SYSTEM, member
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.ledger import sql
from tongzhou.ledger.models import Transfer
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.orders.models import Order, OrderLine
from tongzhou.orders.values import RefundItem
from tongzhou.payments import commands as payments
from tongzhou.payments.models import Dispute, Payment, Refund
from tongzhou.payments.values import Notice, RefundOutcome
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.values import RailOutcome
from tongzhou.plans import queries as plans
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

__all__ = ["Life", "set_stage", "sums"]


class Life(RuleBasedStateMachine):
    """Everything that may happen, in any order."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        for forget in (sql.forget, plans.forget, goods.forget):
            forget()
        self.now = AT
        self.facts: list[oracle.Fact] = []
        self.bought: list[Bought] = []
        self.asked: list[Asked] = []
        self.events: list[Notice] = []
        self.posted = 0
        self.room = transaction.atomic()
        self.room.__enter__()

    # — what may happen —

    @initialize(wants=WANTS)
    def begin(self, wants: dict[int, int]) -> None:
        self.order(0, 0, wants, pays=True)

    @rule(
        buyer=st.integers(0, 1),
        code=st.sampled_from([0, 0, 1, None]),
        pays=st.sampled_from([True, True, False]),
        wants=WANTS,
    )
    def buy(self, buyer: int, code: int | None, pays: bool, wants: dict[int, int]) -> None:
        self.order(buyer, code, wants, pays)

    @rule(wants=WANTS, hours=st.sampled_from([0, 24, 24 * 16]))
    def a_sale_from_end_to_end(self, wants: dict[int, int], hours: int) -> None:
        """Bought and received; the facts of it are still under way."""
        order = self.order(0, 0, wants, pays=True)
        self.ship_one(order, part=False)
        self.receive_one(order)
        self.now += timedelta(hours=hours)

    @rule(data=st.data(), share=st.sampled_from([500, 1000]))
    def a_payout_from_end_to_end(self, data: Draw, share: int) -> None:
        """Everything is heard and matured, and the first sharer is paid."""
        if self.asked:
            return
        self.now += timedelta(days=WINDOW + 1)
        self.settle_all(data)
        self.ask(0, share)
        while self.asked:
            self.step(self.asked[0], good=True)

    def order(self, buyer: int, code: int | None, wants: dict[int, int], pays: bool) -> Bought:
        stage = self.stage
        placed = orders.place(
            buyer_id=stage.buyers[buyer], lines=[(stage.skus[i], n) for i, n in wants.items()],
            address=stage.cast.address, at=self.now, sharer_code="" if code is None else stage.codes[code],
        )  # fmt: skip
        row, lines = sold.order_by_id(placed.order_id), sold.lines_of([placed.order_id])[placed.order_id]
        agreed = tuple(
            oracle.Line(x.id, x.amount_minor, x.quantity, x.supplier_id, x.cost_minor)
            for x in lines
            if x.kind == "goods"
        )
        freight = sum(x.amount_minor for x in lines if x.kind == "freight")
        self.facts.append(
            oracle.Placed(row.id, row.buyer_id, row.sharer_id, agreed, freight, RATE_BP, SHARE_BP, WINDOW)
        )
        self.bought.append(Bought(row.id, row.no, row.buyer_id, placed.total_minor, []))
        trade = self.open_trade(self.bought[-1])
        if pays:
            self.tell(
                self.bought[-1], Notice("sandbox", str(new_id()), trade, "succeeded", placed.total_minor, "CNY", "t")
            )
        return self.bought[-1]

    def open_trade(self, order: Bought) -> str:
        start = payments.open_payment(
            order_id=order.id, buyer_id=order.buyer, order_no=order.no, amount_minor=order.total, provider="sandbox",
            return_url="http://x/", at=self.now,
        )  # fmt: skip
        if start.trade_no not in order.trades:
            order.trades.append(start.trade_no)
        return start.trade_no

    def pick(self, data: Draw, what: list[Any]) -> Any:
        return data.choice(what) if isinstance(data, Random) else what[data.draw(st.integers(0, len(what) - 1))]

    def shuffled(self, data: Draw, rows: list[Any]) -> list[Any]:
        return data.sample(rows, len(rows)) if isinstance(data, Random) else data.draw(st.permutations(rows))

    @precondition(lambda self: self.bought)
    @rule(data=st.data(), more=st.sampled_from([0, 0, 0, 0, -1, 137]), outcome=st.sampled_from(["succeeded"] * 5 + ["failed"]),
          again=st.booleans())  # fmt: skip
    def notice(self, data: Draw, more: int, outcome: str, again: bool) -> None:
        order = self.pick(data, self.bought)
        if order.disputes:  # a second payment of a disputed order has a test of its own
            return
        trade = self.open_trade(order) if again else self.pick(data, order.trades)
        said = Notice("sandbox", str(new_id()), trade, outcome, order.total + more, "CNY", "t")
        self.tell(order, said)

    def tell(self, order: Bought, said: Notice) -> None:
        self.events.append(said)
        orders.settle(said, at=self.now)
        if said.outcome == "succeeded" and said.trade_no not in order.taken:
            order.taken.add(said.trade_no)
            self.facts.append(oracle.Captured(order.id, said.trade_no, said.amount_minor))

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def repeat_notice(self, data: Draw) -> None:
        said = self.pick(data, self.events)
        assert orders.settle(said, at=self.now).outcome == "repeated"

    @precondition(lambda self: self.events and self.bought)
    @rule(data=st.data(), kind=st.sampled_from(["currency", "trade", "amount", "event"]))
    def wrong_notice(self, data: Draw, kind: str) -> None:
        said, order = self.pick(data, self.events), self.pick(data, self.bought)
        if order.disputes:
            return
        right = Notice("sandbox", str(new_id()), self.open_trade(order), "succeeded", order.total, "CNY", "t")
        if kind == "event":  # a number used before, about another payment: no money is lost by it
            self.tell(order, replace(right, event_id=said.event_id))
            return
        changed = {"currency": {"currency": "USD"}, "trade": {"trade_no": "P-nobody"}, "amount": {"amount_minor": 0}}
        self.refused(lambda: orders.settle(replace(right, **changed[kind]), at=self.now))

    def refused(self, call: Callable[[], Any]) -> None:
        """The call is refused and writes no money."""
        before = Transfer.objects.count()
        try:
            with transaction.atomic():
                call()
        except Refusal:
            assert Transfer.objects.count() == before
            return
        raise AssertionError("was not refused")

    @precondition(lambda self: Order.objects.filter(status__in=["PLACED", "PAID"]).exists())
    @rule(data=st.data())
    def call_off(self, data: Draw) -> None:
        order = self.pick(data, self.bought)
        if sold.order_by_id(order.id).status not in ("COMPLETED", "CANCELLED"):
            self.call_off_one(order)

    def call_off_one(self, order: Bought) -> None:
        row = sold.order_by_id(order.id)
        lines = [x for x in sold.lines_of([order.id])[order.id] if x.kind == "goods"]
        if row.status == "PLACED":
            orders.cancel(order_id=order.id, by=member(order.buyer), buyer_id=order.buyer, at=self.now)
            self.facts.append(oracle.Ended(order.id))
        elif row.status == "PAID":
            orders.cancel(order_id=order.id, by=member(order.buyer), buyer_id=order.buyer, at=self.now)
            self.facts += [
                oracle.Refunded(order.id, x.id, x.quantity - x.refunded_quantity, x.amount_minor - x.refunded_minor)
                for x in lines
                if x.refunded_quantity < x.quantity
            ]
        else:
            self.refused(lambda: orders.cancel(order_id=order.id, by=SYSTEM, at=self.now))

    @rule(hours=st.sampled_from([0, 1, 24, 24 * 9, 24 * 16]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        if hours:
            due = [o for o in self.bought if sold.order_by_id(o.id).status == "PLACED"]
            orders.expire_due(at=self.now)
            for order in due:
                if sold.order_by_id(order.id).status == "CANCELLED":
                    self.facts.append(oracle.Ended(order.id))

    @precondition(lambda self: Order.objects.filter(status__in=["PAID", "SHIPPED"]).exists())
    @rule(data=st.data(), part=st.booleans())
    def ship(self, data: Draw, part: bool) -> None:
        self.ship_one(self.pick(data, self.bought), part)

    def ship_one(self, order: Bought, part: bool) -> None:
        todo = {
            x.id: x.quantity - x.shipped_quantity - x.refunded_quantity
            for x in sold.lines_of([order.id])[order.id]
            if x.kind == "goods" and x.quantity > x.shipped_quantity + x.refunded_quantity
            and x.refunded_minor < x.amount_minor
        }  # fmt: skip
        if sold.order_by_id(order.id).status not in ("PAID", "SHIPPED") or not todo:
            return
        if any(x.disputed == "open" for x in sold.lines_of([order.id])[order.id]):
            self.refused(
                lambda: fulfilment.ship(
                    order_id=order.id, carrier="yunda", tracking_no="YD1234567", by=self.stage.cast.owner, at=self.now
                )
            )
            return
        lines = {next(iter(todo)): 1} if part else None
        fulfilment.ship(
            order_id=order.id, carrier="yunda", tracking_no="YD1234567", by=self.stage.cast.owner, at=self.now,
            lines=lines,
        )  # fmt: skip

    @precondition(lambda self: OrderLine.objects.filter(shipped_quantity__gt=0, delivered_at=None).exists())
    @rule(data=st.data())
    def receive(self, data: Draw) -> None:
        self.receive_one(self.pick(data, self.bought))

    def receive_one(self, order: Bought) -> None:
        before = {x.id for x in sold.lines_of([order.id])[order.id] if x.delivered_at}
        if not any(x.shipped_quantity for x in sold.lines_of([order.id])[order.id]):
            return
        if (
            sold.order_by_id(order.id).status == "CANCELLED"
        ):  # the bank took the money while the goods were on their way
            return
        fulfilment.confirm_receipt(order_id=order.id, by=member(order.buyer), buyer_id=order.buyer, at=self.now)
        now = [x for x in sold.lines_of([order.id])[order.id] if x.delivered_at and x.id not in before]
        if now:
            arrived = tuple(x.id for x in now if x.kind == "goods")
            self.facts.append(oracle.Delivered(order.id, arrived, self.now))

    def refundable(self) -> list[OrderLine]:
        """Goods of paid orders, but not what is on its way: after-sale lets nobody ask for that yet."""
        rows = OrderLine.objects.filter(
            order__paid_at__isnull=False, kind="goods", refunded_minor__lt=F("amount_minor")
        ).exclude(disputed="lost")
        return list(rows.filter(Q(shipped_quantity=0) | Q(delivered_at__isnull=False)).order_by("-id"))

    @precondition(lambda self: self.refundable())
    @rule(
        data=st.data(), units=st.sampled_from([1, 1, 2, 3]), share=st.sampled_from([None, None, 0, 1, 333, 500, 1000])
    )
    def refund(self, data: Draw, units: int, share: int | None) -> None:
        x = self.pick(data, self.refundable())
        order = next(o for o in self.bought if o.id == x.order_id)
        left = x.amount_minor - x.refunded_minor
        amount = None if share is None else left * share // 1000
        if amount is not None:
            units = 0  # an amount without units back: compensation
        item = RefundItem(x.id, units, amount)
        nothing = not units and not amount
        if nothing or units > x.quantity - x.refunded_quantity:
            self.refused(lambda: self.give_back(order, "never", item))
            return
        reference = f"r{new_id().hex}"
        self.give_back(order, reference, item)
        order.refunds.append((reference, item))
        self.facts.append(oracle.Refunded(order.id, x.id, units, amount))

    def give_back(self, order: Bought, reference: str, item: RefundItem) -> Any:
        return orders.refund(order_id=order.id, items=[item], reference=reference, by=SYSTEM, at=self.now)

    @precondition(lambda self: any(o.refunds for o in self.bought))
    @rule(data=st.data())
    def repeat_refund(self, data: Draw) -> None:
        order = self.pick(data, [o for o in self.bought if o.refunds])
        reference, item = self.pick(data, order.refunds)
        assert self.give_back(order, reference, item).repeated

    @precondition(lambda self: Refund.objects.filter(status="REQUESTED").exists())
    @rule(data=st.data(), fails=st.booleans())
    def provider_answers_a_refund(self, data: Draw, fails: bool) -> None:
        rows = self.sendable()
        if rows:
            self.answer_refund(self.pick(data, rows), fails)

    def sendable(self) -> list[Refund]:
        """Refunds the worker would send: not those whose payment the bank has taken back for now."""
        rows = Refund.objects.filter(status="REQUESTED").order_by("id")
        return [row for row in rows if not payments.waits_for_dispute(row.payment_id)]

    def answer_refund(self, row: Refund, fails: bool) -> None:
        if fails:
            payments.record_refund(row.id, RefundOutcome("failed", reason="account closed"), at=self.now)
            payments.retry_refund(refund_id=row.id, by=SYSTEM, at=self.now)
            return
        for _twice in range(2):
            payments.record_refund(row.id, RefundOutcome("succeeded", "r"), at=self.now)
        self.facts.append(oracle.RefundPaid(row.order_id, row.amount_minor))

    # — chargebacks —

    @precondition(lambda self: any(len(o.taken) == 1 and not o.disputes for o in self.bought))
    @rule(data=st.data(), fee=st.sampled_from([0, 1500]), ends=st.sampled_from(["", "", "won", "lost"]))
    def the_bank_takes_a_payment_back(self, data: Draw, fee: int, ends: str) -> None:
        """All the mall still has of it. Sometimes its end is the first that is heard of it."""
        order = self.pick(data, [o for o in self.bought if len(o.taken) == 1 and not o.disputes])
        self.take_back(order, fee, ends)

    def take_back(self, order: Bought, fee: int, ends: str = "") -> None:
        row = Payment.objects.get(trade_no=next(iter(order.taken)))
        done = Refund.objects.filter(payment_id=row.id, status="SUCCEEDED").aggregate(n=Sum("amount_minor", default=0))[
            "n"
        ]
        left = row.captured_minor - done
        if not left:
            return
        said = Notice(
            "sandbox",
            str(new_id()),
            row.trade_no,
            "dispute_opened",
            left,
            "CNY",
            dispute_no=f"D{order.no}",
            fee_minor=fee,
        )
        order.disputes.append(said)
        self.refused(lambda: orders.settle(replace(said, amount_minor=left + 1), at=self.now))
        self.facts.append(oracle.Disputed(order.id, left, fee))
        if ends:
            self.decide(order, ends)
            unheard = fee and ends == "won"  # its end spoke of no fee: the beginning tells it
            assert orders.settle(said, at=self.now).outcome == ("fee" if unheard else "repeated")
            return
        assert orders.settle(said, at=self.now).outcome == "opened"

    @precondition(lambda self: any(len(o.disputes) == 1 for o in self.bought))
    @rule(data=st.data(), how=st.sampled_from(["won", "lost"]))
    def the_bank_decides(self, data: Draw, how: str) -> None:
        self.decide(self.pick(data, [o for o in self.bought if len(o.disputes) == 1]), how)

    def decide(self, order: Bought, how: str) -> None:
        first = order.disputes[0]
        heard = Dispute.objects.filter(dispute_no=first.dispute_no).exists()
        back = first.fee_minor if how == "won" and heard else 0
        fee = first.fee_minor if how == "lost" and not heard else back
        said = replace(first, event_id=str(new_id()), outcome=f"dispute_{how}", fee_minor=fee)
        order.disputes.append(said)
        assert orders.settle(said, at=self.now).outcome == how
        assert orders.settle(said, at=self.now).outcome == "repeated"
        self.facts.append(oracle.DisputeWon(order.id, back) if how == "won" else oracle.DisputeLost(order.id))

    @rule()
    def mature(self) -> None:
        rewarding.mature_due(at=self.now)

    @precondition(lambda self: Transfer.objects.filter(credit="reward.available").exists())
    @rule(who=st.integers(0, 1), share=st.sampled_from([1, 500, 1000, 1000, 1001]))
    def ask_for_payout(self, who: int, share: int) -> None:
        self.ask(who, share)

    def ask(self, who: int, share: int) -> None:
        sharer = self.stage.sharers[who]
        have = sums(book_id=sharer)
        free = have.get("reward.available", 0) - have.get("receivable.clawback.reward", 0)
        amount = free * share // 1000
        under_way = any(a.sharer == sharer for a in self.asked)
        if amount < 100 or amount > free or under_way:
            self.refused(lambda: payouts.request(member_id=sharer, amount_minor=max(amount, 1), at=self.now))
            return
        identity = payouts.request(member_id=sharer, amount_minor=amount, at=self.now)
        self.asked.append(Asked(identity, sharer))
        self.facts.append(oracle.PayoutAsked(identity, sharer, amount))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), good=st.sampled_from([True, True, True, False]))
    def payout_goes_on(self, data: Draw, good: bool) -> None:
        self.step(self.pick(data, self.asked), good)

    def step(self, asked: Asked, good: bool) -> None:
        """Checked, released, sent, ended; or turned down."""
        cast = self.stage.cast
        if asked.step < 2 and not good:
            payouts.reject(payout_id=asked.id, reason="资料不全", by=cast.finance, at=self.now)
        elif asked.step < 2:
            by = (cast.owner, cast.finance)[asked.step]
            payouts.release(payout_id=asked.id, by=by, at=self.now)
            asked.step, asked.released = asked.step + 1, self.now
            return
        elif asked.step == 2:
            payouts.mark_sent(asked.id, at=self.now)
            asked.step = 3
            return
        else:
            for _twice in range(2):
                payouts.record(asked.id, RailOutcome("paid" if good else "failed", "x"), at=self.now)
        self.asked.remove(asked)
        ended = (
            oracle.PayoutPaid(asked.id, asked.released) if good and asked.step == 3 else oracle.PayoutFailed(asked.id)
        )
        self.facts.append(ended)

    # — how facts travel —

    def hear(self, rows: list[Any]) -> None:
        """Deliver these rows as a worker would, in this order."""
        for row in rows:
            handler, fact = outbox.handler(row.args_kwargs["args"][0])
            worker._deliver(handler, fact, [row], self.now)
            DBTaskResult.objects.filter(id=row.id).update(status=worker.DONE)

    def waiting(self) -> list[Any]:
        return list(DBTaskResult.objects.filter(queue_name="outbox", status=worker.READY).order_by("id"))

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), most=st.integers(1, 5))
    def some_facts_arrive(self, data: Draw, most: int) -> None:
        rows = self.waiting()
        if rows:
            self.hear(self.shuffled(data, rows)[:most])

    @precondition(lambda self: self.waiting())
    @rule(data=st.data())
    def facts_arrive_together(self, data: Draw) -> None:
        """One batch of one handler, as the worker claims them, but in any order."""
        groups: dict[str, list[Any]] = {}
        for row in self.waiting():
            groups.setdefault(row.args_kwargs["args"][0], []).append(row)
        if groups:
            rows = self.shuffled(data, self.pick(data, sorted(groups.values(), key=len)))
            handler, fact = outbox.handler(rows[0].args_kwargs["args"][0])
            worker._deliver(handler, fact, rows, self.now)
            DBTaskResult.objects.filter(id__in=[row.id for row in rows]).update(status=worker.DONE)

    @rule(data=st.data())
    def an_old_fact_arrives_again(self, data: Draw) -> None:
        rows = list(DBTaskResult.objects.filter(queue_name="outbox", status=worker.DONE).order_by("id"))
        if rows:
            self.hear([self.pick(data, rows)])

    @precondition(lambda self: self.waiting())
    @rule(data=st.data())
    def settle_down(self, data: Draw) -> None:
        self.settle_all(data)

    def settle_all(self, data: Draw) -> None:
        while rows := self.waiting():
            self.hear(self.shuffled(data, rows))
        rewarding.mature_due(at=self.now)
        self.compare()

    # — what must hold —

    @invariant()
    def the_books_hold(self) -> None:
        """The ledger's own proofs that are quick, and each order, whenever something was posted."""
        posted = Transfer.objects.count()
        if posted != self.posted:
            self.posted = posted
            self.verify(only=("balances_are_sums", "constraints_hold", "reversals"))
            self.each_order_is_as_the_oracle_says()

    def verify(self, only: tuple[str, ...] = ()) -> None:
        report = books.verify(only=only)
        assert report.ok, report.problems

    def each_order_is_as_the_oracle_says(self) -> None:
        for key, want in oracle.answer(self.facts, self.now).orders.items():
            have = sums(story_id=key)
            got = oracle.OrderMoney(
                have.get("gateway.sandbox", 0), have.get("deposit.orders", 0), have.get("revenue.goods", 0),
                have.get("revenue.freight", 0), have.get("refund.in_transit", 0), have.get("suspense.payments", 0),
                have.get("receivable.dispute", 0), have.get("expense.dispute", 0),
            )  # fmt: skip
            assert got == want, (got, want)

    def compare(self) -> None:
        """Everything has been heard: rewards, purses and payables too."""
        self.verify()
        want = oracle.answer(self.facts, self.now)
        for line, due in want.rewards.items():
            have = sums(story_id=line, book_id__in=self.stage.sharers)
            assert have.get("prepaid.rewards", 0) + have.get("expense.rewards", 0) == due
        for sharer in self.stage.sharers:
            have = sums(book_id=sharer)
            got = oracle.Purse(
                *(have.get(a, 0) for a in (
                    "reward.expected", "reward.held", "reward.available", "receivable.clawback.reward",
                    "payout.in_transit.reward", "bank", "tax.withheld", "expense.rewards", "prepaid.rewards")),
            )  # fmt: skip
            due = want.purses.get(sharer, oracle.Purse())
            if due.undecided:
                got, due = together(got), together(due)
            assert got == due, (got, due)
        have = sums(book_id=self.stage.cast.supplier)
        owed = have.get("payable.supplier", 0) - have.get("receivable.supplier", 0)
        assert owed == sum(want.suppliers.values())
        assert rewards.summary()[0].balanced

    def finish(self) -> None:
        """Bring everything to its end: nothing may be stuck."""
        self.now += timedelta(hours=1)
        self.time_passes(1)
        for order in self.bought:
            if len(order.disputes) == 1:
                self.decide(order, "won" if order.total % 2 else "lost")
        for order in self.bought:
            self.ship_one(order, part=False)
            self.receive_one(order)
        while self.asked:
            self.step(self.asked[0], good=True)
        for row in list(Refund.objects.filter(status="REQUESTED").order_by("id")):
            self.answer_refund(row, fails=False)
        while rows := self.waiting():
            self.hear(rows)
        self.now += timedelta(days=WINDOW + 1)
        rewarding.mature_due(at=self.now)
        self.each_order_is_as_the_oracle_says()
        self.compare()
        stuck = {account: n for account, n in books.money_in_flight().items() if n}
        assert not stuck, stuck

    def teardown(self) -> None:
        try:
            self.finish()
        finally:
            self.close()

    def close(self) -> None:
        """Forget this life; the next begins on the same stage."""
        transaction.set_rollback(True)
        self.room.__exit__(None, None, None)
