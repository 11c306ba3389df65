"""What is one's own, and who may enter the console."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.cast import ADDRESS, PASSWORD

from tongzhou.kit import audit
from tongzhou.kit.actor import SYSTEM, member, operator
from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands, queries
from tongzhou.people.commands.roles import create_first_owner, revoke_role, setup_code
from tongzhou.people.models import Consent, Member, Role

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


@pytest.fixture
def su():
    return commands.register_member(phone="+8613900000672", display_name="苏禾", at=AT)


def refused(code, call):
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.code == code


def test_a_name_of_one_to_twenty_letters(su):
    commands.rename(member_id=su, display_name=" 苏禾苗 ", by=member(su), at=AT)
    assert queries.card(su).display_name == "苏禾苗"
    for bad in ("", " ", "很" * 21):
        refused("name_invalid", lambda bad=bad: commands.rename(member_id=su, display_name=bad, by=member(su), at=AT))
    refused("member_not_found", lambda: commands.rename(member_id=uuid4(), display_name="谁", by=member(su), at=AT))
    assert queries.card(su).display_name == "苏禾苗"


def test_the_language_is_one_there_is(su):
    commands.set_language(member_id=su, language="en")
    refused("language_unknown", lambda: commands.set_language(member_id=su, language="xx"))
    assert Member.objects.get(id=su).language == "en"


def test_consents_are_kept_by_purpose_once(su):
    for _twice in range(2):
        commands.give_consents(member_id=su, purposes=("terms", "privacy"), at=AT)
    assert sorted(Consent.objects.filter(member_id=su).values_list("purpose", flat=True)) == ["privacy", "terms"]


def test_showing_ones_name_is_given_and_taken_back_on_the_record(su):
    for given in (True, False):
        commands.set_name_consent(member_id=su, given=given, by=member(su), at=AT)
        assert Member.objects.get(id=su).name_consent is given
    assert [e.detail["given"] for e in audit.trail("member", su)] == [False, True]


def test_an_address_is_deleted_by_its_owner_only(su):
    other = commands.register_member(phone="+8613900000673", at=AT)
    kept = commands.save_address(member_id=su, address=ADDRESS, at=AT)
    refused("address_not_found", lambda: commands.delete_address(member_id=other, address_id=kept, at=AT))
    commands.delete_address(member_id=su, address_id=kept, at=AT)
    assert not queries.addresses(su)
    refused("address_not_found", lambda: commands.delete_address(member_id=su, address_id=kept, at=AT))


def test_the_first_owner_shows_the_code_of_the_machine_and_comes_once(settings, tmp_path):
    settings.TONGZHOU_HOME = tmp_path
    asked = {"phone": "13800000001", "name": "沈岚", "password": PASSWORD, "at": AT}
    refused("setup_code_wrong", lambda: create_first_owner(**asked, code="GUESSED"))
    refused("password_weak", lambda: create_first_owner(**{**asked, "password": "1234567890"}, code=setup_code()))
    assert not Role.objects.exists()
    owner = create_first_owner(**asked, code=setup_code().lower())
    assert queries.roles(owner) == {"owner"}
    refused("owner_exists", lambda: create_first_owner(**asked, code=setup_code()))


def test_the_last_owner_stays():
    owner = commands.create_operator(
        phone="13800000001", name="沈岚", password=PASSWORD, roles={"owner"}, by=SYSTEM, at=AT
    )
    by = operator(owner, "沈岚")
    refused("last_owner", lambda: revoke_role(member_id=owner, role="owner", by=by, at=AT))
    refused("role_not_held", lambda: revoke_role(member_id=owner, role="finance", by=by, at=AT))
    second = commands.create_operator(
        phone="13800000002", name="顾川", password=PASSWORD, roles={"owner"}, by=by, at=AT
    )
    revoke_role(member_id=owner, role="owner", by=operator(second, "顾川"), at=AT)
    assert not queries.roles(owner) and queries.roles(second) == {"owner"}
