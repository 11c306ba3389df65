"""Real threads on a real database: one code signs in once, two opposite bindings close no loop."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connections

from tongzhou.kit import senders
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands
from tongzhou.people.models import Binding, Member, SignInChallenge

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


def at_once(*calls):
    """Run the calls together; what each said: "ok" or the refusal's code."""
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


def test_two_sign_ins_with_one_code_make_one_account():
    commands.request_code(phone="13812341234", ip="", at=AT)
    code = re.search(r"\d{6}", senders.shown("+8613812341234"))[0]
    said = at_once(*[lambda: commands.sign_in(phone="13812341234", code=code, at=AT)] * 2)
    assert "ok" in said and said.count("ok") == 1 and Member.objects.count() == 1


def test_twelve_requests_for_one_phone_make_one_code():
    said = at_once(*[lambda: commands.request_code(phone="13812341234", ip="", at=AT)] * 12)
    assert said == ["code_too_soon"] * 11 + ["ok"] and SignInChallenge.objects.count() == 1


def test_two_bindings_of_one_member_and_two_opposite_ones():
    a, b, c = (commands.register_member(phone=f"+861390000000{n}", at=AT) for n in range(3))

    def bind(invitee, inviter):
        return lambda: commands.bind(invitee_id=invitee, inviter_id=inviter, source="link", by=SYSTEM, at=AT)

    assert at_once(bind(c, a), bind(c, b)) == ["already_bound", "ok"]
    Binding.objects.all().delete()
    assert at_once(bind(a, b), bind(b, a)) == ["ok", "would_close_a_loop"]
    assert Binding.objects.count() == 1


def test_four_people_cannot_close_a_loop_in_two_transactions_that_share_nobody():
    a, b, c, d = (commands.register_member(phone=f"+861390000001{n}", at=AT) for n in range(4))

    def bind(invitee, inviter):
        return lambda: commands.bind(invitee_id=invitee, inviter_id=inviter, source="link", by=SYSTEM, at=AT)

    for _round in range(8):
        Binding.objects.all().delete()
        bind(a, b)()
        bind(c, d)()
        assert at_once(bind(b, c), bind(d, a)) == ["ok", "would_close_a_loop"]
