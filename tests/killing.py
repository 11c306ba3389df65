"""Thirty order lives whose worker is killed again and again: ``python -m tests.killing SEED FOLDER``.

A process of its own with a database of its own. It forks workers and ends each with SIGKILL at a random
moment, until one of them finds nothing left to do; then it prints what the books and the bank say.
The bank is a folder: one file per number, so that it knows what it did whoever asks.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROUNDS = 150


class Bank:
    """Refunds and payouts, each number once; slow, so that there is time to die in the middle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def redirect_url(self, **_said: Any) -> str:
        return "http://bank/"

    def _do(self, number: str, amount: int) -> None:
        time.sleep(random.random() * 0.006)
        path = self.folder / number
        try:
            with path.open("x") as file:
                file.write(str(amount))
        except FileExistsError:
            (self.folder / f"{number}.again").touch()
        time.sleep(random.random() * 0.006)

    def refund(self, *, trade_no: str, refund_no: str, amount_minor: int) -> Any:
        from tongzhou.payments.values import RefundOutcome

        self._do(refund_no, amount_minor)
        return RefundOutcome("succeeded", "t")

    def query_refund(self, refund_no: str) -> Any:
        from tongzhou.payments.values import RefundOutcome

        return RefundOutcome("succeeded", "t") if (self.folder / refund_no).exists() else None

    def pay(self, *, bill_no: str, amount_minor: int, name: str, account: str) -> Any:
        from tongzhou.payouts.values import RailOutcome

        self._do(bill_no, amount_minor)
        return RailOutcome("paid", "t")

    def query(self, bill_no: str) -> Any:
        from tongzhou.payouts.values import RailOutcome

        return RailOutcome("paid", "t") if (self.folder / bill_no).exists() else None


def lives() -> None:
    """Thirty orders in every state, their facts all still unheard."""
    from tests.cast import AT, assemble
    from tests.test_story import buy, pay
    from tongzhou.catalog import commands as catalog
    from tongzhou.kit.actor import SYSTEM
    from tongzhou.orders import commands as orders
    from tongzhou.orders import queries as sold
    from tongzhou.orders.values import RefundItem

    cast = assemble()
    catalog.set_stock(levels=[(cast.tea, 1000), (cast.rice, 1000)], by=cast.owner, at=AT)
    for n in range(30):
        placed, start = buy(cast, quantity=1 + n % 3)
        pay(placed, start, amount_minor=placed.total_minor + (7 if n % 5 == 0 else 0))
        if n % 7 == 6:
            orders.cancel(order_id=placed.order_id, by=SYSTEM, at=AT)
            continue
        lines = sold.lines_of([placed.order_id])[placed.order_id]
        if n % 3 == 0:
            orders.refund(
                order_id=placed.order_id, items=[RefundItem(lines[0].id, 0, 777)], reference="a", by=SYSTEM, at=AT
            )
        if n % 2 == 0:
            orders.deliver(order_id=placed.order_id, by=SYSTEM, at=AT)
        if n % 4 == 0:
            orders.refund(order_id=placed.order_id, items=[RefundItem(lines[1].id, 1)], reference="b", by=SYSTEM, at=AT)


def payout() -> None:
    """What has matured is asked for and released by two people."""
    from tests.cast import AT
    from tongzhou.kit.actor import member, operator
    from tongzhou.payouts import commands as payouts
    from tongzhou.people import queries as people
    from tongzhou.rewards import commands as rewarding
    from tongzhou.rewards import queries as rewards
    from tongzhou.rewards.models import Reward

    later = AT + timedelta(days=20)
    rewarding.mature_due(at=later)
    sharer = Reward.objects.values_list("sharer_id", flat=True)[0]
    payouts.register_payee(
        member_id=sharer,
        legal_name="林小满",
        account="6222020000001234",
        born="1995-05-05",
        by=member(sharer),
        at=later,
    )
    pid = payouts.request(member_id=sharer, amount_minor=rewards.earnings(sharer).available_minor, at=later)
    for who in people.operators():
        payouts.release(payout_id=pid, by=operator(who, "x"), at=later)


def work(turn: int) -> None:
    """A worker like any other, a little slower; each turn is six minutes later, when the last one's leases are over."""
    from tongzhou.kit import clock, outbox, worker

    at = clock.now() + timedelta(days=30, minutes=6 * turn)
    deliver = worker._deliver

    def slowly(handler: outbox.Handler, fact: type, rows: Any, moment: Any) -> None:
        time.sleep(random.random() * 0.006)
        deliver(handler, fact, rows, moment)
        time.sleep(random.random() * 0.006)

    worker._deliver = slowly
    worker.reap(at=at)
    while worker.run_once(at=at, limit=3):
        pass


def said(folder: Path) -> dict[str, Any]:
    """What the books say, and what the bank did."""
    from tests.life import sums
    from tongzhou.kit import worker
    from tongzhou.ledger import queries as books
    from tongzhou.ledger.models import Transfer
    from tongzhou.payments.models import Payment, Refund
    from tongzhou.payouts.models import Payout

    files = {p.name: int(p.read_text()) for p in folder.iterdir() if p.suffix != ".again"}
    report = books.verify()
    return {
        "problems": [str(p) for p in report.problems],
        "backlog": worker.backlog(),
        "dead": worker.dead_letters().count(),
        "refunds": sorted(set(Refund.objects.values_list("status", flat=True))),
        "payouts": sorted(set(Payout.objects.values_list("status", flat=True))),
        "in_transit": {
            a: n for a, n in books.money_in_flight().items() if n and a != "deposit.orders" and "prepaid" not in a
        },
        "bank_refunds": sum(n for name, n in files.items() if name.startswith("R")),
        "bank_payouts": sum(n for name, n in files.items() if not name.startswith("R")),
        "asked_again": sum(1 for p in folder.iterdir() if p.suffix == ".again"),
        "books_refunds": sum(Transfer.objects.filter(debit="refund.in_transit").values_list("amount", flat=True)),
        "books_payouts": sum(Transfer.objects.filter(credit="bank").values_list("amount", flat=True)),
        "captured": sum(Payment.objects.values_list("captured_minor", flat=True)),
        "sums": sums(),
    }


def forked(run: Callable[[], None]) -> int:
    """Run in a child of its own; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        run()
        os._exit(0)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


def finished(run: Callable[[], None]) -> None:
    """Run in a child and wait for it."""
    _pid, status = os.waitpid(forked(run), 0)
    if status:
        raise SystemExit(f"{run} failed")


def killed_until_done(dice: random.Random, first: int) -> tuple[int, int]:
    """How many workers were killed, and the turn of the one that found nothing left."""
    for turn in range(first, first + ROUNDS):
        child = forked(lambda turn=turn: work(turn))
        until = time.monotonic() + dice.uniform(
            0.03, 0.15 + 0.02 * (turn - first)
        )  # on a slow machine, a little longer each time
        while time.monotonic() < until:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                if status:
                    raise SystemExit("a worker failed by itself")
                return turn - first, turn
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    raise SystemExit(f"not done after {ROUNDS} workers")


def main(seed: int, folder: Path) -> None:
    """Live, die, and say what is left."""
    import django

    django.setup()
    from django.core.management import call_command

    from tongzhou.payments.providers import PROVIDERS
    from tongzhou.payouts.rails import RAILS

    bank = Bank(folder)
    for adapter, verbs in (
        (PROVIDERS["sandbox"], ("redirect_url", "refund", "query_refund")),
        (RAILS["sandbox"], ("pay", "query")),
    ):
        for verb in verbs:  # the rest of the adapter stays as it is
            setattr(adapter, verb, getattr(bank, verb))
    dice = random.Random(seed)
    finished(lambda: call_command("migrate", verbosity=0))
    finished(lives)
    kills, turn = killed_until_done(dice, 0)
    finished(payout)
    more, _turn = killed_until_done(dice, turn + 1)
    finished(lambda: print(json.dumps({"kills": kills + more, **said(folder)}), flush=True))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
