"""Tax from the payout to the tax office: the vectors through real payouts, statements, remittance, proof."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from tongzhou.kit.actor import SYSTEM, Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.models import AuditEntry
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import AccountBalance
from tongzhou.ledger.values import Move
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import proofs, queries, statements
from tongzhou.payouts.commands import taxes
from tongzhou.payouts.models import Payout, Remittance, RemittanceLine
from tongzhou.payouts.tests.scene import AT, ID_NUMBER, earn, payee, released, sharer, two
from tongzhou.payouts.values import RailOutcome

pytestmark = pytest.mark.django_db


def month(number, year=2026):
    return datetime(year, number, 14, 4, tzinfo=UTC)


def paid(member, amount, pair, at=AT):
    pid = released(member, amount, pair, at)
    payouts.mark_sent(pid, at=at)
    payouts.record(pid, RailOutcome("paid", "t"), at=at)
    return Payout.objects.get(id=pid)


@pytest.fixture
def pair():
    pair = two()
    payouts.change_policy(changes={"max_minor": "0", "member_day_minor": "0", "mall_day_minor": "0"}, by=pair[0], at=AT)
    return pair


@pytest.mark.parametrize(
    ("incomes", "wanted"),
    [
        ([10_000] * 3, [9_000, 9_000, 9_000]),
        ([6_000] * 3, [0, 0, 0]),
        ([60_000] * 4, [178_000, 430_000, 430_000, 710_000]),
        ([3_000, 20_000, 0, 45_000], [0, 25_200, 0, 78_000]),
    ],
)
def test_the_cumulative_vectors_through_payouts(pair, incomes, wanted):
    member = sharer(sum(incomes) * 100)
    rows = [paid(member, i * 100, pair, month(n)) if i else None for n, i in enumerate(incomes, start=1)]
    assert [r.tax_minor if r else 0 for r in rows] == wanted
    assert books.balances(member).get("tax.withheld", 0) == sum(wanted) and books.verify().ok
    found = statements.statement(member, 2026)
    assert (found.gross_minor, found.tax_minor) == (sum(incomes) * 100, sum(wanted))


@pytest.mark.parametrize(("parts", "tax"), [([1_000], 4_000), ([4_001], 64_016), ([15_000, 15_000], 520_000)])
def test_before_october_2025_the_one_off_method_counts_one_month_as_once(pair, parts, tax):
    member = sharer(sum(parts) * 100)
    at = month(8, 2025)
    rows = [paid(member, p * 100, pair, at + timedelta(hours=i)) for i, p in enumerate(parts)]
    assert sum(r.tax_minor for r in rows) == tax and {r.tax_rule for r in rows} == {"one_off@2019-01-01"}
    earn(member, 1_000_000)
    after = paid(member, 1_000_000, pair, month(10, 2025))
    assert (after.tax_minor, after.tax_rule) == (9_000, "cumulative@2025-10-01")  # the year before it does not count


def test_what_came_back_is_no_income_and_is_shown_on_the_statement(pair):
    member = sharer(12_000_000)
    first, second = paid(member, 6_000_000, pair, month(1)), paid(member, 6_000_000, pair, month(2))
    payouts.record(second.id, RailOutcome("returned", reason="退票"), at=month(3))
    assert books.balances(member)["tax.withheld"] == first.tax_minor
    third = paid(member, 6_000_000, pair, month(3))
    assert (
        third.tax_minor == 430_000 - 500_000 * 1000 // 10_000
    )  # n = 3: 96,000 − 15,000 = 81,000 × 10 % − 2,520 − 1,780
    found = statements.statement(member, 2026)
    assert [r.returned for r in found.rows] == [False, True, False]
    assert found.gross_minor == 12_000_000 and found.tax_minor == first.tax_minor + third.tax_minor
    rows = list(csv.reader(io.StringIO(statements.statement_csv(found).lstrip("\ufeff"))))
    assert len(rows) == 5 and rows[-1][1] == "120000.00" and statements.years_of(member) == [2026]
    assert books.verify().ok


def test_remittance_pays_each_books_tax_once_under_one_reference(pair, monkeypatch):
    first, second = pair
    members = [sharer(1_000_000, f"+86139000010{i:02}") for i in range(3)]
    for m in members:
        paid(m, 1_000_000, pair, month(6))
    earn(members[0], 1_000_000)
    paid(members[0], 1_000_000, pair, month(7))  # July's tax is not June's
    now = month(7) + timedelta(days=1)
    for code, args in (("month_not_over", date(2026, 7, 1)), ("nothing_to_remit", date(2026, 5, 1))):
        with pytest.raises(Refusal) as said:
            payouts.prepare_remittance(month=args, by=first, at=now)
        assert said.value.code == code
    made = payouts.prepare_remittance(month=date(2026, 6, 30), by=first, at=now)
    with pytest.raises(Refusal) as said:
        payouts.prepare_remittance(month=date(2026, 6, 1), by=second, at=now)
    assert said.value.code == "remittance_open"
    for by, typed, code in (
        (first, 27_000, "same_person"),
        (second, 27_001, "net_mistyped"),
        (SYSTEM, 27_000, "not_allowed"),
    ):
        with pytest.raises(Refusal) as said:
            payouts.confirm_remittance(remittance_id=made, typed_minor=typed, by=by, at=now)
        assert said.value.code == code
    assert payouts.book_remittances(at=now) == 0  # nothing moves before the second person
    payouts.confirm_remittance(remittance_id=made, typed_minor=27_000, by=second, at=now)
    monkeypatch.setattr(taxes, "BATCH", 2)
    real, calls = ledger.post_many, []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise ConnectionError("killed")
        return real(*args, **kwargs)

    monkeypatch.setattr(ledger, "post_many", dies)
    with pytest.raises(ConnectionError):
        payouts.book_remittances(at=now)
    assert RemittanceLine.objects.filter(booked_at__isnull=True).count() == 1
    assert payouts.book_remittances(at=now) == 1 and payouts.book_remittances(at=now) == 0
    row = Remittance.objects.get(id=made)
    assert (row.status, row.paid_minor) == ("BOOKED", 27_000)
    have = [books.balances(m) for m in members]
    assert [h["tax.withheld"] for h in have] == [
        Payout.objects.filter(member_id=members[0]).latest("id").tax_minor,
        0,
        0,
    ]
    refs = {x.reference for m in members for x in books.statement(m) if x.kind == "tax_remitted"}
    assert refs == {row.reference} and books.verify().ok


def test_tax_given_back_after_it_was_remitted_is_netted_from_the_next_remittance(pair):
    first, second = pair
    back, other = sharer(1_000_000, "+8613900001001"), sharer(1_000_000, "+8613900001002")
    gone = paid(back, 1_000_000, pair, month(5))

    def remit(number, typed, at):
        made = payouts.prepare_remittance(month=date(2026, number, 1), by=first, at=at)
        payouts.confirm_remittance(remittance_id=made, typed_minor=typed, by=second, at=at)
        payouts.book_remittances(at=at)
        return Remittance.objects.get(id=made)

    remit(5, 9_000, month(6))
    payouts.record(gone.id, RailOutcome("returned", reason="退票"), at=month(6))
    have = books.balances(back)
    assert (have["reward.available"], have["receivable.tax"], have["tax.withheld"]) == (1_000_000, 9_000, 0)
    assert books.verify().ok
    paid(other, 1_000_000, pair, month(6))
    row = remit(6, 0, month(7))
    assert (row.withheld_minor, row.netted_minor, row.paid_minor) == (9_000, 9_000, 0)
    assert statements.standing() == {"withheld_minor": 0, "owed_back_minor": 0} and books.verify().ok


def test_a_return_between_preparing_and_booking_loses_nothing(pair):
    first, second = pair
    member = sharer(1_000_000)
    row = paid(member, 1_000_000, pair, month(5))
    made = payouts.prepare_remittance(month=date(2026, 5, 1), by=first, at=month(6))
    payouts.record(row.id, RailOutcome("returned"), at=month(6))
    payouts.confirm_remittance(remittance_id=made, typed_minor=9_000, by=second, at=month(6))
    assert payouts.book_remittances(at=month(6)) == 1
    have = books.balances(member)
    assert (have["tax.withheld"], have["receivable.tax"]) == (0, 9_000) and books.verify().ok
    other = payouts.prepare_remittance  # and what was prepared but not confirmed can be taken back
    sharer(1_000_000, "+8613900001002")
    with pytest.raises(Refusal):
        other(month=date(2026, 5, 1), by=first, at=month(6))


def test_a_prepared_remittance_can_be_taken_back_until_it_is_confirmed(pair):
    first, second = pair
    paid(sharer(1_000_000), 1_000_000, pair, month(5))
    made = payouts.prepare_remittance(month=date(2026, 5, 1), by=first, at=month(6))
    payouts.cancel_remittance(remittance_id=made, by=second, at=month(6))
    for call in (
        lambda: payouts.cancel_remittance(remittance_id=made, by=second, at=month(6)),
        lambda: payouts.confirm_remittance(remittance_id=made, typed_minor=9_000, by=second, at=month(6)),
    ):
        with pytest.raises(Refusal) as said:
            call()
        assert said.value.code == "state_moved_on"
    assert payouts.prepare_remittance(month=date(2026, 5, 1), by=second, at=month(6))


def test_the_proofs_bite(pair):
    member = sharer(2_000_000)
    row = paid(member, 1_000_000, pair)
    assert books.verify(only=("tax_reconciles", "payouts_in_transit")).ok
    Payout.objects.filter(id=row.id).update(tax_minor=8_999)
    assert [p.check for p in proofs.tax_reconciles()] == ["tax_reconciles"]
    Payout.objects.filter(id=row.id).update(tax_minor=9_000)
    ledger.post(book_id=member, kind="adjustment", reference="x", story_id=new_id(), by=SYSTEM, at=AT,
                legs=[Move("tax.withheld", "bank", 1)])  # fmt: skip
    assert "debited in all" in [p.message.split(":")[0] for p in proofs.tax_reconciles()]
    open_ = payouts.request(member_id=member, amount_minor=1_000_000, at=AT)
    assert not list(proofs.payouts_in_transit())
    Payout.objects.filter(id=open_).update(status="FAILED")
    assert [p.message for p in proofs.payouts_in_transit()] == ["in transit 1000000, open payouts 0"]
    AccountBalance.objects.filter(account="tax.withheld").update(credits=0, debits=0)
    assert not books.verify(only=("balances_are_sums",)).ok


def test_the_quarterly_report_names_people_income_and_orders_and_is_written_down(pair):
    first, _second = pair
    named = sharer(1_000_000, "+8613900001001", id_number=ID_NUMBER)
    paid(named, 500_000, pair, month(7))
    gone = paid(named, 500_000, pair, month(8))
    payouts.record(gone.id, RailOutcome("returned"), at=month(9))
    paid(sharer(300_000, "+8613900001002"), 300_000, pair, month(4))
    text, people, without = statements.platform_report("2026q3", by=first, at=AT)
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert (people, without, len(rows)) == (1, 0, 1)
    assert rows[0]["name"] == "林小满" and rows[0]["certificate_number"] == ID_NUMBER
    assert (rows[0]["income"], rows[0]["returned"], rows[0]["payouts"]) == ("10000.00", "5000.00", "2")
    assert AuditEntry.objects.get(action="tax.report").detail["people"] == 1
    text, people, without = statements.platform_report("2026Q2", by=first, at=AT)
    assert (people, without) == (1, 1)
    for bad in ("2026", "2026Q5", "26Q1", "2026Q"):
        with pytest.raises(Refusal) as said:
            statements.quarter(bad)
        assert said.value.code == "quarter"
    with pytest.raises(Refusal) as said:
        statements.platform_report("2026Q3", by=Actor("member", named), at=AT)
    assert said.value.code == "not_allowed"


def test_real_names_once_masked_and_every_whole_look_written_down(pair):
    member = sharer(10_000, id_number=ID_NUMBER)
    shown = queries.payee(member)
    assert (shown.name, shown.account, shown.has_id) == ("林**", "**** 1234", True)
    for call, code in (
        (lambda: payouts.reveal_payee(member_id=member, reason="核对", by=pair[0], at=AT), "reason_missing"),
        (
            lambda: payouts.reveal_payee(member_id=member, reason="核对身份", by=Actor("member", member), at=AT),
            "not_allowed",
        ),
        (lambda: payouts.reveal_payee(member_id=new_id(), reason="核对身份", by=pair[0], at=AT), "payee_missing"),
        (lambda: payee(member, id_number="330106199505050022"), "id_number"),
        (lambda: payee(member, id_number="330106199605050020"), "id_number"),
    ):
        with pytest.raises(Refusal) as said:
            call()
        assert said.value.code == code
    assert not AuditEntry.objects.filter(action="payee.unmask").exists()
    assert payouts.reveal_payee(member_id=member, reason="核对身份", by=pair[0], at=AT).id_number == ID_NUMBER
    assert AuditEntry.objects.get(action="payee.unmask").detail == {"reason": "核对身份"}
    payouts.request(member_id=member, amount_minor=5_000, at=AT)
    with pytest.raises(Refusal) as said:
        payee(member, account="6222020000009999")
    assert said.value.code == "payout_open"  # nobody changes the payee of a payout under way


def test_keys_rotate_in_batches_and_go_on_where_they_were(pair, settings, monkeypatch):
    settings.DATA_KEYS = ["old"]
    payouts.change_policy(changes={"rails": "sandbox,bank"}, by=pair[0], at=AT)
    members = [sharer(10_000, f"+86139000010{i:02}") for i in range(5)]
    held = sharer(10_000, "+8613900001009", rail="bank")
    released(held, 10_000, pair)
    made = payouts.make_file(by=pair[0], at=AT)
    settings.DATA_KEYS = ["new", "old"]
    assert payouts.keys_left() == 7
    assert payouts.rotate_keys(limit=2) == 2 and payouts.keys_left() == 5  # killed here, later:
    while payouts.rotate_keys(limit=2):
        pass
    assert payouts.keys_left() == 0
    settings.DATA_KEYS = ["new"]
    assert [queries.payee(m).account for m in members] == ["**** 1234"] * 5
    payouts.release_file(file_id=made, sha256=queries.bank_file(made).sha256, by=pair[1], at=AT)
    assert b"6222020000001234" in payouts.download_file(file_id=made, by=pair[1], at=AT)
    settings.DATA_KEYS = ["newest"]
    with pytest.raises(Refusal) as said:
        payouts.rotate_keys()
    assert said.value.code == "payee_unreadable"  # nothing is lost: the key that is missing is asked for
