"""The bank rail: a file two people made and let go, results row by row, the same file again changes nothing."""

import csv
import io

import pytest

from tongzhou.kit.actor import Actor
from tongzhou.kit.models import AuditEntry
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries
from tongzhou.payouts.commands.payees import register_payee
from tongzhou.payouts.models import BankFile, Payout
from tongzhou.payouts.rails.bank import files
from tongzhou.payouts.tests.scene import AT, earn, payee, released, sharer, staff, two

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    pair = two()
    payouts.change_policy(
        changes={"rails": "sandbox,bank", "rail": "bank", "bank.fee_minor": "2.00"}, by=pair[0], at=AT
    )
    return pair


@pytest.fixture
def three(pair):
    return [released(sharer(1_000_000, f"+86139000010{i:02}"), 1_000_000 - i, pair) for i in range(3)]


def refused(code, call, **kwargs):
    before = (list(Payout.objects.order_by("id").values()), list(BankFile.objects.values("id", "status")))
    with pytest.raises(Refusal) as said:
        call(**kwargs)
    assert said.value.code == code
    assert (list(Payout.objects.order_by("id").values()), list(BankFile.objects.values("id", "status"))) == before


def let_go(pair):
    made = payouts.make_file(by=pair[0], at=AT)
    payouts.release_file(file_id=made, sha256=queries.bank_file(made).sha256[:8], by=pair[1], at=AT)
    return made


def results(*rows, head="bill_no,amount,result,reason,txn", encoding="utf-8"):
    return "\r\n".join([head, *[",".join(map(str, r)) for r in rows]]).encode(encoding)


def test_the_file_is_what_was_hashed_and_only_two_people_let_it_go(pair, three):
    payouts.send(three[0], AT)
    assert Payout.objects.get(id=three[0]).status == "RELEASED"  # by file, never over a network
    made = payouts.make_file(by=pair[0], at=AT)
    row = queries.bank_file(made)
    assert (row.count, row.net_minor) == (3, sum(p.net_minor for p in Payout.objects.all()))
    assert b"6222020000001234" not in bytes(row.sealed)
    refused("nothing_to_export", payouts.make_file, by=pair[0], at=AT)
    refused("file_not_released", payouts.download_file, file_id=made, by=pair[1], at=AT)
    refused("same_person", payouts.release_file, file_id=made, sha256=row.sha256, by=pair[0], at=AT)
    refused("sha256_differs", payouts.release_file, file_id=made, sha256="00000000", by=pair[1], at=AT)
    refused("not_allowed", payouts.release_file, file_id=made, sha256=row.sha256, by=Actor("member", three[0]), at=AT)
    payouts.release_file(file_id=made, sha256=row.sha256, by=pair[1], at=AT)
    refused("state_moved_on", payouts.cancel_file, file_id=made, reason="来不及了", by=pair[0], at=AT)
    data = payouts.download_file(file_id=made, by=pair[1], at=AT)
    assert files.sha256(data) == row.sha256 and data == payouts.download_file(file_id=made, by=pair[1], at=AT)
    table = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [t["account"] for t in table] == ["6222020000001234"] * 3 and table[0]["amount"] == "9910.00"
    assert {Payout.objects.get(id=i).status for i in three} == {"SENT"}
    assert AuditEntry.objects.filter(action="bank_file.download").count() == 2


def test_a_cancelled_file_lets_its_payouts_into_the_next(pair, three):
    made = payouts.make_file(by=pair[0], at=AT)
    payouts.cancel_file(file_id=made, reason="银行今天关门", by=pair[0], at=AT)
    refused(
        "state_moved_on", payouts.release_file, file_id=made, sha256=queries.bank_file(made).sha256, by=pair[1], at=AT
    )
    assert queries.bank_file(payouts.make_file(by=pair[0], at=AT)).count == 3


def test_results_are_taken_row_by_row_and_the_same_file_again_changes_nothing(pair, three):
    let_go(pair)
    a, b, c = (Payout.objects.get(id=i) for i in three)
    data = results(
        (a.bill_no, "9910.00", "成功", "", "BK1"),
        (b.bill_no, "9909.99", "失败", "户名不符", ""),
        (c.bill_no, "9909.00", "成功", "", ""),
        ("0" * 32, "1.00", "成功", "", ""),
        (c.bill_no, "x", "成功", "", ""),
        (c.bill_no, "9909.98", "也许", "", ""),
        ("", "9909.98", "成功", "", ""),
        head="单号,金额,结果,失败原因,银行流水号", encoding="gb18030",
    )  # fmt: skip
    report = payouts.import_results(data=data, by=pair[1], at=AT)
    assert (report.read, report.paid, report.failed, report.unchanged) == (7, 1, 1, 0)
    assert [(r.line, r.column) for r in report.refused] == [
        (4, "amount"), (5, "bill_no"), (6, "amount"), (7, "result"), (8, "bill_no")
    ]  # fmt: skip
    assert all(r.reason and r.fix for r in report.refused)
    again = payouts.import_results(data=data, by=pair[1], at=AT)
    assert (again.paid, again.failed, again.unchanged, len(again.refused)) == (0, 0, 2, 5)
    assert again.sha256 == report.sha256
    a.refresh_from_db()
    assert (a.status, a.rail_txn, a.fee_minor) == ("PAID", "BK1", 200)
    have = books.balances(a.member_id)
    assert (have["bank"], have["expense.payout_fee"], have["tax.withheld"]) == (-991_200, 200, 9_000)
    assert books.balances(b.member_id)["reward.available"] == 1_000_000 and books.verify().ok


def test_paid_then_sent_back_and_what_contradicts_is_refused(pair, three):
    let_go(pair)
    a = Payout.objects.get(id=three[0])
    payouts.import_results(data=results((a.bill_no, "9910.00", "paid", "", "")), by=pair[1], at=AT)
    wrong = payouts.import_results(data=results((a.bill_no, "9910.00", "failed", "", "")), by=pair[1], at=AT)
    assert [r.column for r in wrong.refused] == ["result"]
    back = results((a.bill_no, "9910.00", "退票", "账户已注销", ""))
    assert payouts.import_results(data=back, by=pair[1], at=AT).returned == 1
    assert payouts.import_results(data=back, by=pair[1], at=AT).unchanged == 1
    late = payouts.import_results(data=results((a.bill_no, "9910.00", "paid", "", "")), by=pair[1], at=AT)
    assert late.unchanged == 1
    have = books.balances(a.member_id)
    assert (have["reward.available"], have["tax.withheld"], have["bank"]) == (1_000_000, 0, -200)
    assert books.verify().ok


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2", b"\x00\xff\xfe", b"bill_no,amount,result\n" + b"x" * 5_000_001])
def test_a_file_that_is_no_results_file_is_refused_as_a_whole(pair, data):
    refused("results_unreadable", payouts.import_results, data=data, by=pair[1], at=AT)


def test_cells_are_never_formulas(pair):
    member = sharer(50_000)
    register_payee(
        member_id=member, legal_name="=HYPERLINK(1)", account="6222020000001234", born="1995-05-05",
        by=Actor("member", member), at=AT,
    )  # fmt: skip
    released(member, 50_000, pair)
    data = payouts.download_file(file_id=let_go(pair), by=pair[1], at=AT).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in data and ",=" not in data
    for text in ("=1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert files.cell(text)[0] == "'"


def test_somebody_paid_in_a_file_does_not_let_it_go(pair):
    third = staff("13800000003", "方远")
    payee(third.id)
    earn(third.id, 5_000)
    released(third.id, 5_000, pair)
    made = payouts.make_file(by=pair[0], at=AT)
    refused("own_payout", payouts.release_file, file_id=made, sha256=queries.bank_file(made).sha256, by=third, at=AT)
