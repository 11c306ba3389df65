"""Maturity in batches: whatever state rewards are in, the books are those of one reward after the other."""

from dataclasses import asdict
from datetime import timedelta
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import AT
from tests.test_races import at_once
from tongzhou.aftersale.models import Case, CaseLine
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import AccountBalance, Posting, Transfer
from tongzhou.ledger.values import Draw, Fill, Move
from tongzhou.orders.events import LineSnapshot, LinesRefunded
from tongzhou.plans.values import RewardRule
from tongzhou.rewards import commands, maturing
from tongzhou.rewards.deciding import reference_of, story_of
from tongzhou.rewards.models import Reward
from tongzhou.rewards.proofs import standing
from tongzhou.rewards.values import Outcome, Verdict
from tongzhou.rewards.verdicts import may_mature

DAY = timedelta(days=1)
NOW = AT + 40 * DAY


class World:
    """Rewards in every state a mall knows, as rows and postings, by a seed."""

    def __init__(self, seed: int, *, sharers: int = 4, rewards: int = 24):
        self.by = Random(seed)
        self.sharers = [new_id() for _ in range(sharers)]
        for n in range(rewards):
            row = self.reward(n)
            if row.matured_at:
                self.spent_and_taken_back(row)
        self.rows = list(Reward.objects.order_by("id"))

    def reward(self, n: int) -> Reward:
        """One reward: where its goods are, what came back so far, what risk said, whether a case is open."""
        pick, line, depth = self.by.choice, new_id(), self.by.choice([1, 1, 1, 2])
        base = self.by.randint(0, 90_000)
        row = Reward(
            line_id=line, depth=depth, story_id=story_of(line, depth), order_id=new_id(), order_no=f"M{n}",
            sharer_id=pick(self.sharers), buyer_id=new_id(), plan_version_id=new_id(), plan_label="m v1",
            rule=asdict(RewardRule(rate_bp=1000)), base_minor=base, cap_minor=10**9, accrued_minor=base // 10,
            line_version=1, settle_days=15, accrued_at=AT,
        )  # fmt: skip
        early = n % 8 == 0  # matures before everything else
        if row.accrued_minor:
            posted = self.post(row, "accrued", Move("prepaid.rewards", "reward.expected", row.accrued_minor))
            row.accrual_transfer_id = posted.transfers[0].id
        if not early and self.by.random() < 0.3:
            self.refund(row, "reward.expected", "prepaid.rewards")
        if early or self.by.random() < 0.85:
            row.delivered_at = AT + self.by.randint(0, 20) * DAY
            row.matures_at = row.delivered_at + 15 * DAY
            if left := standing(row):
                self.post(
                    row,
                    "held",
                    Move("expense.rewards", "prepaid.rewards", left),
                    Move("reward.expected", "reward.held", left),
                )
            if not early and self.by.random() < 0.3:
                self.refund(row, "reward.held", "expense.rewards")
            self.judge(row, early)
        Reward.objects.bulk_create([row])
        if not early and self.by.random() < 0.15:
            case = Case(no=f"C{n}", order_id=row.order_id, order_no=row.order_no, buyer_id=row.buyer_id, kind="REFUND",
                        status=pick(["REQUESTED", "RETURNING", "REFUNDED", "DECLINED"]), reason="quality", amount_minor=1, opened_at=AT)  # fmt: skip
            Case.objects.bulk_create([case])
            CaseLine.objects.bulk_create(
                [CaseLine(case=case, buyer_id=row.buyer_id, line_id=line, quantity=1, amount_minor=1)]
            )
        return row

    def judge(self, row: Reward, early: bool) -> None:
        if early:
            row.matured_at = row.matures_at
            if left := standing(row):
                self.post(
                    row, "matured", Fill("reward.held", "reward.available", left, nets="receivable.clawback.reward")
                )
            return
        row.verdict = self.by.choice(["", Outcome.PAY, Outcome.PAY, Outcome.DELAY, Outcome.REVIEW, Outcome.REFUSE])
        row.disputed = self.by.choice(["", "", "", "", "", "open"])  # the payer's bank has not decided yet
        if row.verdict == Outcome.DELAY:
            row.waits_until = NOW + self.by.choice([-1, 0, 1]) * DAY
        if row.verdict == Outcome.REFUSE:
            row.verdict = ""
            if left := standing(row):
                self.post(row, "refused", Move("reward.held", "expense.rewards", left, cites=row.accrual_transfer_id))
            row.verdict = Outcome.REFUSE

    def refund(self, row: Reward, debit: str, credit: str) -> None:
        before, row.refunded_minor = standing(row), self.by.randint(row.refunded_minor, row.base_minor)
        if back := before - standing(row):
            self.post(row, f"back{row.refunded_minor}", Move(debit, credit, back, cites=row.accrual_transfer_id))

    def spent_and_taken_back(self, row: Reward) -> None:
        """What was available is gone, then the sale is refunded: a receivable stands until later rewards repay it."""
        have = books.balances(row.sharer_id).get("reward.available", 0)
        if have:
            self.post(row, "spent", Move("reward.available", "bank", have), story=new_id())
        before, row.refunded_minor = standing(row), row.base_minor - row.base_minor // self.by.choice([2, 9])
        Reward.objects.filter(id=row.id).update(refunded_minor=row.refunded_minor)
        if back := before - standing(row):
            self.post(
                row,
                "back",
                Draw(
                    "reward.available",
                    "receivable.clawback.reward",
                    "expense.rewards",
                    back,
                    cites=row.accrual_transfer_id,
                ),
            )

    def post(self, row: Reward, what: str, *legs, story=None):
        return ledger.post(
            book_id=row.sharer_id, kind=f"reward_{what}", reference=f"{reference_of(row.line_id, row.depth)}:{what}",
            story_id=story or row.story_id, legs=legs, by=SYSTEM, at=AT,
        )  # fmt: skip


def one_by_one(at) -> int:
    """Maturity as it reads: each reward that is due, alone, in the order in which it fell due."""
    done = 0
    rows = Reward.objects.filter(may_mature(at), matured_at=None, matures_at__lte=at, delivered_at__isnull=False)
    for row in rows.exclude(verdict=Outcome.REFUSE).exclude(disputed="open").order_by("matures_at", "id"):
        if CaseLine.objects.filter(
            line_id=row.line_id, case__status__in=["REQUESTED", "APPROVED", "RETURNING"]
        ).exists():
            continue
        left = books.story_balances(row.sharer_id, [row.story_id])[row.story_id].get("reward.held", 0)
        if left:
            ledger.post(
                book_id=row.sharer_id, kind="reward_matured", reference=f"{reference_of(row.line_id, row.depth)}:matured",
                story_id=row.story_id, effective_at=row.matures_at, plan_version=row.plan_label, by=SYSTEM, at=at,
                legs=[Fill("reward.held", "reward.available", left, nets="receivable.clawback.reward")],
            )  # fmt: skip
        Reward.objects.filter(id=row.id).update(matured_at=at)
        done += 1
    return done


def told() -> list:
    """Everything the books and the rewards say, without the names rows are given."""
    of = {p.id: (p.book_id, p.reference) for p in Posting.objects.all()}
    return [
        sorted(Posting.objects.values_list("book_id", "reference", "kind", "input_hash", "story_id", "effective_at",
                                           "recorded_at", "actor", "plan_version")),
        sorted((of[t.posting_id], t.seq, t.book_id, t.story_id, t.debit, t.credit, t.amount, str(t.cites), t.reversed)
               for t in Transfer.objects.all()),
        sorted(AccountBalance.objects.values_list("book_id", "account", "normal", "constrained", "debits", "credits")),
        sorted((r.id, str(r.matured_at), r.verdict, r.refunded_minor) for r in Reward.objects.all()),
    ]  # fmt: skip


def undone(way) -> list:
    """What a way leads to, looked at and taken back."""
    with transaction.atomic():
        found = [way(), *told()]
        assert not books.verify().problems
        transaction.set_rollback(True)
    return found


class Killed(Exception):
    """The power went."""


def interrupted() -> int:
    """Batches of five, the second killed before its end, then all of it again, twice."""
    real, calls, done = maturing._mark, [], 0

    def dies(ids, at):
        calls.append(len(ids))
        if len(calls) == 2:
            raise Killed
        return real(ids, at)

    maturing._mark = dies
    try:
        done += commands.mature_due(at=NOW, most=5)
    except Killed:
        done += calls[0]
    finally:
        maturing._mark = real
    return done + commands.mature_due(at=NOW, most=7) + commands.mature_due(at=NOW)


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_a_batch_leaves_what_one_after_the_other_leaves(seed):
    with transaction.atomic():
        World(seed)
        want = undone(lambda: one_by_one(NOW))
        assert undone(lambda: commands.mature_due(at=NOW)) == want
        assert undone(lambda: commands.mature_due(at=NOW, most=1)) == want
        assert undone(lambda: commands.mature_due(at=NOW, most=5) + commands.mature_due(at=NOW)) == want
        assert undone(interrupted) == want
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_the_states_that_matter_occur():
    world = World(7, rewards=80)
    assert {bool(r.matured_at) for r in world.rows} == {True, False} and {r.depth for r in world.rows} == {1, 2}
    assert AccountBalance.objects.filter(account="receivable.clawback.reward", debits__gt=0).exists()
    commands.mature_due(at=NOW)
    assert Transfer.objects.filter(debit="reward.held", credit="receivable.clawback.reward").exists(), "netted"
    assert Reward.objects.filter(matured_at=None, verdict=Outcome.PAY).exists(), "an open case waits"


@pytest.mark.django_db
def test_a_batch_touches_no_more_books_than_it_may(monkeypatch):
    World(3, sharers=9, rewards=60)
    want = undone(lambda: one_by_one(NOW))
    monkeypatch.setattr(maturing.ledger, "MOST", 2)
    seen = []
    real = ledger.post_many
    monkeypatch.setattr(
        maturing.ledger, "post_many", lambda rs, **k: seen.append(len({r.book_id for r in rs})) or real(rs, **k)
    )
    assert undone(lambda: commands.mature_due(at=NOW)) == want
    assert max(seen) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(4))
def test_batches_refunds_refusals_and_payouts_of_the_same_rewards_at_once(seed):
    world = World(seed, sharers=5, rewards=60)
    some = [r for r in world.rows if r.base_minor and not r.matured_at and r.delivered_at]
    world.by.shuffle(some)

    def refund(row):
        line = LineSnapshot(row.line_id, new_id(), "S", new_id(), "s", new_id(), (), 1, row.base_minor, 0, 0, 0, 0, None,
                            row.base_minor, 0, row.delivered_at, 2)  # fmt: skip
        about = (None, row.plan_version_id, None, None, AT, NOW, (line,))
        fact = LinesRefunded(row.order_id, row.order_no, row.buyer_id, row.sharer_id, *about)
        commands.apply([fact], at=NOW)

    def pay_out(book, turn):
        free = books.balances(book).get("reward.available", 0)
        if free:
            ledger.post(book_id=book, kind="payout", reference=f"out:{turn}", story_id=new_id(), by=SYSTEM, at=NOW,
                        legs=[Move("reward.available", "bank", free)])  # fmt: skip

    def some_payouts():
        for turn in range(6):
            for book in world.sharers:
                try:
                    pay_out(book, turn)
                except Refusal as no:
                    assert no.code in ("insufficient_balance", "reference_reused")

    at_once(*[
        lambda: commands.mature_due(at=NOW, most=9),
        lambda: commands.mature_due(at=NOW),
        lambda: [refund(row) for row in some[:20]],
        lambda: [commands.record_verdicts([Verdict(r.id, Outcome.REFUSE)], by=SYSTEM, at=NOW) for r in some[20:28]],
        some_payouts,
    ])  # fmt: skip
    commands.mature_due(at=NOW)
    assert not books.verify().problems
    for row in Reward.objects.filter(matured_at=NOW):
        have = books.story_balances(row.sharer_id, [row.story_id])[row.story_id]
        assert have.get("reward.held", 0) == 0 and Posting.objects.filter(
            book_id=row.sharer_id, reference=f"{reference_of(row.line_id, row.depth)}:matured"
        ).count() <= 1  # fmt: skip
