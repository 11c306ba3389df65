"""Payouts: every refusal changes nothing; money leaves once, after two people, under one number."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connections

from tongzhou.kit.actor import SYSTEM, Actor, operator
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.kit.states import reachable
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Move
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries
from tongzhou.payouts.models import MOVES, Payee, Payout, Release, Status
from tongzhou.payouts.rails import RAILS
from tongzhou.payouts.values import RailOutcome
from tongzhou.people import commands as people

AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


class Bank:
    """A rail that keeps books of its own: the same number is paid once."""

    name = title = "sandbox"
    by_file = can_return = False
    low_minor = high_minor = 0

    def missing(self):
        return []

    def check_account(self, account):
        return account

    def __init__(self, status="paid", dies_after=0):
        self.paid, self.status, self.dies_after = {}, status, dies_after

    def pay(self, *, bill_no, amount_minor, name, account):
        assert bill_no not in self.paid, "asked to pay what it knows already"
        self.paid[bill_no] = amount_minor
        if self.dies_after:
            self.dies_after -= 1
            raise Refusal("rail_unreachable", "gone", retryable=True)
        return RailOutcome(self.status, "txn", "closed" if self.status == "failed" else "")

    def query(self, bill_no):
        return RailOutcome(self.status, "txn") if bill_no in self.paid else None


@pytest.fixture
def bank(monkeypatch):
    it = Bank()
    monkeypatch.setitem(RAILS, "sandbox", it)
    return it


def staff(phone, name, role="finance"):
    return operator(
        people.create_operator(phone=phone, name=name, password="sail-together-2026", roles={role}, by=SYSTEM, at=AT),
        name,
    )


def payee(member):
    payouts.register_payee(
        member_id=member, legal_name="林小满", account="6222020000001234", born="1995-05-05",
        by=Actor("member", member), at=AT,
    )  # fmt: skip


def earn(member, amount, account="reward.available"):
    legs = [Move("opening", account, amount)]
    if account.startswith("receivable"):
        legs = [Move(account, "opening", amount)]
    ledger.post(book_id=member, kind="opening", reference=str(new_id()), story_id=new_id(), legs=legs, by=SYSTEM, at=AT)


def sharer(amount=10_000):
    member = people.register_member(phone="+8613900000003", display_name="林小满", at=AT)
    payee(member)
    earn(member, amount)
    return member


def refused(code, call, **kwargs):
    """The call is refused with this code, and nothing at all has changed."""

    def state():
        return (
            list(Payout.objects.order_by("id").values()), Release.objects.count(),
            [(p.member_id, bytes(p.sealed)) for p in Payee.objects.all()],
            [books.balances(m) for m in Payee.objects.values_list("member_id", flat=True)],
        )  # fmt: skip

    before = state()
    with pytest.raises(Refusal) as said:
        call(**kwargs)
    assert said.value.code == code
    assert state() == before


def test_every_status_is_reachable():
    assert reachable(MOVES, Status.REQUESTED) == set(Status)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("legal_name", {"legal_name": " 林 "}),
        ("account", {"account": "12 34"}),
        ("account", {"account": "6222-0200;drop"}),
        ("born", {"born": "05/05/1995"}),
        ("born", {"born": "1800-01-01"}),
        ("payee_under_18", {"born": "2008-07-15"}),
    ],
)
def test_payee_details_that_are_refused(code, change):
    good = {"legal_name": "林小满", "account": "6222020000001234", "born": "1995-05-05"}
    member = new_id()
    refused(code, payouts.register_payee, member_id=member, by=Actor("member", member), at=AT, **{**good, **change})


@pytest.mark.django_db
def test_payee_is_adult_on_the_day_encrypted_at_rest_and_masked():
    member = new_id()
    payouts.register_payee(
        member_id=member, legal_name="林小满", account="6222020000001234", born="2008-07-14",
        by=Actor("member", member), at=AT,
    )  # fmt: skip
    sealed = bytes(Payee.objects.get(member_id=member).sealed)
    assert b"6222" not in sealed and "林小满".encode() not in sealed
    shown = queries.payee(member)
    assert (shown.name, shown.account) == ("林**", "**** 1234")


@pytest.mark.django_db
def test_requests_that_are_refused():
    stranger = new_id()
    refused("payee_missing", payouts.request, member_id=stranger, amount_minor=500, at=AT)
    member = sharer(10_000)
    refused("amount_too_small", payouts.request, member_id=member, amount_minor=99, at=AT)
    refused("amount_too_small", payouts.request, member_id=member, amount_minor=-500, at=AT)
    refused("amount_exceeds_available", payouts.request, member_id=member, amount_minor=10_001, at=AT)
    payouts.request(member_id=member, amount_minor=4_000, at=AT)
    refused("payout_open", payouts.request, member_id=member, amount_minor=4_000, at=AT)
    have = books.balances(member)
    assert (have["reward.available"], have["payout.in_transit.reward"]) == (6_000, 4_000)


@pytest.mark.django_db
def test_releases_that_are_refused():
    member, first, second = sharer(), staff("13800000001", "沈岚", "owner"), staff("13800000002", "顾川")
    support = staff("13800000004", "客服", "support")
    pid = payouts.request(member_id=member, amount_minor=5_000, at=AT)
    refused("payout_not_found", payouts.release, payout_id=new_id(), by=first, at=AT)
    refused("not_allowed", payouts.release, payout_id=pid, by=support, at=AT)
    refused("not_allowed", payouts.release, payout_id=pid, by=SYSTEM, at=AT)
    refused("not_allowed", payouts.release, payout_id=pid, by=Actor("member", member), at=AT)
    assert payouts.release(payout_id=pid, by=first, at=AT) == "CHECKED"
    refused("same_person", payouts.release, payout_id=pid, by=first, at=AT)
    assert payouts.release(payout_id=pid, by=second, at=AT) == "RELEASED"
    refused("same_person", payouts.release, payout_id=pid, by=second, at=AT)
    refused("state_moved_on", payouts.reject, payout_id=pid, reason="资料不符", by=first, at=AT)


@pytest.mark.django_db
def test_nobody_releases_the_own_payout():
    me = staff("13800000001", "沈岚", "owner")
    payee(me.id)
    earn(me.id, 5_000)
    pid = payouts.request(member_id=me.id, amount_minor=5_000, at=AT)
    refused("own_payout", payouts.release, payout_id=pid, by=me, at=AT)


@pytest.mark.django_db
def test_defect_08_rejecting_twice_gives_back_once_and_a_rejected_payout_cannot_be_released():
    member, first = sharer(5_000), staff("13800000001", "沈岚", "owner")
    pid = payouts.request(member_id=member, amount_minor=5_000, at=AT)
    refused("reason_missing", payouts.reject, payout_id=pid, reason="不 ", by=first, at=AT)
    payouts.reject(payout_id=pid, reason="资料不符", by=first, at=AT)
    assert books.balances(member)["reward.available"] == 5_000
    refused("state_moved_on", payouts.reject, payout_id=pid, reason="资料不符", by=first, at=AT)
    refused("state_moved_on", payouts.release, payout_id=pid, by=first, at=AT)
    assert books.verify().ok


def released(amount=1_000_000):
    member, first, second = sharer(amount), staff("13800000001", "沈岚", "owner"), staff("13800000002", "顾川")
    pid = payouts.request(member_id=member, amount_minor=amount, at=AT)
    payouts.release(payout_id=pid, by=first, at=AT)
    payouts.release(payout_id=pid, by=second, at=AT)
    return member, pid, (first, second)


@pytest.mark.django_db
def test_paid_with_cumulative_tax_fixed_at_the_second_release(bank):
    member, pid, people_of = released(1_000_000)
    payouts.send(pid, AT)
    row = Payout.objects.get(id=pid)
    assert (row.status, row.tax_minor, row.net_minor) == ("PAID", 9_000, 991_000)
    assert bank.paid == {row.bill_no: 991_000} and len(row.bill_no) <= 32 and row.bill_no.isalnum()
    have = books.balances(member)
    assert (have["payout.in_transit.reward"], have["tax.withheld"], have["reward.available"]) == (0, 9_000, 0)
    earn(member, 1_000_000)
    again = payouts.request(member_id=member, amount_minor=1_000_000, at=AT)
    for by in people_of:
        payouts.release(payout_id=again, by=by, at=AT)
    # the same month: 20,000 × 80 % − 5,000 = 11,000 × 3 % = 330.00, of which 90.00 was withheld
    assert Payout.objects.get(id=again).tax_minor == 24_000
    assert queries.tax_statement(member, 2026)["tax_minor"] == 9_000
    assert books.verify().ok


@pytest.mark.django_db
def test_a_kill_after_the_call_pays_once_under_the_same_number(bank):
    member, pid, _ = released()
    bank.dies_after = 1
    with pytest.raises(Refusal):
        payouts.send(pid, AT)
    assert Payout.objects.get(id=pid).status == "SENT" and len(bank.paid) == 1
    payouts.send(pid, AT)
    payouts.send(pid, AT)
    payouts.record(pid, RailOutcome("failed"), at=AT)  # an overtaken answer changes nothing
    assert Payout.objects.get(id=pid).status == "PAID" and len(bank.paid) == 1
    assert books.balances(member)["reward.available"] == 0 and books.verify().ok


@pytest.mark.django_db
def test_a_failed_payout_comes_back_and_nets_what_is_owed(bank):
    member, pid, _ = released(10_000)
    earn(member, 3_000, "receivable.clawback.reward")
    bank.status = "failed"
    payouts.send(pid, AT)
    payouts.record(pid, RailOutcome("failed"), at=AT)
    have = books.balances(member)
    assert (have["reward.available"], have["receivable.clawback.reward"]) == (7_000, 0)
    assert have["payout.in_transit.reward"] == 0 and books.verify().ok


@pytest.mark.django_db
def test_a_silent_rail_holds_up_no_other_payout(bank, monkeypatch):
    _member, pid, _ = released()
    payouts.mark_sent(pid, at=AT)
    monkeypatch.setattr(bank, "query", lambda _no: (_ for _ in ()).throw(Refusal("rail_unreachable", "gone")))
    assert payouts.query_sent(at=AT) == 0
    assert Payout.objects.get(id=pid).status == "SENT"


def at_once(*calls):
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
        return sorted(pool.map(one, calls))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_defect_01_parallel_requests_of_one_balance_one_wins():
    member = sharer(5_000)
    said = at_once(*[lambda: payouts.request(member_id=member, amount_minor=5_000, at=AT)] * 6)
    assert said == ["ok"] + ["payout_open"] * 5
    have = books.balances(member)
    assert (have["reward.available"], have["payout.in_transit.reward"]) == (0, 5_000)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_releasing_and_rejecting_at_once_has_one_outcome():
    member, first, second = sharer(5_000), staff("13800000001", "沈岚", "owner"), staff("13800000002", "顾川")
    pid = payouts.request(member_id=member, amount_minor=5_000, at=AT)
    payouts.release(payout_id=pid, by=first, at=AT)
    said = at_once(
        lambda: payouts.release(payout_id=pid, by=second, at=AT),
        lambda: payouts.reject(payout_id=pid, reason="资料不符", by=first, at=AT),
        lambda: payouts.reject(payout_id=pid, reason="资料不符", by=second, at=AT),
    )
    assert said.count("ok") == 1
    have = books.balances(member)
    assert have["reward.available"] + have["payout.in_transit.reward"] == 5_000
    assert (have["payout.in_transit.reward"] == 5_000) == (Payout.objects.get(id=pid).status == "RELEASED")


@pytest.mark.django_db
def test_a_person_may_ask_the_rail_again_and_only_finance(bank):
    _member, pid, people_of = released()
    payouts.mark_sent(pid, at=AT)
    stranger = staff("13800000009", "路人", "support")
    refused("not_allowed", payouts.ask_again, payout_id=pid, by=stranger, at=AT)
    assert Payout.objects.get(id=pid).status == "SENT"
    payouts.send(pid, AT)
    assert payouts.ask_again(payout_id=pid, by=people_of[0], at=AT) is False, "it has its end already"
