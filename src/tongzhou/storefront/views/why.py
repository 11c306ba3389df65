"""Why a reward is what it is, for its sharer; and who earns from an order, or why nobody, for its buyer."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.payouts import queries as payouts
from tongzhou.people import queries as members
from tongzhou.rewards import explaining
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import queries as shared
from tongzhou.storefront import http
from tongzhou.storefront.views import safety

if TYPE_CHECKING:
    from tongzhou.payouts.models import Payout


def reward(request: HttpRequest, reward_id: str) -> HttpResponse:
    """One reward from touch to payout: every step as it was written down then. The buyer's name only with consent."""
    who = http.need_member(request)
    row = rewards.why(http.as_uuid(reward_id, "reward"), sharer_id=who.id)
    won = shared.attribution(row.order_id)
    buyer = members.cards([row.buyer_id]).get(row.buyer_id)
    context = {
        "r": row, "won": won, "buyer": buyer, "line": orders.line(row.line_id), "order": orders.order_by_id(row.order_id),
        "steps": [s for s in books.story(row.story_id or row.line_id) if _mine(s.debit) or _mine(s.credit)], "back": "/earn",
        "base": row.base_minor - row.points_minor, "paid": _paid_after(who.id, row.matured_at),
        "hold": safety.shown(row.id, who.id, http.now()),
        "lost": won.lost if won and row.depth == 1 else (), "link": shared.link_by_id(won.link_id) if won else None,
    }  # fmt: skip
    return http.page(request, "why", context)


def order(request: HttpRequest, no: str) -> HttpResponse:
    """Who earns from one's own order, how much and why; or why nobody does. Sharers are masked here."""
    who = http.need_member(request)
    row, lines = orders.whole(no, buyer_id=who.id)
    won = shared.attribution(row.id)
    story = explaining.explain(row, lines, won)
    earning = [(x, r) for x in story.lines for r in x.rewards]
    ids = {r.sharer_id for _x, r in earning} | ({UUID(c["sharer"]) for c in won.candidates} if won else set())
    names = members.cards([*ids, *([row.sharer_id] if row.sharer_id else [])])
    context = {
        "order": row, "won": won, "story": story, "back": f"/orders/{no}", "me": who,
        "sharer": names.get(row.sharer_id) if row.sharer_id and row.sharer_id != who.id else None,
        "earning": [(x.line, r, names.get(r.sharer_id), r.base_minor - r.points_minor) for x, r in earning],
        "silent": [x for x in story.lines if x.reason],
        "lost": [(c, names.get(UUID(c["sharer"]))) for c in won.lost] if won else [],
    }  # fmt: skip
    return http.page(request, "why_order", context)


def _mine(account: str) -> bool:
    """Whether an account tells of the reward: what the mall pays its suppliers is not the sharer's business."""
    return account.startswith(("reward.", "prepaid.rewards", "expense.rewards", "receivable.clawback"))


def _paid_after(member_id: UUID, matured_at: datetime | None) -> "Payout | None":
    """The first payout asked for after a reward became available: it came out of the same purse."""
    rows = [p for p in payouts.payouts_of(member_id) if p.requested_at >= matured_at] if matured_at else []
    return rows[-1] if rows else None
