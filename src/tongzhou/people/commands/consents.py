"""Consent per purpose: given and withdrawn with the same ease, each with its version and time (PIPL)."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import invalid
from tongzhou.kit.transactions import command
from tongzhou.people.models import Consent

PURPOSES = frozenset({"device"})  # what a member decides on one by one, beside terms and privacy


@command()
def set_purpose(*, member_id: UUID, purpose: str, given: bool, by: Actor, at: datetime, version: str = "1") -> None:
    """Give or withdraw consent to one purpose; the history stays. *Refuses:* ``purpose_unknown``."""
    if purpose not in PURPOSES:
        raise invalid(
            "purpose_unknown", _("没有这一项同意。"), field="purpose", value=purpose, rule=", ".join(sorted(PURPOSES))
        )
    standing = Consent.objects.filter(member_id=member_id, purpose=purpose, withdrawn_at=None)
    if given and not standing.exists():
        Consent.objects.bulk_create([Consent(member_id=member_id, purpose=purpose, version=version, given_at=at)])
    elif not given and not standing.update(withdrawn_at=at):  # a refusal before any consent is kept too
        Consent.objects.bulk_create(
            [Consent(member_id=member_id, purpose=purpose, version=version, given_at=at, withdrawn_at=at)]
        )
    audit.record(
        by=by, action=f"consent.{purpose}", subject_kind="member", subject_id=member_id, at=at, given=given,
        version=version,
    )  # fmt: skip
