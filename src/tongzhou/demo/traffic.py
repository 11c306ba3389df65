"""Life in a demo that is being served: friends open links, join, buy, pay at the sandbox bank, receive, return.

Everything is the real commands; only the payment crosses the network, as a buyer's browser would.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import httpx
from django.conf import settings

from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale import queries as cases
from tongzhou.catalog import queries as goods
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import clock
from tongzhou.kit.actor import Actor, member, operator
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.plans import queries as force
from tongzhou.sharing import commands as sharing

Tell = Callable[[str], None]
CHOICES = ("pay",) * 10 + ("twice", "fail")  # how the bank's page is answered
SURNAMES, GIVEN = "林陈周吴许梁江沈顾苏", "安宁晓禾青岚远舟知夏一"
PLACES = ("330106109", "110101001", "310101013", "440304001", "510107001")


@dataclass(slots=True)
class Street:
    """Who walks by, what is on the shelves, who keeps the shop; ``seen`` counts what happened."""

    keeper: Actor
    people: list[UUID]
    skus: list[UUID]
    dice: random.Random
    seen: Counter[str] = field(default_factory=Counter)


def open_street(dice: random.Random) -> Street:
    """The mall as it stands. *Refuses:* ``mall_empty``."""
    staff = members.operators()
    crowd = [c.id for c in members.listing(limit=200) if c.id not in staff]
    keeper = next((m for m, roles in staff.items() if roles & {"owner", "operator"}), None)
    skus = [sku for card in goods.cards(discount_bp=0, limit=60).items for sku in goods.sku_ids_of(card.id)]
    if keeper is None or len(crowd) < 2 or not skus:
        raise Refusal("mall_empty", "There are no people or goods here yet.", fix="Run: tongzhou demo seed")
    return Street(operator(keeper, members.card(keeper).display_name), crowd, skus, dice)


def run(*, minutes: int, tell: Tell) -> None:
    """Step every few seconds, a line each minute; Ctrl-C ends it with the same line. *Refuses:* as ``step``."""
    street = open_street(random.Random())  # noqa: S311 - a story, not a secret
    began = said = time.monotonic()
    try:
        while (now := time.monotonic()) < began + minutes * 60:
            step(street, clock.now())
            if now - said >= 60:
                said = now
                tell(f"  {clock.now():%H:%M} {_count(street)}")
            time.sleep(street.dice.uniform(1, 5))
    except KeyboardInterrupt:
        tell("  stopped")
    tell(f"  in all: {_count(street)}")


def step(street: Street, at: datetime) -> None:
    """One visit, and one look round the shop. What the mall refuses is counted, and life goes on.

    *Refuses:* ``counterparty_unreachable`` when no sandbox bank is running.
    """
    for act in (_visit, _ship, _receive, _answer):
        try:
            act(street, at)
        except Refusal as refusal:  # sold out, cancelled meanwhile, somebody at the console was faster
            if refusal.kind == Kind.UNAVAILABLE:
                raise
            street.seen[f"refused ({refusal.code})"] += 1


def _count(street: Street) -> str:
    return ", ".join(f"{n} {what}" for what, n in sorted(street.seen.items())) or "nobody came"


def _visit(street: Street, at: datetime) -> None:
    """Somebody opens a friend's link; some join, most buy, one in twelve payments fails."""
    dice = street.dice
    sharer = dice.choice(street.people)
    link, plan, visitor = sharing.make_link(member_id=sharer, product_id=None, at=at), force.in_force(at), new_id()
    sharing.touch(code=link.code, visitor_id=visitor, plan_version_id=plan.id if plan else None, at=at)
    street.seen["links opened"] += 1
    if dice.random() < 0.3:
        buyer = _join(street, sharer, at)
    else:
        buyer = dice.choice([p for p in street.people if p != sharer])
    sharing.join_visitor(visitor_id=visitor, member_id=buyer, at=at)
    wants = [
        (sku, dice.choice((1, 1, 2))) for sku in dice.sample(street.skus, min(len(street.skus), dice.choice((1, 1, 2))))
    ]
    name, street_no = members.card(buyer).display_name, dice.randint(1, 300)
    address = AddressValue(name, "13900001234", dice.choice(PLACES), "", "", "", "", f"江边路 {street_no} 号")
    placed = orders.place(buyer_id=buyer, lines=wants, address=check_address(address), at=at)
    street.seen["orders"] += 1
    start = payments.open_payment(
        order_id=placed.order_id, buyer_id=buyer, order_no=placed.no, amount_minor=placed.total_minor,
        provider="sandbox", return_url=f"{settings.SITE_URL}/orders/{placed.no}", at=at,
    )  # fmt: skip
    _at_the_bank(start.redirect_url, dice.choice(CHOICES))
    notice = paid.ask("sandbox", start.trade_no)  # the bank also notifies; whichever comes first counts
    if notice is not None:
        orders.settle(notice, at=at)
        street.seen["paid" if notice.outcome == "succeeded" else "payments failed"] += 1


def _join(street: Street, sharer: UUID, at: datetime) -> UUID:
    dice = street.dice
    name, phone = dice.choice(SURNAMES) + dice.choice(GIVEN) + dice.choice(GIVEN), f"+86199{dice.randrange(10**8):08d}"
    who = people.register_member(phone=phone, display_name=name, at=at)
    people.bind(invitee_id=who, inviter_id=sharer, source="link", by=member(who), at=at)
    street.people.append(who)
    street.seen["joined"] += 1
    return who


def _at_the_bank(url: str, choice: str) -> None:
    """Answer the bank's own page, as the buyer's browser does."""
    page = httpx.URL(url)
    try:
        httpx.post(page.copy_with(query=None), data={**dict(page.params), "choice": choice}, timeout=10)
    except httpx.HTTPError as error:
        raise Refusal(
            "counterparty_unreachable", "The sandbox bank does not answer.", kind=Kind.UNAVAILABLE, retryable=True,
            value=type(error).__name__, fix="Traffic needs the mall running beside it: tongzhou serve",
        ) from None  # fmt: skip


def _ship(street: Street, at: datetime) -> None:
    """The shop sends the oldest paid order, two times of three."""
    waiting = sold.console_list(view="paid", limit=1)
    if waiting and street.dice.random() < 0.67:
        number = f"YT{street.dice.randrange(10**11):011d}"
        fulfilment.ship(order_id=waiting[0].id, carrier="yunda", tracking_no=number, by=street.keeper, at=at)
        street.seen["shipped"] += 1


def _receive(street: Street, at: datetime) -> None:
    """One buyer of those with a parcel under way has it now; one in eight wants to return something."""
    on_the_way = sold.console_list(view="shipped", limit=20)
    if not on_the_way or street.dice.random() < 0.4:
        return
    order = street.dice.choice(on_the_way)
    fulfilment.confirm_receipt(order_id=order.id, by=member(order.buyer_id), buyer_id=order.buyer_id, at=at)
    street.seen["received"] += 1
    if street.dice.random() < 0.125:
        line = next(x for x in sold.lines_of([order.id])[order.id] if x.kind == "goods")
        aftersale.open_case(
            order_id=order.id, buyer_id=order.buyer_id, units={line.id: 1}, reason="quality", note="和想的不一样", at=at
        )
        street.seen["returns asked"] += 1


def _answer(street: Street, at: datetime) -> None:
    """Returns move on by one step at a time: agreed, sent back, received and paid back."""
    moved = street.dice.choice(("REQUESTED", "APPROVED", "RETURNING"))
    found = cases.console_list(status=moved, limit=20)
    if not found or street.dice.random() < 0.5:
        return
    case = street.dice.choice(found)
    if moved == "REQUESTED":
        aftersale.approve(case_id=case.id, by=street.keeper, at=at)
    elif moved == "APPROVED":
        number = f"RT{case.id.int % 10**9:09d}"
        aftersale.send_back(case_id=case.id, buyer_id=case.buyer_id, carrier="yunda", tracking_no=number, at=at)
    else:
        aftersale.receive_back(case_id=case.id, by=street.keeper, at=at)
        street.seen["paid back"] += 1
