"""The verbs of sharing: make a link, be touched by one, attribute an order."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.compliance.rules import copy_terms
from tongzhou.kit import clock, idempotency, inserts, selects
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import invalid, not_found
from tongzhou.kit.transactions import command
from tongzhou.people import queries as people
from tongzhou.people.rules import new_code
from tongzhou.plans.values import Attribution as Policy
from tongzhou.plans.values import AttributionModel
from tongzhou.sharing.models import Attribution, FunnelMark, LinkDay, ShareLink, Touch, Visitor
from tongzhou.sharing.rules import choose
from tongzhou.sharing.values import AttributionValue, Candidate, Choice, LinkValue, TouchValue

REPEAT = timedelta(minutes=30)
MOST_WORDS = 40


def link_value(row: ShareLink) -> LinkValue:
    return LinkValue(row.id, row.code, row.sharer_id, row.product_id, row.kind, row.at, row.words)


@transaction.atomic
def make_link(*, member_id: UUID, product_id: UUID | None, at: datetime) -> LinkValue:
    """A member's link to a product (or to the mall): the same asked twice is the same link."""
    have = ShareLink.objects.filter(sharer_id=member_id, product_id=product_id).first()
    if have:
        return link_value(have)
    while True:
        code = new_code(8).lower()
        if idempotency.take(f"link:{code}", at=at, owner_id=member_id):
            break
    row = ShareLink(
        code=code, sharer_id=member_id, product_id=product_id, kind="product" if product_id else "shop", at=at
    )
    ShareLink.objects.bulk_create([row], ignore_conflicts=True)
    return link_value(ShareLink.objects.get(sharer_id=member_id, product_id=product_id))


@transaction.atomic
def say(*, member_id: UUID, product_id: UUID | None, words: str, at: datetime) -> LinkValue:
    """Put one's own sentence on one's link, or take it off; whoever opens the link reads it beside the name.

    *Refuses:* ``words_too_long``, ``words_promise`` (a promise of income is not said in anybody's name).
    """
    text = " ".join(words.split())
    if len(text) > MOST_WORDS:
        raise invalid(
            "words_too_long", _("这句话太长了。"), field="words", value=text, rule=_("最多 %(n)d 个字") % {"n": MOST_WORDS},
            fix=_("留下最想说的那一句。"),
        )  # fmt: skip
    found = copy_terms(text)
    if found:
        raise invalid(
            "words_promise", _("这句话里有“%(term)s”，不能这样说。") % {"term": found[0]}, field="words", value=text,
            rule=_("分享里不能承诺收入"), fix=_("写你自己用下来的感受。"),
        )  # fmt: skip
    link = make_link(member_id=member_id, product_id=product_id, at=at)
    ShareLink.objects.filter(id=link.id).update(words=text)
    return replace(link, words=text)


@transaction.atomic
def touch(
    *, code: str, visitor_id: UUID, plan_version_id: UUID | None, at: datetime, referrer: str = "", agent: str = ""
) -> TouchValue:  # fmt: skip
    """Write that a visitor opened a link; the same visitor and link within half an hour is one touch.

    The plan in force is written beside it: its rates stay owed for its ``lock_days``.
    *Refuses:* ``link_not_found``.
    """
    link = ShareLink.objects.filter(code=code.lower()).first()
    if link is None:
        raise not_found(_("这个分享链接不存在。"), code="link_not_found")
    kind = agent_class(agent)
    if kind == "bot":
        _count(link.id, link.product_id, at, bots=1)
    else:
        fresh = _mark(link.id, visitor_id, "visit", link.product_id, at)
        _count(link.id, link.product_id, at, views=1, visitors=int(fresh))
    recent = Touch.objects.filter(visitor_id=visitor_id, link_id=link.id, at__gt=at - REPEAT, at__lte=at)
    row = recent.order_by("-at").first()
    if row is None:
        row = Touch(
            id=new_id(), link_id=link.id, sharer_id=link.sharer_id, visitor_id=visitor_id, product_id=link.product_id,
            plan_version_id=plan_version_id, at=at, referrer=referrer[:200], agent_class=kind,
        )  # fmt: skip
        Touch.objects.bulk_create([row])
    return TouchValue(row.id, row.link_id, row.sharer_id, row.product_id, row.at)


def _mark(link_id: UUID, visitor_id: UUID, kind: str, product_id: UUID | None, at: datetime) -> bool:
    """Note a visitor's step; whether it is the first of its kind by this link today."""
    return inserts.fresh(
        FunnelMark(
            id=new_id(),
            link_id=link_id,
            day=clock.mall_day(at),
            visitor_id=visitor_id,
            kind=kind,
            product_id=product_id,
        )
    )


def _count(link_id: UUID, product_id: UUID | None, at: datetime, **more: int) -> None:
    """Add to a link's day."""
    day = clock.mall_day(at)
    inserts.write([LinkDay(id=new_id(), link_id=link_id, product_id=product_id, day=day)], ignore_conflicts=True)
    LinkDay.objects.filter(link_id=link_id, day=day).update(**{name: F(name) + n for name, n in more.items()})


@transaction.atomic
def carted(
    *, visitor_id: UUID | None, member_id: UUID | None, product_id: UUID | None, policy: Policy, at: datetime
) -> bool:  # fmt: skip
    """Something was put in a cart: count it for the link that would earn if it were ordered now.

    Once per visitor, link and day. True when it was counted; nobody's link, one's own, an old one or a
    machine's counts nothing.
    """
    who = member_id or visitor_id
    if who is None:
        return False
    rows = {t.id: t for t in _opened(who, visitor_id, policy, at) if t.agent_class != "bot"}
    links = Policy(AttributionModel.LAST_TOUCH if policy.model == AttributionModel.BINDING_FIRST else policy.model,
                   policy.window_days)  # fmt: skip
    choice = choose([_candidate(t) for t in rows.values()], links, order_at=at, buyer_id=who)
    touched = rows.get(choice.winner.touch_id) if choice.winner and choice.winner.touch_id else None
    if touched is None or not _mark(touched.link_id, touched.visitor_id, "cart", product_id, at):
        return False
    _count(touched.link_id, touched.product_id, at, carts=1)
    return True


def agent_class(agent: str) -> str:
    """A user agent reduced to what it is, so that no fingerprint is kept."""
    low = agent.lower()
    if "micromessenger" in low:
        return "wechat"
    if any(b in low for b in ("bot", "spider", "crawl", "curl", "python")):
        return "bot"
    return "phone" if "mobile" in low else "desktop"


@transaction.atomic
def join_visitor(*, visitor_id: UUID, member_id: UUID, at: datetime) -> None:
    """At sign-in: what this browser touched was touched by this member. The first member keeps it."""
    Visitor.objects.bulk_create([Visitor(id=visitor_id, member_id=member_id, joined_at=at)], ignore_conflicts=True)


@command()
def attribute(
    *, order_id: UUID, buyer_id: UUID, policy: Policy, at: datetime, typed_code: str = "", visitor_id: UUID | None = None
) -> AttributionValue:  # fmt: skip
    """Decide who earns from an order, and keep the decision with every candidate and reason.

    An order asked about twice has the first answer. *Refuses:* ``sharer_code_unknown``: a mistyped code
    would silently cost somebody the reward, so the buyer mends it or leaves it out.
    """
    candidates = _touches(buyer_id, visitor_id, policy, at)
    if typed_code.strip():
        typed = people.invite_owner(typed_code)
        if typed is None:
            raise invalid(
                "sharer_code_unknown", _("没有这个分享码。"), field="sharer_code", value=typed_code,
                fix=_("核对一下，或者把它留空：价格不会变。"),
            )  # fmt: skip
        candidates.append(Candidate("code", typed, at))
    if policy.model == AttributionModel.BINDING_FIRST:
        bound = people.inviter_of(buyer_id)
        if bound:
            candidates.append(Candidate("binding", bound[0], bound[1]))
    choice = choose(candidates, policy, order_at=at, buyer_id=buyer_id)
    return record(order_id=order_id, buyer_id=buyer_id, choice=choice, model=policy.model, at=at)


def _touches(buyer_id: UUID, visitor_id: UUID | None, policy: Policy, at: datetime) -> list[Candidate]:
    """The touches of the buyer's browsers as candidates."""
    return [_candidate(t) for t in _opened(buyer_id, visitor_id, policy, at)]


def _candidate(t: Touch) -> Candidate:
    return Candidate("link", t.sharer_id, t.at, t.id, t.plan_version_id)


def _opened(buyer_id: UUID, visitor_id: UUID | None, policy: Policy, at: datetime) -> list[Touch]:
    """What the buyer's browsers opened within twice the window: what was too old is named as such."""
    since = at - timedelta(days=2 * policy.window_days)
    or_this_one = " OR t.visitor_id = %s" if visitor_id is not None else ""
    statement = (
        f"SELECT {selects.columns(Touch, 't')} FROM sharing_touch t"  # noqa: S608
        f" WHERE (t.visitor_id IN (SELECT id FROM sharing_visitor WHERE member_id = %s){or_this_one})"
        " AND t.at >= %s AND t.at <= %s ORDER BY t.at DESC LIMIT 50"
    )
    given = [v for v in (buyer_id, visitor_id, since, at) if v is not None]
    return [selects.build(Touch, row) for row in selects.fetch(statement, given)]


def record(*, order_id: UUID, buyer_id: UUID, choice: Choice, model: str, at: datetime) -> AttributionValue:
    """Keep a choice as the order's attribution, in the caller's transaction."""
    row = attribution_row(order_id=order_id, buyer_id=buyer_id, choice=choice, model=model, at=at)
    if row.touch_id:
        row.link_id = Touch.objects.filter(id=row.touch_id).values_list("link_id", flat=True).first()
    inserts.write([row], ignore_conflicts=True)
    return as_value(row)


def attribution_row(*, order_id: UUID, buyer_id: UUID, choice: Choice, model: str, at: datetime) -> Attribution:
    """The row of a choice, not yet written (imports write many at once)."""
    won = choice.winner
    shown = [(won, choice.reason)] if won else []
    return Attribution(
        id=new_id(), order_id=order_id, buyer_id=buyer_id, sharer_id=won.sharer_id if won else None,
        touch_id=won.touch_id if won else None, touched_at=won.at if won and won.kind == "link" else None,
        touched_plan_version_id=won.plan_version_id if won else None, model=model, reason=choice.reason, at=at,
        candidates=[
            {"kind": c.kind, "sharer": str(c.sharer_id), "touch": str(c.touch_id or ""), "at": c.at.isoformat(),
             "outcome": "won" if c is won else "lost", "reason": why}
            for c, why in [*shown, *choice.losers]
        ],
    )  # fmt: skip


@transaction.atomic
def record_many(rows: list[Attribution]) -> None:
    """Write attributions of many historical orders."""
    Attribution.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def as_value(row: Attribution) -> AttributionValue:
    """A row as it crosses the wall."""
    return AttributionValue(
        row.id, row.order_id, row.sharer_id, row.touch_id, row.touched_at, row.touched_plan_version_id, row.reason,
        row.model, tuple(row.candidates), row.link_id,
    )  # fmt: skip
