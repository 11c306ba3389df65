"""Who earns from an order, through the pages: the three models, the window, protection, codes, and a cookie that is joined."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.cast import AT, assemble
from tests.test_funnel import ADDRESS
from tests.test_pages import client
from tongzhou.kit import clock, senders
from tongzhou.kit.ids import new_id
from tongzhou.orders import queries as sold
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans import commands as plans
from tongzhou.sharing import commands as sharing
from tongzhou.sharing import queries as shared

pytestmark = pytest.mark.django_db
PLAN = 'code = "{model}"\nname = "{model}"\n[attribution]\nmodel = "{model}"\nwindow_days = 7\n{protect}[[rewards]]\nrate_bp = 1000\n'


@pytest.fixture
def cast():
    return assemble()


@pytest.fixture
def people_here(cast):
    """Two sharers: the one who came first and the one who came last."""
    rival = people.register_member(phone="+8613900000901", display_name="周野", at=AT)
    return cast.sharer, rival


def plan(cast, model, protection=0):
    protect = f"protection_days = {protection}\n" if protection else ""
    dates = f'[dates]\npublished_at = "{AT.isoformat()}"\neffective_at = "{(AT + timedelta(days=8)).isoformat()}"\n'
    plans.import_plan(text=PLAN.format(model=model, protect=protect) + dates, by=cast.owner, at=AT)
    plans.activate(code=model, by=cast.owner, at=AT)


def link(member):
    return sharing.make_link(member_id=member, product_id=None, at=clock.now()).url_path


def sign_in(c, phone):
    """Through the page: phone, the code sent to it, terms."""
    c.post("/sign-in", {"phone": phone})
    code = re.search(r"\d{6}", senders.shown(f"+86{phone}") or "")[0]
    answer = c.post("/sign-in", {"phone": phone, "code": code, "name": "新朋友", "agree": "on"})
    assert answer.status_code == 302, re.findall(r'role="alert".*?</|error[^<]{0,80}<[^<]*', answer.content.decode())
    return members.by_phone(phone).id


def order(c, cast, **more):
    said = {"sku": str(cast.rice), "quantity": "1", "key": str(new_id()), **ADDRESS, **more}
    answer = c.post("/checkout", said)
    assert answer.status_code == 302, answer.content.decode()[-800:]
    no = answer["Location"].split("/")[2]
    return shared.attribution(sold.order(no).id)


@pytest.fixture
def newcomer(people_here):
    """A guest opens two links, then signs up: what the browser touched is the member's."""
    first, last = people_here
    c = Client()
    c.get(link(first))
    c.get(link(last))
    who = sign_in(c, "13700000101")
    return c, who


def test_last_touch_and_the_loser_is_kept_with_its_reason(cast, people_here, newcomer):
    first, last = people_here
    won = order(newcomer[0], cast)
    assert (won.sharer_id, won.reason, won.model) == (last, "last_touch", "last_touch")
    assert [(c["sharer"], c["reason"]) for c in won.lost] == [(str(first), "earlier_touch")]
    assert won.link_id is not None and won.touch_id is not None


def test_first_touch(cast, people_here, newcomer):
    plan(cast, "first_touch")
    first, last = people_here
    won = order(newcomer[0], cast)
    assert (won.sharer_id, won.reason) == (first, "first_touch")
    assert [(c["sharer"], c["reason"]) for c in won.lost] == [(str(last), "later_touch")]


def test_binding_first_protects_the_inviter_and_then_no_longer(cast, people_here, newcomer):
    plan(cast, "binding_first", protection=30)
    first, last = people_here
    c, who = newcomer
    assert members.inviter_of(who)[0] == first, "whoever's link was opened first invited the account"
    won = order(c, cast)
    assert (won.sharer_id, won.reason) == (first, "bound_and_protected")
    assert (str(last), "binding_protected") in [(x["sharer"], x["reason"]) for x in won.lost]
    from tongzhou.people.models import Binding

    Binding.objects.filter(invitee_id=who).update(at=clock.now() - timedelta(days=31))
    won = order(c, cast)
    assert (won.sharer_id, won.reason) == (last, "last_touch")
    assert (str(first), "binding_came_first") not in [(x["sharer"], x["reason"]) for x in won.lost]


def test_a_typed_code_beats_every_link_and_a_wrong_one_is_refused(cast, people_here, newcomer):
    first, last = people_here
    c, _who = newcomer
    form = {"sku": str(cast.rice), "quantity": "1", "key": str(new_id()), **ADDRESS, "sharer_code": "NOSUCH99"}
    refused = c.post("/checkout", form)
    assert refused.status_code == 422 and 'value="NOSUCH99"' in refused.content.decode()
    won = order(c, cast, sharer_code=members.card(first).invite_code.lower())
    assert (won.sharer_id, won.reason, won.link_id) == (first, "typed_code", None)
    assert (str(last), "code_was_typed") in [(x["sharer"], x["reason"]) for x in won.lost]
    assert (str(first), "same_sharer") in [(x["sharer"], x["reason"]) for x in won.lost]


def test_the_window_closes_and_says_so(cast, people_here, newcomer):
    from tongzhou.sharing.models import Touch

    Touch.objects.update(at=clock.now() - timedelta(days=7, minutes=5))
    won = order(newcomer[0], cast)
    assert won.sharer_id is None and {x["reason"] for x in won.lost} == {"outside_window"}
    assert len(won.lost) == 2


def test_a_browser_belongs_to_whoever_signed_in_first(cast, people_here, newcomer):
    """A second account on the same telephone does not take the first one's touches with it, nor lend it its own."""
    c, who = newcomer
    c.post("/sign-out")
    other = sign_in(c, "13700000102")
    assert other != who
    from tongzhou.sharing.models import Visitor

    assert list(Visitor.objects.values_list("member_id", flat=True)) == [who]
    assert order(client(who), cast).sharer_id == people_here[1], "the touches follow the member to another browser"


def test_a_forged_cookie_is_nobody(cast, people_here, newcomer):
    c, _who = newcomer
    stranger = Client()
    stranger.cookies["tz_visitor"] = c.cookies["tz_visitor"].value + "x"
    sign_in(stranger, "13700000103")
    won = order(stranger, cast)
    assert won.sharer_id is None and won.candidates == ()
