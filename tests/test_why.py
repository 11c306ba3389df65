"""Why pages: for the sharer, the buyer and the operator, of what was earned and of what was not; each masked, each short."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import AT, PASSWORD, assemble
from tests.test_pages import client
from tests.test_story import buy, drain, pay, ship_and_receive
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.actor import member as actor
from tongzhou.kit.ids import new_id
from tongzhou.orders import commands as orders
from tongzhou.people import commands as people
from tongzhou.plans import commands as plans
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import commands as sharing

pytestmark = pytest.mark.django_db
MOST = 12
NEW = AT + timedelta(days=8)  # when a plan announced at AT may begin
PLAN = 'code = "{code}"\nname = "{code}"\n[attribution]\nmodel = "{model}"\nwindow_days = 7\n{more}'


@pytest.fixture
def cast():
    return assemble()


def page(who, path, most=MOST):
    """A page within its statements."""
    who.get(path)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answer = who.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    assert len(asked) <= most, (path, len(asked), [q["sql"][:110] for q in asked])
    html = answer.content.decode()
    assert not re.search(r'\sstyle="', html) and len(re.findall(r"<h1[ >]", html)) == 1
    return html


def desk(role="owner", language="zh-hans"):
    phone = {"owner": "13800000001", "finance": "13800000002", "support": "13800000005"}[role]
    return client(console=phone, language=language)


def another(cast, tail, name, at=AT):
    return people.register_member(phone=f"+86139000001{tail:02d}", display_name=name, at=at)


def touched(sharer, buyer, at):
    visitor = new_id()
    link = sharing.make_link(member_id=sharer, product_id=None, at=at)
    sharing.touch(code=link.code, visitor_id=visitor, plan_version_id=None, at=at)
    sharing.join_visitor(visitor_id=visitor, member_id=buyer, at=at)


def activate(cast, code, *, model="last_touch", more=""):
    dates = f'[dates]\npublished_at = "{AT.isoformat()}"\neffective_at = "{NEW.isoformat()}"\n'
    plans.import_plan(text=PLAN.format(code=code, model=model, more=more) + dates, by=cast.owner, at=AT)
    plans.activate(code=code, by=cast.owner, at=AT)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_three_pages_of_one_order_each_short_and_masked(cast, language):
    rival = another(cast, 1, "周野")
    touched(rival, cast.buyer, AT - timedelta(days=2))
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    ship_and_receive(cast, placed, AT)
    rewarding.mature_due(at=AT + timedelta(days=20))
    reward = rewards.rewards_of(cast.sharer)[0]

    sharer = page(client(cast.sharer, language), f"/earn/why/{reward.id}")
    assert "苏禾" not in sharer and "苏**" in sharer, "the buyer is masked without consent"
    assert "周野" not in sharer and "周**" not in sharer, "another sharer is not the sharer's business"
    assert ("更早" if language != "en" else "earlier") in sharer

    buyer = page(client(cast.buyer, language), f"/orders/{placed.no}/why")
    assert "林小满" not in buyer and "林**" in buyer and "周野" not in buyer and "周**" in buyer
    assert "¥9.50" in buyer and "¥5.00" in buyer
    assert ("同一个会员价" if language != "en" else "same member price") in buyer

    console = page(desk(language=language), f"/console/orders/{placed.no}/why")
    assert "林小满" in console and "苏禾" in console and "周野" in console
    assert "13900000672" not in console and "139****0672" in console, "phones stay masked for operators"
    for where in (f"/console/plans/{reward.plan_version_id}", f"/console/members/{cast.sharer}", "/console/ledger/"):
        assert f'href="{where}' in console, where
    for link in re.findall(r'href="(/console/ledger/[^"]+|/console/plans/[0-9a-f-]{36})"', console):
        assert desk().get(link).status_code == 200, link


def test_the_name_shows_with_consent_and_hides_when_it_is_taken_back(cast):
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    path = f"/earn/why/{rewards.rewards_of(cast.sharer)[0].id}"
    for given in (True, False):
        people.set_name_consent(member_id=cast.buyer, given=given, by=actor(cast.buyer), at=AT)
        assert ("苏禾" in page(client(cast.sharer), path)) is given


def test_support_reads_why_but_gets_no_link_into_the_books(cast):
    people.create_operator(phone="13800000005", name="客服", password=PASSWORD, roles={"support"}, by=SYSTEM, at=AT)
    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    html = page(desk("support"), f"/console/orders/{placed.no}/why")
    assert "/console/ledger/" not in html.split("<main", 1)[1] and "/console/plans/" not in html.split("<main", 1)[1]


def why_of(cast, placed):
    """(buyer's page, operator's page)."""
    return page(client(cast.buyer), f"/orders/{placed.no}/why"), page(desk(), f"/console/orders/{placed.no}/why")


class TestWhyNothing:
    """An order without a reward says which reason."""

    def test_nobody_shared(self, cast):
        placed, start = buy(cast, shared=False)
        pay(placed, start)
        drain(AT)
        buyer, console = why_of(cast, placed)
        assert "下单之前没有人分享给你" in buyer and "下单之前没有人分享给买家" in console
        assert "看为什么" in client(cast.buyer).get(f"/orders/{placed.no}").content.decode()

    def test_an_own_order(self, cast):
        touched(cast.buyer, cast.buyer, AT)
        placed, start = buy(cast, shared=False)
        pay(placed, start)
        drain(AT)
        buyer, console = why_of(cast, placed)
        assert "你自己的链接" in buyer and "自己的链接" in console

    def test_outside_the_window(self, cast):
        touched(cast.sharer, cast.buyer, AT - timedelta(days=8))
        placed, _start = buy(cast, shared=False)
        buyer, console = why_of(cast, placed)
        assert "超过有效期" in buyer and "超过有效期" in console and "林**" in buyer

    def test_not_paid_and_never_paid(self, cast):
        placed, _start = buy(cast)
        buyer, console = why_of(cast, placed)
        assert "还没有付款" in buyer and "还没有付款" in console
        orders.cancel(order_id=placed.order_id, buyer_id=cast.buyer, by=actor(cast.buyer), at=AT, reason="buyer")
        buyer, console = why_of(cast, placed)
        assert "没有付款就关闭" in buyer and "没有付款就关闭" in console

    def test_the_plan_has_no_rule_for_one_item(self, cast):
        activate(cast, "tea-only", more='[[rewards]]\nrate_bp = 1000\nsku = "ROUGUI"\n')
        placed, start = buy(cast, NEW)
        pay(placed, start, NEW)
        drain(NEW)
        buyer, console = why_of(cast, placed)
        assert "没有管这件商品的规则" in buyer and "没有管这件商品的规则" in console and "¥10.00" in buyer

    def test_a_ceiling_left_nothing(self, cast):
        activate(cast, "tight", more="[[rewards]]\nrate_bp = 1000\n[caps]\nper_month_minor = 1450\n")
        first, start = buy(cast, NEW)
        pay(first, start, NEW)
        drain(NEW)
        second, start = buy(cast, NEW)
        pay(second, start, NEW)
        drain(NEW)
        buyer, console = why_of(cast, second)
        assert "封顶用完" in buyer and "封顶用完" in console
        nothing = next(r for r in rewards.rewards_of(cast.sharer) if r.order_id == second.order_id)
        assert (nothing.accrued_minor, nothing.cut_minor > 0) == (0, True)
        assert "封顶用完" in page(client(cast.sharer), f"/earn/why/{nothing.id}")

    def test_a_binding_alone_under_a_plan_that_does_not_look_at_it(self, cast):
        people.bind(invitee_id=cast.buyer, inviter_id=cast.sharer, source="link", by=SYSTEM, at=AT)
        placed, start = buy(cast, shared=False)
        pay(placed, start)
        drain(AT)
        buyer, console = why_of(cast, placed)
        assert "没有人分享" in buyer and "没有人分享" in console

    def test_what_was_refunded_says_that_it_was_taken_back(self, cast):
        placed, start = buy(cast)
        pay(placed, start)
        drain(AT)
        orders.cancel(order_id=placed.order_id, buyer_id=cast.buyer, by=actor(cast.buyer), at=AT, reason="buyer")
        drain(AT)
        buyer, console = why_of(cast, placed)
        assert "全部扣回" in buyer and "扣回" in console and "封顶用完" not in buyer


def test_nobody_reads_the_why_of_another_persons_order(cast):
    placed, _start = buy(cast)
    assert client(cast.sharer).get(f"/orders/{placed.no}/why").status_code == 404
    assert client().get(f"/orders/{placed.no}/why")["Location"].startswith("/sign-in?next=")


def test_a_payout_is_linked_for_whoever_may_see_money(cast):
    from tongzhou.payouts import commands as payouts

    placed, start = buy(cast)
    pay(placed, start)
    drain(AT)
    fulfilment.ship(order_id=placed.order_id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=AT)
    fulfilment.confirm_receipt(order_id=placed.order_id, by=actor(cast.buyer), buyer_id=cast.buyer, at=AT)
    drain(AT)
    later = AT + timedelta(days=20)
    rewarding.mature_due(at=later)
    payouts.register_payee(member_id=cast.sharer, legal_name="林小满", account="6222020000001234", born="1995-05-05",
                           by=actor(cast.sharer), at=later)  # fmt: skip
    pid = payouts.request(member_id=cast.sharer, amount_minor=1450, at=later)
    html = page(desk(), f"/console/orders/{placed.no}/why")
    assert f'href="/console/payouts/{pid}"' in html and desk().get(f"/console/payouts/{pid}").status_code == 200


class TestWordsFollowThePlan:
    """What the pages say about a second level is what the engine would pay."""

    paths = ("/", "/earn", "/help/sharing")

    @pytest.mark.parametrize(
        ("language", "none", "two"), [("zh-hans", "没有第二层", "第 2 层"), ("en", "no second level", "level 2")]
    )
    def test_one_level_or_two(self, cast, settings, monkeypatch, language, none, two):
        for path in self.paths:
            html = client(language=language).get(path).content.decode()
            assert none in html and two not in html, path
        monkeypatch.setattr("tongzhou.rewards.deciding.compliance.max_depth", lambda: 2)
        monkeypatch.setattr("tongzhou.storefront.http.deciding.deepest", lambda plan: 2)
        for path in self.paths:
            html = client(language=language).get(path).content.decode()
            assert two in html and none not in html, path

    def test_the_window_and_the_model_in_the_rules_are_the_plans(self, cast):
        activate(cast, "early", model="first_touch", more="[[rewards]]\nrate_bp = 500\n")
        html = client().get("/help/sharing").content.decode()
        assert "没有更早打开别人的链接" in html and "7 天内下单" in html
        assert clock.now() > AT
