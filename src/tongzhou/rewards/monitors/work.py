"""Looking: a night's figures from the ledger, the orders and the rewards, kept in a table.

What grows with the orders is summed by the database; what comes back grows with the people who earn.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Sum

from tongzhou.compliance import profiles
from tongzhou.compliance import queries as compliance
from tongzhou.compliance.live import LiveFigures, Web, check_live
from tongzhou.compliance.vocabulary import HEADCOUNT_TRIGGERS
from tongzhou.kit import clock
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.plans import queries as plans
from tongzhou.rewards.models import MonitorNight, Reward
from tongzhou.rewards.monitors.rules import WINDOW_DAYS
from tongzhou.rewards.simulation.rules import gini_bp, share_bp

HOURS = 3  # after midnight, when the day's late facts have come
MOST_NIGHTS = 14
# What freezes payouts by law (domain.md §4). Other breaches are shown and answered for, but what people have
# earned lawfully is not kept from them.
STOPPING = frozenset({"CN-CRIM", "US-51", "US-80"})
_STANDING = ("prepaid.rewards", "expense.rewards")


@transaction.atomic
def look(day: date, *, at: datetime) -> MonitorNight:
    """Compute the figures of the window that ends with a day and keep them; the same day again replaces them."""
    until = clock.day_start(day + timedelta(days=1))
    since = until - timedelta(days=WINDOW_DAYS)
    profile = profiles.load(compliance.mall_profile())
    force = plans.in_force(until - timedelta(seconds=1))
    document = plans.listing().filter(id=force.id).first() if force else None
    live, figures = _figures(since, until)
    doc = document.document if document else {}
    live = LiveFigures(
        has_fee=any(doc.get("join", {}).get(k) for k in ("fee", "deposit", "training_fee", "required_purchase")),
        has_headcount=any(r.get("trigger") in HEADCOUNT_TRIGGERS for r in doc.get("rewards", [])),
        retail_minor=live.retail_minor, participant_minor=live.participant_minor,
        payout_beyond_depth_1_minor=live.payout_beyond_depth_1_minor,
        headcount_reward_minor=live.headcount_reward_minor, graph=live.graph, over_30=live.over_30,
    )  # fmt: skip
    found = check_live(live, profile)
    figures["crime"] = int(any(f.id == "CN-CRIM" for f in found))
    row = MonitorNight(
        day=day, since=since, until=until, profile=profile.code, plan_label=force.label if force else "",
        figures=figures, findings=[f.as_dict("zh-hans") for f in found],
        stops=any(f.id in STOPPING for f in found), computed_at=at,
    )  # fmt: skip
    MonitorNight.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["day"],
        update_fields=["since", "until", "profile", "plan_label", "figures", "findings", "stops", "computed_at"],
    )  # fmt: skip
    return row


def _figures(since: datetime, until: datetime) -> tuple[LiveFigures, dict[str, int]]:
    rows = Reward.objects.filter(accrued_at__gte=since, accrued_at__lt=until, accrued_minor__gt=0)
    earners = set(rows.values_list("sharer_id", flat=True).distinct().iterator())
    retail = inside = 0
    for buyer, amount in orders.bought_between(since, until):
        if buyer in earners:
            inside += amount
        else:
            retail += amount
    web, sold_outside = Web(earners), set[UUID]()
    for buyer, who, depth in rows.values_list("buyer_id", "sharer_id", "depth").distinct().iterator():
        web.add(buyer, who)
        if depth == 1 and buyer not in earners:
            sold_outside.add(who)
    net = books.net_flow(_STANDING, since=since, until=until)
    own = dict(
        rows.filter(depth=1).values("sharer_id").annotate(n=Sum(F("base_minor") - F("points_minor") - F("refunded_minor")))
        .values_list("sharer_id", "n").iterator()
    )  # fmt: skip
    accrued = books.flow_between("reward.expected", since=since, until=until)
    by_sale = rows.filter(rule__trigger="retail_sale").aggregate(n=Sum("accrued_minor"))["n"] or 0
    unexplained = max(0, accrued - by_sale)
    beyond = rows.filter(depth__gt=1).aggregate(n=Sum("accrued_minor"))["n"] or 0
    people, layers = web.worst()
    over = sum(1 for who in earners if max(0, net.get(who, 0)) * 10_000 > max(0, own.get(who, 0)) * 3000)
    figures = {
        "retail_bp": share_bp(retail, retail + inside) if retail + inside else 10_000,
        "retail_minor": retail, "participant_minor": inside, "recruit_bp": share_bp(unexplained, accrued),
        "recruit_minor": unexplained, "accrued_minor": accrued, "beyond_1_minor": beyond, "graph_people": people,
        "graph_layers": layers, "gini_bp": gini_bp([max(0, net.get(who, 0)) for who in earners]),
        "no_outside_bp": share_bp(len(earners - sold_outside), len(earners)), "earners": len(earners), "over_30": over,
    }  # fmt: skip
    return (
        LiveFigures(
            retail_minor=retail, participant_minor=inside, payout_beyond_depth_1_minor=beyond,
            headcount_reward_minor=unexplained, graph=(people, layers), over_30=over,
        ),
        figures,
    )  # fmt: skip


def catch_up(at: datetime) -> int:
    """Look at each of the last nights that nobody looked at; at most two weeks back. Returns how many."""
    last = clock.mall_day(at - timedelta(hours=HOURS)) - timedelta(days=1)
    wanted = [last - timedelta(days=n) for n in range(MOST_NIGHTS)]
    have = set(MonitorNight.objects.filter(day__in=wanted).values_list("day", flat=True))
    missing = sorted(d for d in wanted if d not in have)
    for day in missing:
        look(day, at=at)
    return len(missing)


def nights(count: int = MOST_NIGHTS, *, until: date | None = None) -> list[MonitorNight]:
    """The newest nights, oldest first."""
    rows = MonitorNight.objects.order_by("-day")
    if until:
        rows = rows.filter(day__lte=until)
    return list(rows[:count])[::-1]


def stop() -> MonitorNight | None:
    """The newest night if it found what stops every payout, else None; for the release of payouts."""
    row = MonitorNight.objects.order_by("-day").first()
    return row if row and row.stops else None
