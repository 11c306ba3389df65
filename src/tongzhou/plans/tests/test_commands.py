"""Plans as drafts and as law: what a form is told, and what a machine reads."""

from datetime import timedelta

import pytest
from tests.cast import AT, PLAN, assemble

from tongzhou.compliance import commands as compliance
from tongzhou.compliance import queries as law
from tongzhou.compliance.models import ProfileChange
from tongzhou.kit.refusals import Refusal
from tongzhou.plans import commands, queries
from tongzhou.plans.document import load_document

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return assemble()


def test_a_worse_plan_needs_its_days_of_notice_and_a_better_one_none(cast):
    worse = load_document(PLAN.replace("rate_bp = 1000", "rate_bp = 900"))
    better = load_document(PLAN.replace("rate_bp = 1000", "rate_bp = 1100"))
    assert commands.notice_needed(worse, AT) == AT + timedelta(days=7)
    assert commands.notice_needed(better, AT) is None


def test_a_version_as_plain_json(cast):
    plain = commands.as_plain(queries.in_force(AT))
    assert (plain["code"], plain["version"], plain["status"]) == ("share-10", 1, "ACTIVE")
    assert plain["plan"]["rewards"][0]["rate_bp"] == 1000


def test_a_proposed_jurisdiction_is_put_aside_once(cast, monkeypatch):
    monkeypatch.setattr(law, "_rails", [])  # no counterparty that forces Chinese law
    change = compliance.propose_profile(new="US", reason="the entity moved", by=cast.owner, at=AT)
    compliance.decline_profile(change_id=change, by=cast.finance, at=AT)
    for verb in (compliance.decline_profile, compliance.confirm_profile):
        with pytest.raises(Refusal) as refused:
            verb(change_id=change, by=cast.finance, at=AT)
        assert refused.value.code == "state_moved_on"
    assert ProfileChange.objects.get(id=change).confirmed_at is None
