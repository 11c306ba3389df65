"""What risk finds in the demo: somebody who shares to a second account, a tablet with four accounts, a household.

One is refused and appealed, one waits for a person, one is paid some days later; each with its evidence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tongzhou.demo import bank
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit.actor import Actor, member
from tongzhou.orders import commands as orders
from tongzhou.payments import commands as payments
from tongzhou.payments import queries as paid_by
from tongzhou.payments.values import Notice, PaymentValue
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.risk import commands as risk
from tongzhou.risk import queries as held
from tongzhou.risk.values import Kind, Sighting

FEE = 1000  # what the bank takes for a chargeback, minor units
NEW = ("小号一", "小号二", "小号三", "小号四")


@dataclass(frozen=True, slots=True)
class Scene:
    """Who acts and what is sold."""

    by: Actor
    sku: UUID
    settle: Callable[[datetime], None]


def stage(sharers: Sequence[UUID], scene: Scene, now: datetime) -> None:
    """Three stories of the last days; ``sharers``: who shares to a second account, who has a farm, a couple."""
    at = now - timedelta(days=4)
    alone, boss, one, other = sharers[:4]
    risk.observe([Sighting(alone, Kind.DEVICE, "demo-phone")], at=at)
    second = people.register_member(phone="+8613900000901", display_name="另一个我", at=at)
    risk.observe([Sighting(second, Kind.DEVICE, "demo-phone")], at=at)
    fakes = [
        people.register_member(phone=f"+86139000009{n:02d}", display_name=name, at=at)
        for n, name in enumerate(NEW, start=10)
    ]
    risk.observe([Sighting(who, Kind.DEVICE, "demo-tablet") for who in fakes], at=at)
    risk.observe([Sighting(who, Kind.IP, "93.184.216.34") for who in (one, other)], at=at)
    home = "听涛苑 7 幢 301"
    _sell(scene, alone, second, at, "柳浪路 12 号")
    _sell(scene, boss, fakes[0], at, "工业路 3 号仓")
    _sell(scene, other, one, at, home, phone="13900000777")
    _sell(scene, one, other, at + timedelta(hours=1), home, phone="13900000777")
    _disputed(scene, other, boss, now)
    for refused in [h for h in held.queue("refused") if h.sharer_id == alone]:
        risk.appeal(
            hold_id=refused.id,
            sharer_id=alone,
            text="另一个号是我妈的，用我的旧手机登录过。",
            at=now - timedelta(hours=5),
        )


def _disputed(scene: Scene, sharer: UUID, buyer: UUID, now: datetime) -> None:
    """A buyer who received the goods and had the bank take the money back; nobody has decided yet."""
    start = _sell(scene, sharer, buyer, now - timedelta(days=3), "工业路 3 号仓")
    amount, at, number = start.amount_minor, now - timedelta(hours=3), f"dsp_{start.trade_no[-16:]}"
    bank.disputed(trade_no=start.trade_no, number=number, amount_minor=amount, fee_minor=FEE, at=at)
    orders.settle(
        Notice(
            "sandbox", number, start.trade_no, "dispute_opened", amount, "CNY", dispute_no=number, fee_minor=FEE,
            reason="unrecognised",
        ),
        at=at,
    )  # fmt: skip
    scene.settle(at)


def _sell(scene: Scene, sharer: UUID, buyer: UUID, at: datetime, street: str, phone: str = "") -> PaymentValue:
    card = members.card(buyer)
    address = check_address(
        AddressValue(card.display_name, phone or members.full_phone(buyer)[3:], "330106109", "", "", "", "", street)
    )
    placed = orders.place(
        buyer_id=buyer, lines=[(scene.sku, 1)], address=address, at=at, sharer_code=members.card(sharer).invite_code
    )
    start = payments.open_payment(
        order_id=placed.order_id, buyer_id=buyer, order_no=placed.no, amount_minor=placed.total_minor, provider="sandbox",
        return_url="", at=at,
    )  # fmt: skip
    bank.paid(
        trade_no=start.trade_no, order_no=placed.no, amount_minor=placed.total_minor, txn=f"demo{placed.no}", at=at
    )
    paid = Notice(
        "sandbox", f"demo-{placed.no}", start.trade_no, "succeeded", placed.total_minor, "CNY", f"demo{placed.no}"
    )
    orders.settle(paid, at=at)
    scene.settle(at)
    fulfilment.ship(
        order_id=placed.order_id, carrier="yunda", tracking_no=f"YT{placed.order_id.int % 10**11:011d}", by=scene.by,
        at=at + timedelta(hours=8),
    )  # fmt: skip
    fulfilment.confirm_receipt(order_id=placed.order_id, by=member(buyer), buyer_id=buyer, at=at + timedelta(days=2))
    scene.settle(at + timedelta(days=2))
    return paid_by.payments_of(placed.order_id)[0]
