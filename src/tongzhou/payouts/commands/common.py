"""What the verbs of payouts share: who may, and which payout."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import Refusal, conflict, forbidden, invalid, not_found
from tongzhou.payouts.models import Payout
from tongzhou.people import queries as people

MAY_RELEASE = frozenset({"finance", "owner"})
TRANSIT = "payout.in_transit.reward"
AVAILABLE, OWED_BACK = "reward.available", "receivable.clawback.reward"


def need_finance(by: Actor) -> UUID:
    """Who acts is finance or owner. *Refuses:* ``not_allowed``."""
    if by.id is None or not people.roles(by.id) & MAY_RELEASE:
        raise forbidden("not_allowed", _("只有财务或所有者可以放款。"))
    return by.id


def need_reason(reason: str) -> str:
    """A reason somebody can read later. *Refuses:* ``reason_missing``."""
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明理由。"), field="reason", value=reason, rule=_("至少 4 个字"))
    return reason.strip()[:200]


def get(payout_id: UUID) -> Payout:
    """One payout. *Refuses:* ``payout_not_found``."""
    row = Payout.objects.filter(id=payout_id).first()
    if row is None:
        raise not_found(_("没有这笔提现。"), code="payout_not_found")
    return row


def moved_on() -> Refusal:
    """Somebody was faster."""
    return conflict("state_moved_on", _("这笔提现刚刚有了变化，请刷新后再看。"))
