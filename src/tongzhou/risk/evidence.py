"""Evidence of rewards, gathered for a batch: each step is one query for all, or bounded by what one person did.

Nothing here grows with the number of members: of an instrument at most ``NEAR`` accounts are looked at,
of a sharer the newest rewards, of a buyer the orders of the window.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from tongzhou.kit import clock
from tongzhou.orders import queries as orders
from tongzhou.people import queries as people
from tongzhou.rewards import queries as rewards
from tongzhou.rewards.values import HeldReward
from tongzhou.risk import rules
from tongzhou.risk.insiders import insiders
from tongzhou.risk.models import Baseline, Instrument, Signal
from tongzhou.risk.values import INSTRUMENTS, OPTIONAL, STRONG, Evidence, Kind, Policy

NEAR = 40  # accounts of one instrument that are looked at; more is a crowd, and its size is known anyway
ROUNDS = 2  # how far a group is followed: own instruments, then those of whoever shares them
Mark = tuple[str, datetime, datetime]  # instrument, first and last seen


@dataclass(slots=True)
class Scene:
    """The signals around some members: who has which marks, and who else has them."""

    kinds: dict[str, Kind]
    marks: dict[UUID, dict[str, tuple[datetime, datetime]]]
    crowd: dict[str, int]
    near: dict[str, dict[UUID, datetime]]

    def of(self, member: UUID, kinds: Iterable[Kind]) -> set[str]:
        """A member's marks of some kinds."""
        wanted = frozenset(kinds)
        return {i for i in self.marks.get(member, ()) if self.kinds[i] in wanted}

    def shared(self, a: UUID, b: UUID, p: Policy) -> frozenset[Kind]:
        """What two members have in common, leaving out addresses and networks that are a crowd's."""
        limit = {Kind.IP: p["crowd_ip"], Kind.ADDRESS: p["crowd_address"], Kind.CONTACT: p["crowd_address"]}
        both = set(self.marks.get(a, ())) & set(self.marks.get(b, ()))
        kinds = {self.kinds[i] for i in both if self.crowd.get(i, 0) < limit.get(self.kinds[i], 10**9)}
        return frozenset(kinds)

    def accounts_on(self, instrument: str, since: datetime | None = None) -> int:
        """How many accounts an instrument has had, or since a moment."""
        total = self.crowd.get(instrument, 0)
        if since is None or total > NEAR:
            return total
        return sum(1 for at in self.near.get(instrument, {}).values() if at >= since)


def scene(members: Iterable[UUID]) -> Scene:
    """Load what is known around members, two rounds out; strong marks only beyond the first."""
    out = Scene({}, {}, {}, {})
    todo = set(members)
    for depth in range(ROUNDS + 1):
        _load_marks(out, todo, STRONG if depth else frozenset(Kind))
        fresh = [i for i, kind in out.kinds.items() if i not in out.crowd]
        for start in range(0, len(fresh), 500):
            found = Instrument.objects.filter(id__in=fresh[start : start + 500]).values_list("id", "members")
            out.crowd.update(dict(found))
        if depth == ROUNDS:
            break
        todo = _load_near(out) - set(out.marks)
        if not todo:
            break
    return out


def _load_marks(out: Scene, members: set[UUID], kinds: frozenset[Kind]) -> None:
    ids = sorted(members)
    for start in range(0, len(ids), 500):
        rows = Signal.objects.filter(member_id__in=ids[start : start + 500], kind__in=kinds)
        for member, instrument, kind, first, last in rows.values_list(
            "member_id", "instrument_id", "kind", "first_at", "last_at"
        ):
            out.kinds[instrument] = Kind(kind)
            out.marks.setdefault(member, {})[instrument] = (first, last)
    for member in members:
        out.marks.setdefault(member, {})


def _load_near(out: Scene) -> set[UUID]:
    """Who else has the strong marks that a few accounts share."""
    ids = [
        i for i, kind in out.kinds.items()
        if kind in STRONG and i not in out.near and 2 <= out.crowd.get(i, 0) <= NEAR
    ]  # fmt: skip
    for start in range(0, len(ids), 500):
        rows = Signal.objects.filter(instrument_id__in=ids[start : start + 500])
        for instrument, member, last in rows.values_list("instrument_id", "member_id", "last_at"):
            out.near.setdefault(instrument, {})[member] = last
    return {member for i in ids for member in out.near.get(i, {})}


def gather(rows: Sequence[HeldReward], p: Policy, at: datetime) -> dict[UUID, Evidence]:
    """reward → what is known of it."""
    if not rows:
        return {}
    around = scene({r.buyer_id for r in rows} | {r.sharer_id for r in rows})
    joined = rules.groups((m, i) for m, marks in around.marks.items() for i in marks if around.kinds[i] in STRONG)
    since = at - timedelta(days=p["window_days"])
    circles = _circles({(r.buyer_id, r.sharer_id) for r in rows}, p, since)
    bursts = _bursts({(r.buyer_id, r.sharer_id) for r in rows}, p, at)
    returns = _returns({r.buyer_id for r in rows}, since)
    late = _late({r.sharer_id for r in rows}, p, since)
    inside = insiders(rows, p, joined, at)
    out: dict[UUID, Evidence] = {}
    for r in rows:
        pair = (r.buyer_id, r.sharer_id)
        returned, bought, median = returns.get(r.buyer_id, (0, 0, 0))
        base = Evidence(
            shared=around.shared(*pair, p), linked=joined.get(pair[0], pair[0]) == joined.get(pair[1], pair[1]),
            ring=circles.get(pair, ()), invited_that_day=bursts.get(pair, (0, 0))[0],
            invited_one_ip=bursts.get(pair, (0, 0))[1], returned=returned, bought=bought, median_bp=median,
            late_refunds=late.get(pair, 0), rate_raised="rate" in inside[r.id],
            rebound="rebound" in inside[r.id], insider="insider" in inside[r.id],
        )  # fmt: skip
        out[r.id] = replace(
            base,
            instrument_accounts=max(
                (around.accounts_on(i) for m in pair for i in around.of(m, INSTRUMENTS)), default=0
            ),
            device_accounts=max(
                (
                    around.accounts_on(i, at - timedelta(days=p["device_days"]))
                    for i in around.of(pair[0], [Kind.DEVICE])
                ),
                default=0,
            ),
        )
    return out


def _circles(
    pairs: set[tuple[UUID, UUID]], p: Policy, since: datetime
) -> dict[tuple[UUID, UUID], tuple[UUID, ...]]:  # fmt: skip
    """Circles closed by (buyer, sharer) steps: who mostly buys through whom, level by level for all pairs at once."""
    mostly: dict[UUID, UUID] = {}
    asked: set[UUID] = set()
    level = {buyer for buyer, _s in pairs}
    for _step in range(p["ring_length"]):
        level -= asked
        if not level:
            break
        asked |= level
        found: set[UUID] = set()
        for buyer, sums in orders.bought_through(sorted(level), since).items():
            onward = rules.mostly_through(sums, least_orders=p["ring_orders"], least_pct=p["ring_share_pct"])
            if onward:
                mostly[buyer] = onward
                found.add(onward)
        level = found
    out = {}
    for buyer, sharer in pairs:
        ring = rules.circle(buyer, sharer, mostly, p["ring_length"])
        if ring and all(
            _earns_mostly_from(ring[(i + 1) % len(ring)], who, p["ring_share_pct"], since) for i, who in enumerate(ring)
        ):
            out[buyer, sharer] = ring
    return out


def _earns_mostly_from(sharer: UUID, buyer: UUID, pct: int, since: datetime) -> bool:
    """Whether most of what somebody earned lately came from one buyer: hubs of honest friends earn from many."""
    sums: Counter[UUID] = Counter()
    for _order, who, base, _refunded, accrued, _matured in rewards.recent(sharer):
        if accrued >= since:
            sums[who] += base
    return sums[buyer] * 100 >= sums.total() * pct > 0


def _bursts(pairs: set[tuple[UUID, UUID]], p: Policy, at: datetime) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """(buyer, sharer) → how many the sharer invited on the day this buyer was, and how many of them from one network."""
    bound = people.bindings_of([buyer for buyer, _s in pairs])
    days: dict[tuple[UUID, datetime], tuple[int, int]] = {}
    out = {}
    for buyer, sharer in sorted(pairs):
        inviter, when = bound.get(buyer, (None, at))
        if inviter != sharer or when < at - timedelta(days=p["window_days"]):
            continue
        start = clock.day_start(clock.mall_day(when))
        if (sharer, start) not in days:
            days[sharer, start] = _burst(sharer, start, p)
        out[buyer, sharer] = days[sharer, start]
    return out


def _burst(sharer: UUID, start: datetime, p: Policy) -> tuple[int, int]:
    invited = people.invited_between(sharer, start, start + timedelta(days=1), limit=200)
    if len(invited) < min(p["burst_day"], p["burst_ip"]):
        return len(invited), 0
    seen = Signal.objects.filter(member_id__in=invited, kind=Kind.IP, first_at__lt=start + timedelta(days=2))
    counts = Counter(seen.values_list("instrument_id", flat=True))
    crowd = dict(Instrument.objects.filter(id__in=counts).values_list("id", "members"))
    real = [n for i, n in counts.items() if crowd.get(i, 0) < p["crowd_ip"] or n * 2 >= crowd[i]]
    return len(invited), max(real, default=0)


def _returns(buyers: set[UUID], since: datetime) -> dict[UUID, tuple[int, int, int]]:
    """buyer → (returned lines, delivered lines, the median rate of what was bought in basis points)."""
    bought = orders.delivered_lines(sorted(buyers), since)
    medians = dict(
        Baseline.objects.filter(category_id__in={c for _b, c, _r in bought if c}).values_list(
            "category_id", "median_bp"
        )
    )
    out: dict[UUID, tuple[int, int, int]] = {}
    sums: dict[UUID, list[int]] = {}
    for buyer, category, came_back in bought:
        row = sums.setdefault(buyer, [0, 0, 0])
        row[0] += came_back
        row[1] += 1
        row[2] += medians.get(category, 0) if category else 0
    for buyer, (returned, lines, median) in sums.items():
        out[buyer] = (returned, lines, median // lines)
    return out


def _late(sharers: set[UUID], p: Policy, since: datetime) -> Counter[tuple[UUID, UUID]]:
    """(buyer, sharer) → orders refunded right after their reward had become available."""
    matured: dict[UUID, tuple[UUID, UUID, datetime]] = {}
    for sharer in sorted(sharers):
        for order, buyer, _base, refunded, _accrued, at in rewards.recent(sharer):
            if refunded and at and at >= since:
                matured[order] = (buyer, sharer, at)
    out: Counter[tuple[UUID, UUID]] = Counter()
    hit: set[UUID] = set()
    for order, when in orders.refund_times(sorted(matured)):
        buyer, sharer, at = matured[order]
        if order not in hit and at < when <= at + timedelta(days=p["late_days"]):
            hit.add(order)
            out[buyer, sharer] += 1
    return out


def near_members(member_ids: Sequence[UUID], *, optional: bool = True) -> Mapping[Kind, set[UUID]]:
    """For the case page: who shares which kind of strong mark with these members."""
    around = scene(member_ids)
    out: dict[Kind, set[UUID]] = {}
    for instrument, members in around.near.items():
        kind = around.kinds[instrument]
        if (optional or kind not in OPTIONAL) and members.keys() & set(member_ids):
            out.setdefault(kind, set()).update(members)
    return out
