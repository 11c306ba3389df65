"""How well risk tells honest sharers from others: a small town drawn from a seed, lived through by the real commands.

    python -m benchmarks.risk [--seed N] [--harder] [--json]

Honest families, a dormitory, ordinary friends; beside them a ring of six, a device farm, refund abusers,
people who share to themselves. Sizes, dates and habits are drawn from the seed. In the harder town the
dishonest hide (camouflage orders, three accounts a device, refunds a little later, a second phone) and some
of the honest look bad (a family on one tablet, an orientation day in the dormitory).

A reward is *stopped* when it was refused or waits for a person, *slowed* when it is paid some days later.
Precision = dishonest among stopped; recall = stopped among dishonest.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

DAY = timedelta(days=1)
DAYS = 45
Act = Callable[[datetime], None]


@dataclass(slots=True)
class Soul:
    """One account with what it is seen with."""

    id: UUID
    device: str
    ip: str
    payer: str
    address: str
    phone: str


@dataclass(slots=True)
class Town:
    """Who lives here, what is planned, and which orders are dishonest."""

    dice: random.Random
    harder: bool
    cast: Any
    at: datetime
    plan: list[tuple[datetime, int, Act]] = field(default_factory=list)
    label: dict[UUID, str] = field(default_factory=dict)  # order → group
    souls: int = 0

    def soul(self, *, on: datetime | None = None, inviter: "Soul | None" = None, **shared: str) -> Soul:
        """A new account; what is not shared is its own."""
        from tongzhou.kit.actor import member
        from tongzhou.people import commands as people

        self.souls += 1
        n, at = self.souls, on or self.at
        phone = f"+86138{self.dice.randrange(10**4):04d}{n:04d}"
        who = people.register_member(phone=phone, display_name=f"人{n}", at=at)
        own = {
            "device": f"device-{n}", "ip": f"93.{n // 250}.{n % 250}.7", "payer": f"payer-{n}",
            "address": f"河滨路 {n} 号", "phone": phone[3:],
        }  # fmt: skip
        made = Soul(who, **{**own, **shared})
        if inviter:
            people.bind(invitee_id=who, inviter_id=inviter.id, source="link", by=member(who), at=at)
            self.seen(made, at)
        return made

    def seen(self, who: Soul, at: datetime) -> None:
        """Signed in: device and network are kept."""
        from tongzhou.risk import commands
        from tongzhou.risk.values import Kind, Sighting

        commands.observe([Sighting(who.id, Kind.DEVICE, who.device), Sighting(who.id, Kind.IP, who.ip)], at=at)

    def do(self, day: float, act: Act) -> None:
        """Put something on the plan."""
        self.plan.append((self.at + timedelta(days=day), len(self.plan), act))

    def day(self, low: float = 0, high: float = 20) -> float:
        """A random day."""
        return self.dice.uniform(low, high)

    def sale(self, sharer: Soul, buyer: Soul, day: float, group: str, then: Act | None = None) -> None:
        """One order of ``buyer`` through ``sharer``, received two days later; ``group`` is empty for the honest."""
        self.do(day, lambda at: _buy(self, sharer, buyer, at, group, then))


def _buy(town: Town, sharer: Soul, buyer: Soul, at: datetime, group: str, then: Act | None) -> None:
    from dataclasses import replace

    from tests.test_story import ship_and_receive

    from tongzhou.people.values import AddressValue
    from tongzhou.risk.tests.making import sell

    for who in (sharer, buyer):
        town.seen(who, at)
    address = AddressValue("收件人", buyer.phone, "330106109", "浙江省", "杭州市", "西湖区", "三墩镇", buyer.address)
    placed = sell(
        town.cast, sharer.id, buyer.id, at, quantity=town.dice.randint(1, 3), payer=buyer.payer, address=address,
        receive=False,
    )  # fmt: skip
    town.label[placed.order_id] = group

    def arrive(when: datetime) -> None:
        ship_and_receive(replace(town.cast, buyer=buyer.id), placed, when)

    town.plan.append((at + 2 * DAY, 10**6 + len(town.plan), arrive))
    if then:
        then_at = at + 2 * DAY + timedelta(days=15.5 + (9 if town.harder and town.dice.random() < 0.3 else 0))
        town.plan.append((then_at, 10**6 + len(town.plan), lambda when: _refund(placed.order_id, town, when)))


def _refund(order_id: UUID, town: Town, at: datetime) -> None:
    from tests.test_story import drain

    from tongzhou.orders import commands as orders
    from tongzhou.orders import queries as sold
    from tongzhou.orders.values import RefundItem

    items = [
        RefundItem(x.id, x.quantity - x.refunded_quantity)
        for x in sold.lines_of([order_id])[order_id]
        if x.kind == "goods"
    ]
    orders.refund(
        order_id=order_id, items=items, reference=f"late:{order_id}", by=town.cast.owner, at=at, reason="quality"
    )
    drain(at)


# — who lives here —


def families(town: Town) -> None:
    """Parents and children: one address, one network, one delivery phone; each with a device and an account of their own."""
    for n in range(town.dice.randint(3, 5)):
        home = {"address": f"家和苑 {n} 幢", "ip": f"94.1.{n}.9"}
        if town.harder and town.dice.random() < 0.5:
            home["device"] = f"tablet-{n}"  # the whole family on one tablet
        people = [town.soul(**home) for _ in range(town.dice.randint(2, 4))]
        for _ in range(town.dice.randint(3, 6)):
            sharer, buyer = town.dice.sample(people, 2)
            town.sale(sharer, buyer, town.day(), "")


def friends(town: Town) -> None:
    """Ordinary people: a few share, many buy."""
    people = [town.soul() for _ in range(town.dice.randint(18, 26))]
    hubs = people[: town.dice.randint(3, 5)]
    for _ in range(town.dice.randint(45, 60)):
        sharer = town.dice.choice(hubs if town.dice.random() < 0.8 else people)
        town.sale(sharer, town.dice.choice([p for p in people if p is not sharer]), town.day(), "")


def dormitory(town: Town) -> None:
    """Students behind one network and one pickup point; one of them invites many."""
    dorm = {"ip": "94.2.2.2", "address": "学苑菜鸟驿站"}
    first = town.soul(**dorm)
    crowd = town.dice.randint(22, 26) if town.harder else town.dice.randint(8, 16)
    rooms = [town.soul(on=town.at + timedelta(hours=1), inviter=first, **dorm) for _ in range(crowd)]
    others = [town.soul(**dorm) for _ in range(town.dice.randint(10, 16))]
    for who in others:
        town.seen(who, town.at)
    for buyer in rooms:
        town.sale(first, buyer, town.day(), "")


def ring(town: Town) -> None:
    """Six who pass rewards around; in the harder town with orders to and from outsiders as camouflage."""
    six = [town.soul() for _ in range(6)]
    outsiders = [town.soul() for _ in range(4)] if town.harder else []
    for i, buyer in enumerate(six):
        for _ in range(town.dice.randint(4, 5)):
            town.sale(six[(i + 1) % 6], buyer, town.day(0, 12), "ring")
        for _ in range(town.dice.randint(0, 3) if outsiders else 0):
            town.sale(buyer, town.dice.choice(outsiders), town.day(0, 12), "")
            town.sale(town.dice.choice(outsiders), buyer, town.day(0, 12), "")


def farm(town: Town) -> None:
    """One sharer, many accounts on few devices; in the harder town three a device, so that no device is over the line."""
    boss = town.soul()
    each = 3 if town.harder else town.dice.randint(4, 7)
    wallet = {"payer": "farm-wallet"} if not town.harder or town.dice.random() < 0.5 else {}
    for d in range(town.dice.randint(2, 3)):
        for _ in range(each):
            fake = town.soul(on=town.at + timedelta(hours=2), inviter=boss, device=f"farm-{d}", **wallet)
            for _order in range(town.dice.randint(1, 2)):
                town.sale(boss, fake, town.day(1, 15), "farm")


def refunders(town: Town) -> None:
    """Pairs who refund as soon as the reward can be paid out, and go on."""
    for _ in range(2):
        sharer, buyer = town.soul(), town.soul()
        for n in range(town.dice.randint(2, 3)):
            town.sale(sharer, buyer, n, "refund", then=lambda at: None)
        for _later in range(town.dice.randint(4, 6)):
            town.sale(sharer, buyer, town.day(20, 26), "refund")


def selves(town: Town) -> None:
    """People who share to a second account of their own; in the harder town from another device and account."""
    for n in range(town.dice.randint(2, 3)):
        one = town.soul(address=f"独居 {n}", ip=f"94.3.{n}.3")
        hidden = {} if town.harder and town.dice.random() < 0.6 else {"device": one.device}
        two = town.soul(address=one.address, ip=one.ip, phone=one.phone, **hidden)
        for _ in range(town.dice.randint(2, 3)):
            town.sale(one, two, town.day(), "self")


@dataclass(slots=True)
class Outcome:
    """What became of the rewards: counts, and shares in basis points."""

    seed: int
    harder: bool
    rewards: int
    dishonest: int
    stopped: int
    stopped_rightly: int
    slowed: int
    honest_slowed: int
    honest_stopped: int
    by_group: dict[str, str]

    @property
    def precision_bp(self) -> int:
        """Dishonest among the stopped."""
        return self.stopped_rightly * 10_000 // self.stopped if self.stopped else 10_000

    @property
    def recall_bp(self) -> int:
        """Stopped among the dishonest."""
        return self.stopped_rightly * 10_000 // self.dishonest if self.dishonest else 10_000


def live(cast: Any, at: datetime, seed: int, *, harder: bool = False) -> Outcome:
    """Draw a town and live through it, day by day; returns how risk did."""
    from tongzhou.rewards import commands as rewarding
    from tongzhou.risk import commands

    town = Town(random.Random(seed), harder, cast, at)
    for group in (families, friends, dormitory, ring, farm, refunders, selves):
        group(town)
    for day in range(1, DAYS):
        town.do(day, lambda when: commands.look_again(at=when) and None)
        town.do(day + 0.01, lambda when: rewarding.mature_due(at=when) and None)
    while town.plan:
        town.plan.sort(key=lambda x: x[:2], reverse=True)
        when, _n, act = town.plan.pop()
        act(when)
    return _count(town, seed)


def _count(town: Town, seed: int) -> Outcome:
    from tongzhou.rewards.models import Reward
    from tongzhou.risk.models import Hold

    holds = {h.reward_id: ("stopped" if h.refused_at or h.status == "OPEN" else "slowed") for h in Hold.objects.all()}
    seen: Counter[tuple[str, str]] = Counter()
    for row in Reward.objects.filter(order_id__in=town.label):
        seen[town.label[row.order_id], holds.get(row.id, "paid")] += 1
    bad = {g for g, _w in seen if g}

    def n(what: str, groups: set[str]) -> int:
        return sum(k for (g, w), k in seen.items() if w == what and g in groups)

    return Outcome(
        seed, town.harder, seen.total(), sum(k for (g, _w), k in seen.items() if g), n("stopped", bad | {""}),
        n("stopped", bad), n("slowed", bad | {""}), n("slowed", {""}), n("stopped", {""}),
        {g: f"{seen[g, 'stopped']} stopped, {seen[g, 'slowed']} slowed, {seen[g, 'paid']} paid" for g in sorted(bad)},
    )  # fmt: skip


def show(o: Outcome) -> str:
    """One town in a few lines."""
    head = (
        f"seed {o.seed}{' (harder)' if o.harder else ''}: {o.rewards} rewards, {o.dishonest} dishonest; "
        f"precision {o.precision_bp / 100:.1f} %, recall {o.recall_bp / 100:.1f} %; "
        f"honest: {o.honest_stopped} stopped, {o.honest_slowed} slowed"
    )
    return "\n".join([head, *(f"  {g:8} {said}" for g, said in o.by_group.items())])


def main() -> int:
    """In a throw-away SQLite file, outside any mall."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.risk", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=None, help="which town (default: another each time)")
    parser.add_argument("--harder", action="store_true", help="the dishonest hide, some of the honest look bad")
    parser.add_argument("--towns", type=int, default=1, help="how many, with seeds following one another")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    first = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(TONGZHOU_HOME=home, DATABASE_URL=f"sqlite:///{home}/town.sqlite3")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import transaction

        call_command("migrate", verbosity=0)
        found = []
        for seed in range(first, first + given.towns):
            with transaction.atomic():
                found.append(live(*settle_in(), seed, harder=given.harder))
                transaction.set_rollback(True)
            print(show(found[-1]), file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps([{**asdict(o), "precision_bp": o.precision_bp, "recall_bp": o.recall_bp} for o in found]))
    return 0


def settle_in() -> tuple[Any, datetime]:
    """The cast of the tests, with goods enough for everybody."""
    from tests.cast import AT, assemble

    from tongzhou.catalog import commands as catalog
    from tongzhou.catalog import queries as goods
    from tongzhou.ledger import sql
    from tongzhou.plans import queries as plans

    for forget in (sql.forget, plans.forget, goods.forget):
        forget()
    cast = assemble()
    catalog.set_stock(levels=[(cast.rice, 1_000_000)], by=cast.owner, at=AT)
    return cast, AT


if __name__ == "__main__":
    sys.exit(main())
