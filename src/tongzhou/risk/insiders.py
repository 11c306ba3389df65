"""Evidence against insiders: a rate raised before a big order, a binding corrected by hand, by whom it profits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from tongzhou.kit import audit
from tongzhou.orders import queries as orders
from tongzhou.people import queries as people
from tongzhou.plans import queries as plans
from tongzhou.plans.rules import LineFacts, award_order
from tongzhou.rewards.values import HeldReward
from tongzhou.risk.values import Policy

if TYPE_CHECKING:
    from tongzhou.orders.models import Order


def insiders(
    rows: Sequence[HeldReward], p: Policy, joined: Mapping[UUID, UUID], at: datetime
) -> dict[UUID, frozenset[str]]:  # fmt: skip
    """reward → which of ``rate`` (raised just before), ``rebound`` (by hand), ``insider`` (by the one who earns)."""
    found: dict[UUID, set[str]] = {r.id: set() for r in rows}
    known = orders.orders_by_id([r.order_id for r in rows])
    fixed = people.corrections_of([r.buyer_id for r in rows], at - timedelta(days=p["rebind_days"]))
    for r in rows:
        order = known.get(r.order_id)
        editors = _raised_by(r, order, p) if order else None
        if editors is not None:
            found[r.id].add("rate")
        for inviter, hands, when in fixed.get(r.buyer_id, ()):
            if inviter == r.sharer_id and order and when <= order.placed_at:
                found[r.id].add("rebound")
                editors = (editors or set()) | hands
        if editors and _profits(editors, r, joined):
            found[r.id].add("insider")
    return {line: frozenset(said) for line, said in found.items()}


def _profits(editors: set[UUID], r: HeldReward, joined: Mapping[UUID, UUID]) -> bool:
    group = joined.get(r.sharer_id, r.sharer_id)
    return any(e == r.sharer_id or joined.get(e, e) == group for e in editors)


def _raised_by(r: HeldReward, order: "Order", p: Policy) -> set[UUID] | None:
    """Who wrote the plan version that paid more than the one before, within hours of a big order; else None."""
    if order.goods_minor < p["big_order_minor"]:
        return None
    version = plans.versions({r.plan_version_id}).get(r.plan_version_id)
    if version is None or not version.effective_at <= order.placed_at <= version.effective_at + timedelta(
        hours=p["rate_hours"]
    ):
        return None
    before = plans.before(version.id)
    if before is None:
        return None
    line = orders.line(r.line_id)
    facts = LineFacts(
        line.sku_code if line else "", line.product_slug if line else "", (), r.base_minor, 0, r.base_minor, r.cost_minor
    )  # fmt: skip
    was, now = (award_order(v.plan, [facts], month_left_minor=None)[0] for v in (before, version))
    if (now.amount_minor if now else 0) <= (was.amount_minor if was else 0):
        return None
    return {a for a in audit.trail("plan", version.label).values_list("actor_id", flat=True) if a}
