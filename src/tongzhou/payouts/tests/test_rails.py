"""Rails against counterparties that speak the published protocols: whatever goes wrong, a payout is paid once."""

from datetime import timedelta

import pytest
from tests.counterparties.alipay import Alipay
from tests.counterparties.common import serving
from tests.counterparties.wechat import Wechat

from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.commands.carrying import query_paid, query_sent
from tongzhou.payouts.models import Payout
from tongzhou.payouts.rails import RAILS, usable
from tongzhou.payouts.tests.scene import AT, earn, released, sharer, two
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db
OPENID, LOGIN = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "13900000003"
# ORDER_NOT_EXIST has nothing to change; of two nodes the signed one is believed
UNHARMED = {("changed", "query"), ("second_key", "query"), ("second_key", "transfer")}
UNKNOWN = ("500", "429", "500_after", "half", "forged", "stale", "no_state", "other_bill")


def opened(name, pair):
    payouts.change_policy(changes={"rails": f"sandbox,{name}", "rail": name}, by=pair[1], at=AT)


@pytest.fixture
def pair():
    return two()


@pytest.fixture
def wechat(settings, tmp_path, pair):
    it = Wechat()
    with serving(it.app()) as url:
        it.configure(settings, tmp_path, url)
        opened("wechat", pair)
        yield it


@pytest.fixture
def alipay(settings, tmp_path, pair):
    it = Alipay()
    with serving(it.app()) as url:
        it.configure(settings, tmp_path, url)
        opened("alipay", pair)
        yield it


def sent(pid, at=AT):
    """One try; what the rail did not answer is no end."""
    try:
        payouts.send(pid, at)
    except Refusal as refusal:
        assert refusal.retryable, refusal
    return Payout.objects.get(id=pid)


def test_wechat_from_request_to_the_members_tap(wechat, pair):
    member = sharer(500_000, account=OPENID)
    row = sent(released(member, 300_000, pair))
    assert (row.rail, row.status) == ("wechat", "SENT") and row.package.startswith("affff")
    assert len(row.bill_no) <= 32 and row.bill_no.isalnum()
    asked = wechat.requests[0]
    assert asked["transfer_scene_id"] == "1005" and asked["transfer_amount"] == 300_000 and "user_name" in asked
    assert asked["notify_url"].endswith("/payouts/wechat/notify")
    wechat.confirm(row.bill_no)
    headers, body = wechat.notify(row.bill_no)
    assert payouts.notice("wechat", headers, body, at=AT) is True
    assert payouts.notice("wechat", headers, body, at=AT) is False  # told twice, booked once
    row.refresh_from_db()
    assert (row.status, row.package, row.rail_txn) == ("PAID", "", wechat.bills[row.bill_no]["no"])
    assert books.balances(member)["reward.available"] == 200_000 and books.verify().ok


def test_wechat_takes_no_name_below_two_thousand_yuan_and_a_platform_certificate_serves_as_well(
    wechat, settings, tmp_path, pair
):
    wechat.configure(settings, tmp_path, settings.WECHAT_PAY["URL"], by_certificate=True)
    row = sent(released(sharer(199_999, account=OPENID), 199_999, pair))
    assert row.status == "SENT" and "user_name" not in wechat.requests[0]


@pytest.mark.parametrize("fault", [*UNKNOWN, "other_amount"])
@pytest.mark.parametrize("on", ["create", "query"])
def test_wechat_whatever_goes_wrong_is_asked_for_and_paid_once(wechat, pair, fault, on):
    member = sharer(50_000, account=OPENID)
    pid = released(member, 50_000, pair)
    wechat.faults.order(*(("", fault) if on == "create" else (fault,)))
    try:
        row = sent(pid)
    except AssertionError:
        assert (fault, on) == ("other_amount", "create")  # not retryable: a person looks
        row = Payout.objects.get(id=pid)
    assert fault in wechat.faults.seen
    assert row.status == "SENT" and books.balances(member)["payout.in_transit.reward"] == 50_000
    row = sent(pid, AT + timedelta(minutes=1))
    assert row.status == "SENT" and row.package  # said again, although the first answer was lost
    assert list(wechat.bills) == [row.bill_no]  # one bill, one number
    wechat.confirm(row.bill_no)
    assert query_sent(at=AT + timedelta(minutes=2)) == 1
    assert wechat.bills[row.bill_no]["paid"] == 50_000
    assert Payout.objects.get(id=pid).status == "PAID" and books.verify().ok


def test_wechat_expired_is_failed_and_available_again(wechat, pair):
    member = sharer(50_000, account=OPENID)
    row = sent(released(member, 50_000, pair))
    wechat.expire(row.bill_no)
    assert query_sent(at=AT + timedelta(hours=25)) == 1
    row.refresh_from_db()
    assert (row.status, row.reason, row.package) == ("FAILED", "OVERDUE_CLOSE", "")
    assert books.balances(member)["reward.available"] == 50_000
    again = payouts.request(member_id=member, amount_minor=50_000, at=AT + timedelta(hours=26))
    assert Payout.objects.get(id=again).bill_no != row.bill_no and books.verify().ok


@pytest.mark.parametrize(("account", "amount"), [("oNobodyOfThisNameAtAll", 50_000), (OPENID, 250_000)])
def test_wechat_a_refused_payee_fails_only_once_the_bill_is_known_not_to_exist(wechat, pair, account, amount):
    wechat.people[OPENID] = "别的名字"
    member = sharer(amount, account=account)
    pid = released(member, amount, pair)
    wechat.faults.order("", "", "500")  # refused, but whether a bill exists is not known
    assert sent(pid).status == "SENT"
    row = sent(pid)
    assert row.status == "FAILED" and row.reason.startswith(("PARAM_ERROR", "INVALID_REQUEST"))
    assert not wechat.bills and books.balances(member)["reward.available"] == amount


@pytest.mark.parametrize("fault", ["forged", "stale", "extra"])
def test_wechat_a_forged_notice_changes_nothing(wechat, pair, fault):
    row = sent(released(sharer(50_000, account=OPENID), 50_000, pair))
    wechat.confirm(row.bill_no)
    headers, body = wechat.notify(row.bill_no, fault)
    with pytest.raises(Refusal) as said:
        payouts.notice("wechat", headers, body, at=AT)
    assert said.value.code == "rail_answer_forged"
    row.refresh_from_db()
    assert row.status == "SENT"


def test_a_rail_that_forgot_after_days_is_not_sent_to_again(wechat, pair):
    row = sent(released(sharer(50_000, account=OPENID), 50_000, pair))
    wechat.bills.clear()
    with pytest.raises(Refusal) as said:
        payouts.send(row.id, AT + timedelta(days=4))
    assert said.value.code == "rail_forgot" and not wechat.bills
    row.refresh_from_db()
    assert row.status == "SENT" and row.said.startswith("rail_forgot")


def test_alipay_pays_and_its_fee_is_the_malls(alipay, pair):
    alipay.slow = True
    member = sharer(1_000_000, account=LOGIN)
    row = sent(released(member, 1_000_000, pair))
    assert row.status == "SENT" and row.tax_minor == 9_000
    params, data = alipay.requests[1]
    assert (data["trans_amount"], data["out_biz_no"]) == ("9910.00", row.bill_no)
    assert data["payee_info"] == {"identity": LOGIN, "identity_type": "ALIPAY_LOGON_ID", "name": "林小满"}
    assert "app_cert_sn" not in params
    alipay.finish(row.bill_no, "SUCCESS")
    assert query_sent(at=AT) == 1
    have = books.balances(member)
    assert (have["tax.withheld"], have["expense.payout_fee"], have["bank"]) == (9_000, 10, -991_010)
    row.refresh_from_db()
    assert (row.fee_minor, row.net_minor) == (10, 991_000) and books.verify().ok


def test_alipay_certificates_are_named_in_every_call(alipay, settings, tmp_path, pair):
    alipay.configure(settings, tmp_path, settings.ALIPAY["URL"].removesuffix("/gateway.do"), certificates=True)
    assert usable("alipay") and sent(released(sharer(50_000, account=LOGIN), 50_000, pair)).status == "PAID"
    params, _data = alipay.requests[0]
    assert len(params["app_cert_sn"]) == 32 and len(params["alipay_root_cert_sn"]) == 32
    settings.ALIPAY = {**settings.ALIPAY, "ROOT_CERT_FILE": ""}
    assert RAILS["alipay"].missing() == ["TONGZHOU_ALIPAY_ROOT_CERT_FILE is not set"]


@pytest.mark.parametrize("fault", ["500", "500_after", "half", "forged", "changed", "empty", "second_key"])
@pytest.mark.parametrize("on", ["transfer", "query"])
def test_alipay_whatever_goes_wrong_is_asked_for_and_paid_once(alipay, pair, fault, on):
    member = sharer(50_000, account=LOGIN)
    pid = released(member, 50_000, pair)
    alipay.faults.order(*(("", fault) if on == "transfer" else (fault,)))
    assert sent(pid).status == ("PAID" if (fault, on) in UNHARMED else "SENT") and fault in alipay.faults.seen
    assert sent(pid).status == "PAID" and [o["paid"] for o in alipay.orders.values()] == [1]
    assert books.balances(member)["payout.in_transit.reward"] == 0 and books.verify().ok


def test_alipay_failed_after_it_was_under_way_is_available_again_and_a_refused_payee_too(alipay, pair):
    alipay.slow = True
    member = sharer(50_000, account=LOGIN)
    row = sent(released(member, 50_000, pair))
    alipay.finish(row.bill_no, "FAIL", "收款账户不存在")
    assert sent(row.id).status == "FAILED" and books.balances(member)["reward.available"] == 50_000
    alipay.people.clear()
    row = sent(released(member, 50_000, pair))
    assert (row.status, row.reason[:15]) == ("FAILED", "PAYEE_NOT_EXIST") and len(alipay.orders) == 1
    assert books.balances(member)["reward.available"] == 50_000 and books.verify().ok


@pytest.mark.parametrize("seen_paid", [True, False])
def test_alipay_returned_after_paid_brings_the_tax_back_and_nets_what_is_owed(alipay, pair, seen_paid):
    alipay.slow = not seen_paid
    member = sharer(1_000_000, account=LOGIN)
    row = sent(released(member, 1_000_000, pair))
    earn(member, 2_000, "receivable.clawback.reward")
    alipay.finish(row.bill_no, "REFUND", "账户已注销")
    later = AT + timedelta(hours=7)
    assert (query_paid(at=later) if seen_paid else query_sent(at=later)) == 1
    row.refresh_from_db()
    assert (row.status, row.reason) == ("RETURNED", "账户已注销")
    have = books.balances(member)
    assert (have["reward.available"], have["receivable.clawback.reward"], have["tax.withheld"]) == (998_000, 0, 0)
    assert have["payout.in_transit.reward"] == 0 and rewards.earnings(member).paid_minor == 0
    assert payouts.ask(row.id, at=later) is False and books.verify().ok
    # the month was one of service, the amount is no income
    again = payouts.request(member_id=member, amount_minor=998_000, at=later)
    assert again and books.verify().ok


def test_rails_say_what_is_missing_and_are_refused_until_it_is_there(settings, tmp_path, pair):
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, "MCHID": "1", "KEY_FILE": str(tmp_path / "none.pem")}
    said = RAILS["wechat"].missing()
    assert "TONGZHOU_WECHAT_APPID is not set" in said and "TONGZHOU_WECHAT_KEY_FILE: No such file or directory" in said
    settings.CURRENCY = "USD"
    assert "TONGZHOU_CURRENCY must be CNY, it is USD" in RAILS["alipay"].missing()
    settings.CURRENCY = "CNY"
    with pytest.raises(Refusal) as refused:
        opened("wechat", pair)
    assert [e.code for e in refused.value.errors] == ["rail_not_configured"] * 2
    settings.TONGZHOU_ENV = "production"
    assert payouts.has_open(pair[0].id) is False and RAILS["sandbox"].missing()
    with pytest.raises(Refusal) as refused:
        sharer()
    assert refused.value.code == "no_rail"  # in production nothing is open until somebody configures it


def test_key_files_that_hold_no_key_are_named(settings, tmp_path):
    (tmp_path / "x.pem").write_text("not a key")
    names = ("MCHID", "APPID", "SERIAL", "PLATFORM_SERIAL")
    files = dict.fromkeys(("KEY_FILE", "PLATFORM_KEY_FILE", "APIV3_KEY_FILE"), str(tmp_path / "x.pem"))
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, **dict.fromkeys(names, "1"), **files}
    said = RAILS["wechat"].missing()
    assert len(said) == 2 and said[0].startswith("TONGZHOU_WECHAT_KEY_FILE: ")


@pytest.mark.parametrize(
    ("rail", "good", "bad"),
    [
        ("bank", "6222 0200 0000-1234", "62220A00"),
        ("wechat", OPENID, "o short"),
        ("alipay", LOGIN, "not-an-account"),
        ("alipay", "2088123412341234", "1390000000"),
        ("sandbox", "6222020000001234", "12 34"),
    ],
)
def test_accounts_are_checked_by_their_rail_and_never_repeated_in_a_refusal(rail, good, bad):
    assert RAILS[rail].check_account(good)
    with pytest.raises(Refusal) as said:
        RAILS[rail].check_account(bad)
    assert said.value.code == "account" and bad not in str(said.value.as_dict())
