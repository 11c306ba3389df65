"""A code by SMS: short-lived, few tries, used once."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tongzhou.kit import senders
from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands, queries
from tongzhou.people.models import Member, SignInChallenge

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
PHONE = "13812341234"


def ask(at=AT):
    commands.request_code(phone=PHONE, ip="203.0.113.9", at=at)
    return re.search(r"\d{6}", senders.shown(f"+86{PHONE}"))[0]


def refusal(code="000000", at=AT):
    with pytest.raises(Refusal) as refused:
        commands.sign_in(phone=PHONE, code=code, at=at)
    return refused.value.code


def test_a_code_makes_an_account_once_and_then_finds_it():
    code = ask()
    first = commands.sign_in(phone=PHONE, code=code, at=AT)
    assert first.created and refusal(code) == "code_expired" and Member.objects.count() == 1
    again = commands.sign_in(phone=PHONE, code=ask(AT + timedelta(minutes=1)), at=AT + timedelta(minutes=1))
    assert not again.created and again.member_id == first.member_id
    assert queries.card(first.member_id).masked_phone == "138****1234"


def test_wrong_late_and_worn_out_codes_make_nobody():
    code = ask()
    wrong = "000000" if code != "000000" else "111111"
    assert refusal(code, AT + timedelta(minutes=6)) == "code_expired"
    assert [refusal(wrong) for _ in range(6)] == ["code_wrong"] * 5 + ["code_used_up"]
    assert refusal(code) == "code_used_up" and not Member.objects.exists()


def test_too_soon_and_too_many_are_refused_without_a_message():
    for n in range(5):
        ask(AT + timedelta(minutes=n))
    for at, code in (
        (AT + timedelta(minutes=4, seconds=20), "code_too_soon"),
        (AT + timedelta(minutes=9), "too_many_codes"),
    ):
        with pytest.raises(Refusal) as refused:
            ask(at)
        assert refused.value.code == code and SignInChallenge.objects.count() == 5


def test_whoever_signed_in_just_now_may_ask_for_another_code_at_once():
    """On a second device, or after signing out: the code that was used is no code any more."""
    commands.request_code(phone="13812341234", ip="", at=AT)
    first = re.search(r"\d{6}", senders.shown("+8613812341234"))[0]
    commands.sign_in(phone="13812341234", code=first, at=AT + timedelta(seconds=5))
    commands.request_code(phone="13812341234", ip="", at=AT + timedelta(seconds=10))
    second = re.search(r"\d{6}", senders.shown("+8613812341234"))[0]
    assert not commands.sign_in(phone="13812341234", code=second, at=AT + timedelta(seconds=12)).created
