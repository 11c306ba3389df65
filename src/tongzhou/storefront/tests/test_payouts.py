"""A member's payout over a rail of choice, the rail's word, the tax statement."""

import pytest
from django.test import Client
from tests.counterparties.common import serving
from tests.counterparties.wechat import Wechat

from tongzhou.payouts import commands as payouts
from tongzhou.payouts.models import Payout
from tongzhou.payouts.tests.scene import AT, earn, released, sharer, two
from tongzhou.payouts.tests.test_rails import OPENID, opened, sent
from tongzhou.payouts.values import RailOutcome
from tongzhou.people import commands as people
from tongzhou.people.models import Member

pytestmark = pytest.mark.django_db


def signed_in(member):
    client = Client(headers={"accept-language": "zh-CN"})
    client.force_login(Member.objects.get(id=member), backend="tongzhou.people.backends.MemberBackend")
    return client


def test_the_payee_chooses_among_open_rails_and_a_wrong_account_is_told_at_its_field():
    pair, member = two(), people.register_member(phone="+8613900000003", display_name="林小满", at=AT)
    earn(member, 50_000)
    client = signed_in(member)
    assert 'name="rail"' not in client.get("/earn/payout").content.decode()
    payouts.change_policy(changes={"rails": "sandbox,bank", "rail": "bank"}, by=pair[0], at=AT)
    assert "银行转账" in client.get("/earn/payout").content.decode()
    form = {"legal_name": "林小满", "account": "62220A00", "born": "1995-05-05", "rail": "bank", "id_number": ""}
    wrong = client.post("/earn/payout", form)
    assert wrong.status_code == 422 and "银行账号是 8 到 32 位数字" in wrong.content.decode()
    assert client.post("/earn/payout", {**form, "account": "6222020000001234", "id_number": "1"}).status_code == 422
    assert client.post("/earn/payout", {**form, "account": "6222020000001234"}).status_code == 302
    assert 'name="legal_name"' not in client.get("/earn/payout").content.decode()  # asked for once
    assert 'name="legal_name"' in client.get("/earn/payout?payee=new").content.decode()  # and changed when one wishes
    assert client.post("/earn/payout?payee=new", {**form, "account": "12"}).status_code == 422
    assert client.post("/earn/payout", {"amount": "100"}).status_code == 302
    assert 'name="legal_name"' not in client.get("/earn/payout?payee=new").content.decode()  # never while one is open
    assert Payout.objects.get().rail == "bank"


def test_a_wechat_payout_waits_for_its_payee_and_wechats_word_ends_it(settings, tmp_path):
    pair, it = two(), Wechat()
    with serving(it.app()) as url:
        it.configure(settings, tmp_path, url)
        opened("wechat", pair)
        member = sharer(50_000, account=OPENID)
        row = sent(released(member, 50_000, pair))
    client = signed_in(member)
    page = client.get("/earn/payout").content.decode()
    assert f'data-confirm-package="{row.package}"' in page and 'data-mch="1900000001"' in page
    it.confirm(row.bill_no)
    for fault, status in (("forged", 403), ("extra", 403), ("", 200), ("", 200)):
        headers, body = it.notify(row.bill_no, fault)
        answer = Client().post("/payouts/wechat/notify", body, content_type="application/json", headers=headers)
        assert answer.status_code == status, fault
    assert Payout.objects.get().status == "PAID"
    assert Client().get("/payouts/wechat/notify").status_code == 405
    assert Client().post("/payouts/sandbox/notify", b"{}", content_type="application/json").status_code == 404
    assert Client().post("/payouts/pigeon/notify", b"{}", content_type="application/json").status_code == 422
    assert "data-confirm-package" not in client.get("/earn/payout").content.decode()


def test_the_tax_statement_is_ones_own_with_rows_and_as_csv():
    pair, member = two(), sharer(1_000_000)
    pid = released(member, 1_000_000, pair)
    payouts.mark_sent(pid, at=AT)
    payouts.record(pid, RailOutcome("paid", "t"), at=AT)
    client = signed_in(member)
    page = client.get("/earn/tax?year=2026").content.decode()
    assert "¥9,910.00" in page and "2025-10-01 起的税表，今年第 1 个月" in page
    sheet = client.get("/earn/tax?year=2026&format=csv")
    assert sheet["Content-Type"].startswith("text/csv") and "9910.00" in sheet.content.decode()
    assert client.get("/earn/tax?year=1999").status_code == 422
    stranger = people.register_member(phone="+8613900000009", display_name="某人", at=AT)
    assert "9,910.00" not in signed_in(stranger).get("/earn/tax?year=2026").content.decode()
    assert Client().get("/earn/tax").status_code == 302
