"""One order from touch to payout on one page, for whoever answers the question "why this amount, why nothing"."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from tongzhou.console import http
from tongzhou.ledger.values import StatementLine
from tongzhou.orders import queries as orders
from tongzhou.payouts import queries as payouts
from tongzhou.people import queries as members
from tongzhou.people.values import MemberCard
from tongzhou.rewards import explaining
from tongzhou.rewards.explaining import LineStory
from tongzhou.rewards.values import RewardValue
from tongzhou.sharing import queries as shared

if TYPE_CHECKING:
    from tongzhou.payouts.models import Payout


@http.door("orders")
def why(request: HttpRequest, no: str) -> HttpResponse:
    """Everybody who had a part, who won and why, and each line's reward with its ceilings, money and payout."""
    row, lines = orders.whole(no)
    won = shared.attribution(row.id)
    story = explaining.explain(row, lines, won)
    candidates = [(c, UUID(c["sharer"])) for c in won.candidates] if won else []
    earners = {r.sharer_id for x in story.lines for r in x.rewards}
    names = members.cards({row.buyer_id, *earners, *(who for _c, who in candidates)})
    context = {
        "order": row, "won": won, "story": story, "buyer": names.get(row.buyer_id),
        "sharer": names.get(row.sharer_id) if row.sharer_id else None,
        "candidates": [(c, names.get(who)) for c, who in candidates],
        "lines": [(x, _rewards(x, names)) for x in story.lines],
        "payouts": _payouts(story.lines), "may_money": http.may(request, http.MONEY), "may_plans": http.may(request, http.DESK),
    }  # fmt: skip
    return http.page(request, "why", context)


def _rewards(
    x: LineStory, names: dict[UUID, MemberCard]
) -> list[tuple[RewardValue, MemberCard | None, int, list[StatementLine]]]:
    """Each depth of a line: the reward, whose, what it was reckoned on, and what moved for it."""
    return [
        (r, names.get(r.sharer_id), r.base_minor - r.points_minor, [m for m in x.moves if m.story_id == r.story_id])
        for r in x.rewards
    ]


def _payouts(lines: Sequence[LineStory]) -> "dict[UUID, Payout]":
    """reward → the first payout its member asked for once it was available: it came out of the same purse."""
    ready = [r for x in lines for r in x.rewards if r.matured_at and r.standing_minor]
    out = {}
    for member_id in {r.sharer_id for r in ready}:
        asked = payouts.payouts_of(member_id)[::-1]
        for r in ready:
            found = next((p for p in asked if r.matured_at and p.requested_at >= r.matured_at), None)
            if r.sharer_id == member_id and found:
                out[r.id] = found
    return out
