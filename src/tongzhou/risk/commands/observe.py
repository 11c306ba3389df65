"""Keeping signals: hashed at once, for as long as their kind may be kept, and only what a member lets be kept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F
from django.utils.crypto import salted_hmac

from tongzhou.kit.actor import Actor
from tongzhou.kit.transactions import command
from tongzhou.orders import queries as orders
from tongzhou.payments import queries as payments
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.risk import policy, rules
from tongzhou.risk.models import Baseline, Instrument, Signal
from tongzhou.risk.values import OPTIONAL, Kind, Policy, Sighting

PURPOSE = "device"  # the consent purpose of people that covers device and network
KEEP = {Kind.IP: "keep_ip_days", Kind.DEVICE: "keep_device_days"}


def mark(kind: Kind, value: str) -> str:
    """The keyed hash of a value; empty when the value says nothing. A contact and a phone share their marks' spelling."""
    text = rules.normal(kind, value)
    return salted_hmac("tongzhou.risk", f"{kind}|{text}", algorithm="sha256").hexdigest() if text else ""


def may_keep(member_ids: Iterable[UUID], p: Policy) -> set[UUID]:
    """Whose device and network may be kept: everybody who did not say no; where consent comes first, who said yes."""
    wanted = set(member_ids)
    said = members.purposes_of(wanted, PURPOSE)
    first = settings.TONGZHOU_PROFILE == "EU" or bool(p["device_consent"])
    return {m for m in wanted if said.get(m, not first)}


@command()
def observe(sightings: Sequence[Sighting], *, at: datetime) -> int:
    """Keep that members were seen with things; returns how many marks were new. What says nothing is passed over."""
    p = policy.in_force()
    free = may_keep({s.member_id for s in sightings if s.kind in OPTIONAL}, p)
    wanted: dict[tuple[UUID, str], Kind] = {}
    for s in sightings:
        if s.kind in OPTIONAL and s.member_id not in free:
            continue
        hashed = mark(s.kind, s.value)
        if hashed:
            wanted[s.member_id, hashed] = s.kind
    if not wanted:
        return 0
    rows = Signal.objects.filter(member_id__in={m for m, _i in wanted}, instrument_id__in={i for _m, i in wanted})
    known = set(rows.values_list("member_id", "instrument_id"))
    seen = [pair for pair in wanted if pair in known]
    if seen:
        rows.filter(last_at__lt=at - timedelta(hours=1)).update(last_at=at)
    fresh = [pair for pair in sorted(wanted, key=str) if pair not in known]
    if fresh:
        _keep(fresh, wanted, at)
    return len(fresh)


def _keep(fresh: Sequence[tuple[UUID, str]], kinds: dict[tuple[UUID, str], Kind], at: datetime) -> None:
    """New marks, and their instruments' counts (a race may count one too many; the nightly purge counts anew)."""
    Instrument.objects.bulk_create([Instrument(id=i, kind=kinds[m, i]) for m, i in fresh], ignore_conflicts=True)
    Signal.objects.bulk_create(
        [Signal(member_id=m, instrument_id=i, kind=kinds[m, i], first_at=at, last_at=at) for m, i in fresh],
        ignore_conflicts=True,
    )
    sizes: dict[int, list[str]] = {}
    for instrument, n in Counter(i for _m, i in fresh).items():
        sizes.setdefault(n, []).append(instrument)
    for n, ids in sorted(sizes.items()):
        Instrument.objects.filter(id__in=ids).update(members=F("members") + n)


def observe_orders(order_ids: Sequence[UUID], *, at: datetime) -> int:
    """What paid orders show of their buyers: paying account, address, delivery phone, account phone."""
    found = orders.orders_by_id(order_ids)
    payers = payments.payer_marks(order_ids)
    phones = members.phones_of(o.buyer_id for o in found.values())
    seen: list[Sighting] = []
    for order in found.values():
        who, address = order.buyer_id, order.address
        place = f"{address.get('code', '')}|{address.get('detail', '')}"
        seen += [Sighting(who, Kind.ACCOUNT, m) for m in payers.get(order.id, ())]
        seen.append(Sighting(who, Kind.ADDRESS, place if address.get("detail") else ""))
        seen.append(Sighting(who, Kind.CONTACT, address.get("phone", "")))
        # one's own phone is a contact too, so that a parcel sent to the sharer's phone is seen
        seen += [Sighting(who, kind, phones.get(who, "")) for kind in (Kind.PHONE, Kind.CONTACT)]
    return observe(seen, at=at)


@command()
def forget_optional(*, member_id: UUID, given: bool, by: Actor, at: datetime) -> int:
    """Let device and network be kept, or take that back: then what was kept goes at once. Returns how much went."""
    people.set_purpose(member_id=member_id, purpose=PURPOSE, given=given, by=by, at=at)
    return 0 if given else _delete(list(Signal.objects.filter(member_id=member_id, kind__in=OPTIONAL)))


def _delete(rows: Sequence[Signal]) -> int:
    ids = sorted({r.instrument_id for r in rows})
    Signal.objects.filter(id__in=[r.id for r in rows]).delete()
    _recount(ids)
    return len(rows)


def _recount(instruments: Sequence[str]) -> None:
    left = Signal.objects.filter(instrument_id__in=instruments).values("instrument_id").annotate(n=Count("id"))
    counts = dict(left.values_list("instrument_id", "n"))
    for n in sorted(set(counts.values())):
        Instrument.objects.filter(id__in=[i for i, k in counts.items() if k == n]).update(members=n)
    Instrument.objects.filter(id__in=[i for i in instruments if i not in counts]).delete()


def purge(*, at: datetime, batch: int = 500) -> int:
    """Delete signals past their time, in batches; returns how many went."""
    p, gone = policy.in_force(), 0
    for kind in Kind:
        until = at - timedelta(days=p[KEEP.get(kind, "keep_other_days")])
        while True:
            with transaction.atomic():
                rows = list(Signal.objects.filter(kind=kind, last_at__lt=until).order_by("last_at")[:batch])
                gone += _delete(rows)
            if len(rows) < batch:
                break
    return gone


def learn_baselines(*, at: datetime) -> int:
    """Work out each category's median return rate over its buyers of the window; returns how many categories."""
    p = policy.in_force()
    sums: dict[UUID, dict[UUID, list[int]]] = {}
    for buyer, category, returned in orders.all_delivered_lines(at - timedelta(days=p["window_days"])):
        if category:
            row = sums.setdefault(category, {}).setdefault(buyer, [0, 0])
            row[0] += returned
            row[1] += 1
    rows = [
        Baseline(
            category_id=c, median_bp=rules.median_bp([r * 10_000 // n for r, n in by.values()]), buyers=len(by), at=at
        )
        for c, by in sums.items()
    ]
    with transaction.atomic():
        Baseline.objects.all().delete()
        Baseline.objects.bulk_create(rows)
    return len(rows)
