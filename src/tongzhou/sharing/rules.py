"""Who earns from an order: one winner, deterministically, with a reason for everybody (domain.md §2). Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tongzhou.plans.values import Attribution, AttributionModel
from tongzhou.sharing.values import Candidate, Choice


def choose(candidates: Sequence[Candidate], policy: Attribution, *, order_at: datetime, buyer_id: UUID) -> Choice:
    """Pick the winner among everybody who had a part in an order.

    1. Nobody earns from their own order.
    2. A link counts ``window_days`` from touch to order; nothing counts that came after the order.
    3. A typed code beats everything else.
    4. ``binding_first``: within ``protection_days`` of the binding, the bound inviter wins over links.
    5. Otherwise the last (``last_touch``, ``binding_first``) or first (``first_touch``) link wins.
    6. A binding alone earns only under ``binding_first``; it pays nothing by itself.

    The result does not depend on the order of ``candidates``: ties fall to the smaller touch id.
    """
    able: list[Candidate] = []
    losers: list[tuple[Candidate, str]] = []
    for c in sorted(candidates, key=_key):
        why = _unable(c, policy, order_at, buyer_id)
        if why:
            losers.append((c, why))
        else:
            able.append(c)
    winner, reason = _winner(able, policy, order_at)
    losers += [(c, _lost_to(c, winner, reason)) for c in able if c is not winner]
    return Choice(winner, reason, tuple(losers))


def _key(c: Candidate) -> tuple[datetime, str, str, str]:
    return (c.at, c.kind, str(c.touch_id or ""), str(c.sharer_id))


def _unable(c: Candidate, policy: Attribution, order_at: datetime, buyer_id: UUID) -> str:
    if c.sharer_id == buyer_id:
        return "own_order"
    if c.at > order_at:
        return "after_the_order"
    if c.kind == "link" and order_at - c.at > timedelta(days=policy.window_days):
        return "outside_window"
    if c.kind == "binding" and policy.model != AttributionModel.BINDING_FIRST:
        return "binding_does_not_count"
    return ""


def _winner(able: Sequence[Candidate], policy: Attribution, order_at: datetime) -> tuple[Candidate | None, str]:
    codes = [c for c in able if c.kind == "code"]
    if codes:
        return codes[-1], "typed_code"
    links = [c for c in able if c.kind == "link"]
    bound = [c for c in able if c.kind == "binding"]
    if bound and policy.model == AttributionModel.BINDING_FIRST:
        protected = order_at - bound[0].at <= timedelta(days=policy.protection_days)
        if protected:
            return bound[0], "bound_and_protected"
        if not links:
            return bound[0], "bound"
    if not links:
        return None, "nobody_shared"
    if policy.model == AttributionModel.FIRST_TOUCH:
        return links[0], "first_touch"
    return links[-1], "last_touch"


def _lost_to(c: Candidate, winner: Candidate | None, reason: str) -> str:
    if winner is not None and c.sharer_id == winner.sharer_id:
        return "same_sharer"
    return {"typed_code": "code_was_typed", "bound_and_protected": "binding_protected", "first_touch": "later_touch",
            "last_touch": "earlier_touch", "bound": "binding_came_first"}[reason]  # fmt: skip
