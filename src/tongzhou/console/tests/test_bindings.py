"""Who invited whom is corrected by two people, through the pages; earlier attributions and rewards stay."""

import re

import pytest
from tests.cast import AT
from tests.test_story import buy, drain, pay

from tongzhou.console.tests.desk import open_desk, sign_in
from tongzhou.kit.actor import SYSTEM, operator
from tongzhou.kit.ids import new_id
from tongzhou.kit.models import AuditEntry
from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.people.models import RebindProposal
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    found = open_desk()
    people.bind(invitee_id=found.cast.buyer, inviter_id=found.cast.sharer, source="link", by=SYSTEM, at=AT)
    return found


@pytest.fixture
def right(desk):
    """Whoever should have been the inviter."""
    return members.card(people.register_member(phone="+8613900000777", display_name="周野", at=AT))


def propose(desk, right, client=None, **changes):
    said = {"inviter": right.invite_code, "reason": "扫错了朋友的码", **changes}
    return (client or sign_in("operator")).post(f"/console/members/{desk.cast.buyer}/rebind", said)


def decide(client, act, **more):
    proposal = RebindProposal.objects.latest("proposed_at")
    return client.post("/console/sharing/bindings", {"proposal": str(proposal.id), "act": act, **more})


def inviter(desk):
    return members.inviter_of(desk.cast.buyer)[0]


def test_two_people_change_it_and_what_was_decided_before_stays(desk, right):
    placed, start = buy(desk.cast)
    pay(placed, start)
    drain(AT)
    before = (shared.attribution(placed.order_id), rewards.of_orders([placed.order_id]))
    assert before[1], "there is something to keep"
    asked = propose(desk, right)
    assert asked.status_code == 302 and inviter(desk) == desk.cast.sharer, "nothing changes yet"
    waits = sign_in("owner").get("/console/sharing/bindings").content.decode()
    assert "周野" in waits and "扫错了朋友的码" in waits and 'value="confirm"' in waits
    assert decide(sign_in("owner"), "confirm").status_code == 302
    assert inviter(desk) == right.id
    assert (shared.attribution(placed.order_id), rewards.of_orders([placed.order_id])) == before
    trail = sign_in("owner").get(f"/console/members/{desk.cast.buyer}/rebind").content.decode()
    assert "提议改绑" in trail and "确认改绑" in trail
    who = AuditEntry.objects.filter(action__startswith="binding.").values_list("action", "actor_name")
    assert set(who) == {("binding.propose", "operator"), ("binding.confirm", "沈岚")}


def test_whoever_proposed_cannot_confirm_but_may_take_it_back(desk, right):
    mine = sign_in("operator")
    propose(desk, right, mine)
    html = mine.get("/console/sharing/bindings").content.decode()
    assert 'value="confirm"' not in html and "要另一个人确认" in html
    refused = decide(mine, "confirm")
    assert refused.status_code == 403 and "两个人" in refused.content.decode() and inviter(desk) == desk.cast.sharer
    assert decide(mine, "decline", reason="").status_code == 422
    assert decide(mine, "decline", reason="弄错了人").status_code == 302 and inviter(desk) == desk.cast.sharer
    assert decide(sign_in("owner"), "confirm").status_code == 409, "what was laid aside stays so"
    assert inviter(desk) == desk.cast.sharer
    assert propose(desk, right, mine).status_code == 302, "and another may be proposed"


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"inviter": "NOSUCH99"}, 422, "没有找到这位会员"),
        ({"inviter": "13900000672"}, 422, "不能邀请自己"),
        ({"inviter": "13900000003"}, 409, "没有要改的"),
        ({"reason": "错"}, 422, "请写明更正的理由"),
    ],
)
def test_a_refusal_says_why_keeps_what_was_typed_and_changes_nothing(desk, right, said, status, words):
    answer = propose(desk, right, **said)
    html = answer.content.decode()
    assert answer.status_code == status and words in html and 'aria-invalid="true"' in html
    assert f'value="{said.get("inviter", right.invite_code)}"' in html
    assert not RebindProposal.objects.exists() and inviter(desk) == desk.cast.sharer


def test_a_loop_is_refused(desk, right):
    people.bind(invitee_id=right.id, inviter_id=desk.cast.buyer, source="link", by=SYSTEM, at=AT)
    answer = propose(desk, right)
    assert answer.status_code == 409 and "绕成一个圈" in answer.content.decode()


def test_one_correction_at_a_time(desk, right):
    propose(desk, right)
    form = sign_in("operator").get(f"/console/members/{desk.cast.buyer}/rebind").content.decode()
    assert "等第二个人" in form and not re.search(r'name="inviter"', form)
    assert propose(desk, right).status_code == 409 and RebindProposal.objects.count() == 1


def test_laying_aside_wants_a_reason_and_something_that_waits(desk, right):
    by = operator(desk.cast.owner.id)
    with pytest.raises(Refusal, match="proposal_not_found"):
        people.decline_rebind(proposal_id=new_id(), reason="弄错了人", by=by, at=AT)
    propose(desk, right)
    waiting = RebindProposal.objects.get()
    with pytest.raises(Refusal, match="reason_missing"):
        people.decline_rebind(proposal_id=waiting.id, reason=" ", by=by, at=AT)
    people.decline_rebind(proposal_id=waiting.id, reason="弄错了人", by=by, at=AT)
    with pytest.raises(Refusal, match="state_moved_on"):
        people.decline_rebind(proposal_id=waiting.id, reason="弄错了人", by=by, at=AT)
    assert inviter(desk) == desk.cast.sharer


def test_support_looks_and_proposes_nothing(desk, right):
    client = sign_in("support")
    assert client.get(f"/console/members/{desk.cast.buyer}/rebind").status_code == 200
    assert propose(desk, right, client).status_code == 403 and not RebindProposal.objects.exists()
    assert client.get("/console/sharing/bindings").status_code == 403
