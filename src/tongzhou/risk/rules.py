"""Pure rules of risk: from evidence to a score, and from a graph to groups and circles.

Prose with worked numbers: docs/algorithms/risk.md.
"""

import ipaddress
import unicodedata
from collections.abc import Iterable, Mapping
from uuid import UUID

from tongzhou.risk.values import STRONG, Evidence, Kind, Policy, Reason, Score

STRICTNESS = {"": 0, "pay": 1, "delay": 2, "review": 3, "refuse": 4}


def score(e: Evidence, p: Policy) -> Score:
    """Add up what was seen; at most 100. Sharing to oneself needs no sum: it is refused (or reviewed) as such."""
    own = [Reason(f"same_{kind}", 100) for kind in sorted(e.shared & STRONG)]
    found = [r for r in (*own, *_household(e, p), *_groups(e, p), *_behaviour(e, p), *_insiders(e, p)) if r.points]
    total = min(100, sum(r.points for r in found))
    if own:
        outcome = "refuse" if p["self_referral_refuses"] else "review"
    elif total >= p["review_from"]:
        outcome = "review"
    else:
        outcome = "delay" if total >= p["pay_below"] else "pay"
    return Score(total, tuple(found), outcome)


def _household(e: Evidence, p: Policy) -> Iterable[Reason]:
    for kind, key in ((Kind.ADDRESS, "address_points"), (Kind.CONTACT, "contact_points"), (Kind.IP, "ip_points")):
        if kind in e.shared:
            yield Reason(f"same_{kind}", p[key])


def _groups(e: Evidence, p: Policy) -> Iterable[Reason]:
    if e.linked and not e.shared & STRONG:
        yield Reason("linked", p["linked_points"])
    if e.instrument_accounts >= p["instrument_accounts"]:
        yield Reason("instrument", p["instrument_points"], {"accounts": e.instrument_accounts})
    if e.device_accounts > p["device_accounts"]:
        yield Reason("farm", p["device_points"], {"accounts": e.device_accounts, "days": p["device_days"]})
    if len(e.ring) > 2:
        yield Reason("ring", p["ring_points"], {"people": len(e.ring)})
    elif e.ring:
        yield Reason("pair", p["pair_points"])


def _behaviour(e: Evidence, p: Policy) -> Iterable[Reason]:
    if e.invited_that_day >= p["burst_day"]:
        yield Reason("burst_day", p["burst_day_points"], {"invited": e.invited_that_day})
    if e.invited_one_ip >= p["burst_ip"]:
        yield Reason("burst_ip", p["burst_ip_points"], {"invited": e.invited_one_ip})
    if too_many_returns(e, p):
        rate = e.returned * 10_000 // e.bought
        yield Reason(
            "returns", p["returns_points"], {"returned": e.returned, "bought": e.bought, "rate_bp": rate,
                                             "median_bp": e.median_bp}
        )  # fmt: skip
    if e.late_refunds >= p["late_refunds"]:
        yield Reason("late_refunds", p["late_points"], {"times": e.late_refunds})


def too_many_returns(e: Evidence, p: Policy) -> bool:
    """More than ``returns_times`` the median of what was bought, and enough of them to mean something."""
    if e.bought == 0 or e.returned < p["returns_least"]:
        return False
    median = max(e.median_bp, p["returns_floor_pct"] * 100)
    return e.returned * 10_000 > p["returns_times"] * median * e.bought


def _insiders(e: Evidence, p: Policy) -> Iterable[Reason]:
    if e.rate_raised:
        yield Reason("rate_raised", p["rate_points"])
    if e.rebound:
        yield Reason("rebound", p["rebind_points"])
    if e.insider:
        yield Reason("insider", p["insider_points"])


def groups(pairs: Iterable[tuple[UUID, str]]) -> dict[UUID, UUID]:
    """member → the smallest member of its group, where (member, instrument) pairs join members; union by rank."""
    parent: dict[UUID | str, UUID | str] = {}

    def top(x: UUID | str) -> UUID | str:
        parent.setdefault(x, x)
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    members: set[UUID] = set()
    for member, instrument in pairs:
        members.add(member)
        parent[top(member)] = top(instrument)
    least: dict[UUID | str, UUID] = {}
    for member in sorted(members):
        least.setdefault(top(member), member)
    return {member: least[top(member)] for member in members}


def circle(buyer: UUID, sharer: UUID, mostly: Mapping[UUID, UUID], most: int) -> tuple[UUID, ...]:
    """The circle that the step buyer → sharer closes, if everybody on it mostly buys through the next; else empty."""
    if mostly.get(buyer) != sharer or buyer == sharer:
        return ()
    walk = [buyer, sharer]
    while len(walk) <= most:
        onward = mostly.get(walk[-1])
        if onward is None or onward in walk[1:]:
            return ()
        if onward == buyer:
            return tuple(walk)
        walk.append(onward)
    return ()


def mostly_through(sums: Mapping[UUID, tuple[int, int]], *, least_orders: int, least_pct: int) -> UUID | None:
    """Through whom somebody mostly buys: sharer → (orders, minor units); None when nobody is that dominant."""
    total = sum(minor for _n, minor in sums.values())
    if not total:
        return None
    who, (orders, minor) = max(sums.items(), key=lambda kv: (kv[1][1], kv[0].int))
    return who if orders >= least_orders and minor * 100 >= total * least_pct else None


def median_bp(rates: list[int]) -> int:
    """The lower median of rates in basis points; 0 of nothing."""
    return sorted(rates)[(len(rates) - 1) // 2] if rates else 0


def normal(kind: Kind, value: str) -> str:
    """One spelling of a value, so that the same thing has the same hash; empty when it says nothing."""
    text = unicodedata.normalize("NFKC", value).strip().lower()
    if kind == Kind.IP:
        return _network(text)
    if kind in (Kind.ADDRESS, Kind.PAYEE):
        return "".join(c for c in text if c.isalnum())
    if kind in (Kind.PHONE, Kind.CONTACT):
        digits = "".join(c for c in text if c.isdigit())
        return digits[-11:] if len(digits) >= 6 else ""
    return text


def _network(text: str) -> str:
    """An IPv4 address whole, an IPv6 address by its /64; loopback and private ones say nothing."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if found.is_loopback or found.is_private or found.is_unspecified:
        return ""
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
