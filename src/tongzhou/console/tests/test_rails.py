"""How payouts leave and what goes to the tax office, through the pages."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tongzhou.console.tests.desk import open_desk, sign_in
from tongzhou.console.tests.test_money import ask
from tongzhou.kit import clock
from tongzhou.kit.models import AuditEntry
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries as paying
from tongzhou.payouts.models import BankFile, Payout, Remittance
from tongzhou.payouts.values import RailOutcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return open_desk()


def released(desk, amount=1_000_000):
    payout = ask(desk.cast.sharer, amount)
    for by in (desk.cast.owner, desk.cast.finance):
        payouts.release(payout_id=payout, by=by, at=clock.now())
    return payout


def test_settings_carry_their_meaning_and_refuse_at_their_field(desk):
    client = sign_in("finance")
    page = client.get("/console/payouts/settings").content.decode()
    assert "低于它的申请会被拒绝" in page and "TONGZHOU_WECHAT_MCHID is not set" in page
    good = {"min_minor": "10.00", "max_minor": "200000.00", "member_day_minor": "0", "mall_day_minor": "0",
            "bank.fee_minor": "2.00", "alipay.fee_bp": "0", "wechat.fee_bp": "0", "rails": ["sandbox", "bank"], "rail": "bank"}  # fmt: skip
    wrong = client.post("/console/payouts/settings", {**good, "bank.fee_minor": "1000.00"})
    assert wrong.status_code == 422 and 'aria-describedby="e-bank-fee_minor"' in wrong.content.decode()
    assert client.post("/console/payouts/settings", {**good, "rails": ["wechat"]}).status_code == 422
    assert paying.policy().rails == ("sandbox",)
    assert client.post("/console/payouts/settings", good).status_code == 302
    assert paying.policy().rails == ("sandbox", "bank") and paying.policy().min_minor == 1_000


def test_a_bank_file_is_made_let_go_downloaded_and_its_results_come_back(desk):
    payouts.change_policy(changes={"rails": "sandbox,bank", "rail": "bank"}, by=desk.cast.owner, at=clock.now())
    payout, first, second = released(desk), sign_in("owner"), sign_in("finance")
    made = first.post("/console/payouts/files")["Location"]
    row = BankFile.objects.get()
    assert row.sha256[:8] in first.get(made).content.decode()
    assert first.post(made, {"act": "release", "sha256": row.sha256[:8]}).status_code == 409
    assert second.post(made, {"act": "download"}).status_code == 409
    assert second.post(made, {"act": "release", "sha256": "0" * 8}).status_code == 409
    assert second.post(made, {"act": "release", "sha256": row.sha256[:8]}).status_code == 302
    file = second.post(made, {"act": "download"})
    assert "attachment" in file["Content-Disposition"] and b"6222020000003308" in file.content
    bill = Payout.objects.get(id=payout).bill_no
    sheet = f"单号,金额,结果\n{bill},9910.00,成功\n{bill},1.00,成功\n".encode()
    page = second.post("/console/payouts/files", {"results": "1", "file": SimpleUploadedFile("r.csv", sheet)})
    assert page.status_code == 200 and "金额与导出文件不同" in page.content.decode()
    assert paying.payout(payout).status == "PAID"
    assert second.post("/console/payouts/files", {"results": "1"}).status_code == 422


def test_a_payee_is_shown_whole_once_and_it_is_written_down(desk):
    payout, client = ask(desk.cast.sharer), sign_in("finance")
    address = f"/console/payouts/{payout}"
    assert "6222020000003308" not in client.get(address).content.decode()
    assert client.post(address, {"act": "unmask", "why": ""}).status_code == 422
    assert "6222020000003308" in client.post(address, {"act": "unmask", "why": "银行退票，核对账号"}).content.decode()
    assert AuditEntry.objects.get(action="payee.unmask").detail["reason"] == "银行退票，核对账号"


@pytest.mark.parametrize("year", ["²", "20²6", "9" * 5000])
def test_a_year_that_is_no_number_shows_this_year(desk, year):
    assert sign_in("owner").get("/console/tax", {"year": year}).status_code == 200


def test_tax_is_decided_prepared_confirmed_by_two_and_reported(desk):
    payout, at = released(desk), clock.now()
    payouts.mark_sent(payout, at=at)
    month = (at.replace(day=1) - timedelta(days=40)).replace(day=15)
    payouts.record(payout, RailOutcome("paid", "t"), at=month)
    first, second = sign_in("owner"), sign_in("finance")
    assert "还没有人签字" in first.get("/console/tax").content.decode()
    assert first.post("/console/tax", {"act": "decide", "decision": "EXEMPT", "reason": "x"}).status_code == 422
    assert (
        first.post("/console/tax", {"act": "decide", "decision": "EXEMPT", "reason": "法务意见书 12 号"}).status_code
        == 302
    )
    assert first.post("/console/tax", {"act": "prepare", "month": "7月"}).status_code == 422
    assert first.post("/console/tax", {"act": "prepare", "month": f"{month:%Y-%m}"}).status_code == 302
    row = Remittance.objects.get()
    said = {"act": "confirm", "row": str(row.id)}
    assert first.post("/console/tax", {**said, "amount": "90.00"}).status_code == 409
    assert second.post("/console/tax", {**said, "amount": "90.01"}).status_code == 422
    assert second.post("/console/tax", {**said, "amount": "90.00"}).status_code == 302
    assert payouts.book_remittances(at=clock.now()) == 1
    page = second.get("/console/tax?check=1").content.decode()
    assert "每本账的代扣税都等于" in page and row.reference in page
    quarter = f"{month.year}Q{(month.month - 1) // 3 + 1}"
    file = second.post("/console/tax", {"act": "report", "quarter": quarter})
    assert file["Content-Type"].startswith("text/csv") and "林小满" in file.content.decode()
    assert second.post("/console/tax", {"act": "report", "quarter": "x"}).status_code == 422
    sheet = second.get(f"/console/tax/members/{desk.cast.sharer}?year={at.year}&format=csv").content.decode()
    assert "10000.00" in sheet
