"""A living demo mall: goods, people and ninety days of orders, all made by the real commands with a moving clock.

No row is written past a command; the ledger of the demo verifies like any other.
"""

import random
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from tongzhou.aftersale import commands as aftersale
from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductDraft, SkuDraft
from tongzhou.demo import bank, cheats, endings
from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import clock, worker
from tongzhou.kit.actor import SYSTEM, Actor, member, operator
from tongzhou.kit.ids import new_id
from tongzhou.ledger import commands as ledger
from tongzhou.orders import commands as orders
from tongzhou.orders import queries as sold
from tongzhou.payments import commands as payments
from tongzhou.payments.values import Notice, RefundOutcome
from tongzhou.payouts import commands as payouts
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as force
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards
from tongzhou.sharing import commands as sharing
from tongzhou.suppliers.commands import ensure_supplier

Tell = Callable[[str], None]
DAYS = 90
PASSWORD = settings.DEMO_PASSWORD  # production refuses it
# Packagings, so that a large demo has names one can tell apart: [name, English name].
PACKS = (("家庭装", "family pack"), ("礼盒", "gift box"), ("尝鲜装", "taster"), ("囤货装", "stock-up pack"), ("产地直发", "straight from the source"),
         ("办公室装", "office pack"), ("旅行装", "travel size"), ("简装", "plain wrap"), ("春季批次", "spring batch"),
         ("秋季批次", "autumn batch"), ("小份", "small"), ("大份", "large"), ("双件组", "pair"), ("周年款", "anniversary"))  # fmt: skip
NAMES = (
    "林小满", "苏禾", "周野", "柚子", "陈姐", "许青", "河边", "阿茶", "橙子", "老梁", "小吴", "南风", "一宁", "阿桂", "木木", "云朵",
    "青山", "小鹿", "大米", "秋实", "海生", "晚晴", "知夏", "阿福", "石头", "豆豆", "安安", "北北", "十三", "鱼丸", "竹子", "可可",
    "念念", "星野", "小舟", "月白", "阿布", "麦子", "江离", "半夏",
)  # fmt: skip
PLACES = ("330106109", "110101001", "310101013", "440304001", "510107001")
PLAN = Path(__file__).with_name("plan.toml")


@dataclass(slots=True)
class _World:
    """Who and what the demo is made of."""

    boss: Actor
    finance: Actor
    people: list[UUID] = field(default_factory=list)
    products: list[UUID] = field(default_factory=list)
    skus: list[UUID] = field(default_factory=list)
    links: dict[UUID, str] = field(default_factory=dict)
    open: list[tuple[datetime, UUID, UUID]] = field(default_factory=list)
    on_the_way: list[tuple[datetime, UUID, UUID]] = field(default_factory=list)


def run(*, scale: int, tell: Tell, only_if_empty: bool = False) -> None:
    """Fill an empty mall; one that has members is left alone."""
    if members.operators():
        if not only_if_empty:
            tell("This mall is not empty; nothing was changed.")
        return
    began, dice = time.monotonic(), random.Random(20260714)  # noqa: S311 - a story, not a secret
    now = clock.now()
    at = now - timedelta(days=DAYS)
    tell("Filling the demo mall: goods, forty people, ninety days of orders …")
    world = _found(at, dice, scale)
    for day in range(DAYS):
        _day(world, at + timedelta(days=day), dice, now, last=day >= DAYS - 3)
        if day % 15 == 14:
            tell(f"  day {day + 1} of {DAYS}")
    _last_touches(world, dice, now)
    ledger.seal(through=clock.mall_day(now) - timedelta(days=2), by=SYSTEM, at=now)
    tell(f"  done in {time.monotonic() - began:.0f} s")


def _last_touches(world: _World, dice: random.Random, now: datetime) -> None:
    """What the days left to chance: orders just placed, paid and sent, two cancelled, open returns, a reward owed back."""
    just = now - timedelta(minutes=5)
    _buy(world, just, dice, unpaid=True)
    _buy(world, just, dice, unpaid=False)
    sent, _buyer = _buy(world, now - timedelta(hours=8), dice, unpaid=False)
    fulfilment.ship(order_id=sent, carrier="yunda", tracking_no="YT20260714001", by=world.boss, at=now)
    for unpaid in (True, False):
        order_id, buyer = _buy(world, just, dice, unpaid=unpaid)
        endings.cancelled(order_id, buyer, now)
    for _stage in range(3):  # a return at every stage where somebody has to act
        order_id, buyer = _buy(world, now - timedelta(hours=30), dice, unpaid=False)
        number = f"YT{dice.randrange(10**11):011d}"
        fulfilment.ship(
            order_id=order_id, carrier="yuantong", tracking_no=number, by=world.boss, at=now - timedelta(hours=22)
        )
        fulfilment.confirm_receipt(order_id=order_id, by=member(buyer), at=now - timedelta(hours=2))
        _return(world, order_id, buyer, now - timedelta(hours=1), last=True)
    _settle(now)
    endings.receivable(world.people[1:], now, by=world.boss)  # not the first: visitors sign in as her
    cheats.stage(world.people[9:14], cheats.Scene(world.boss, world.skus[0], _settle), now)
    _settle(now)


def next_steps(site: str, bank: str) -> list[str]:
    """Lines for the terminal when the demo is up: its doors, who can sign in, what to try, how to stop."""
    return [
        "",
        "The demo mall is up.",
        "",
        f"  Shop      {site}/",
        "            sign in with 13900000100 (林小满, who shares) or any number; the code is shown on the page",
        f"  Console   {site}/console/",
        "            13800000001 (沈岚, owner), 13800000002 (顾川, finance) or 13800000003 (陆遥, operator),",
        f"            password {PASSWORD}",
        "",
        "  Try       share a product, open its link in a private window, buy it; ship the order in the console,",
        "            and follow the reward under Earn: expected, then held for 15 days after receipt.",
        "  Time      .venv/bin/tongzhou demo pass --days 16  lets those days pass, so that it can be paid out",
        f"  Bank      {bank}/records  what the sandbox bank did; chargebacks begin there",
        "  Traffic   .venv/bin/tongzhou demo traffic --minutes 5",
        "  Stop      Ctrl-C; `make demo` goes on where it was, `make clean` starts anew.",
        "",
    ]


def _found(at: datetime, dice: random.Random, scale: int) -> _World:
    owner = people.create_operator(
        phone="13800000001", name="沈岚", password=PASSWORD, roles={"owner", "operator"}, by=SYSTEM, at=at
    )
    money = people.create_operator(
        phone="13800000002", name="顾川", password=PASSWORD, roles={"finance"}, by=SYSTEM, at=at
    )
    people.create_operator(
        phone="13800000003", name="陆遥", password=PASSWORD, roles={"operator", "support"}, by=SYSTEM, at=at
    )
    world = _World(operator(owner, "沈岚"), operator(money, "顾川"))
    plans.import_plan(text=PLAN.read_text(encoding="utf-8"), by=world.boss, at=at)
    plans.activate(code="share-8", by=world.boss, at=at)
    plans.import_plan(text=PLAN.with_name("eight-levels.toml").read_text(encoding="utf-8"), by=world.boss, at=at)
    _stock_up(world, at, scale)
    for i, name in enumerate(NAMES):
        joined = at + timedelta(days=dice.uniform(0, 60) if i > 8 else 0)
        who = people.register_member(phone=f"+861390000{100 + i:04d}", display_name=name, at=joined)
        if i > 2 and dice.random() < 0.85:
            people.bind(
                invitee_id=who,
                inviter_id=dice.choice(world.people[: max(1, i // 2)]),
                source="link",
                by=member(who),
                at=joined,
            )
        world.people.append(who)
    return world


def _stock_up(world: _World, at: datetime, scale: int) -> None:
    data: dict[str, Any] = tomllib.loads(Path(__file__).with_name("goods.toml").read_text(encoding="utf-8"))
    suppliers = {code: ensure_supplier(code, zh, en, at) for code, zh, en in data["suppliers"]}
    shelves = {
        slug: catalog.create_category(
            slug=slug, name=zh, name_en=en, position=i, art=f"tz/art/goods/{art}.svg", by=world.boss, at=at
        )
        for i, (slug, zh, en, art) in enumerate(data["categories"])
    }
    for i, (slug, zh, en, art, parent) in enumerate(data["parts"]):
        shelves[slug] = catalog.create_category(
            slug=slug, name=zh, name_en=en, parent_id=shelves[parent], position=i, art=f"tz/art/goods/{art}.svg",
            by=world.boss, at=at,
        )  # fmt: skip
    items = data["goods"]
    for n in range(max(len(items), scale if scale > 100 else 0)):
        item, copy = items[n % len(items)], n // len(items)
        _one(world, item, copy, suppliers, shelves, at + timedelta(minutes=n))


def _pack(copy: int) -> tuple[str, str]:
    """How the n-th packaging of the same goods is called: fourteen, then two at a time."""
    if not copy:
        return "", ""
    first, second = (copy - 1) % len(PACKS), (copy - 1) // len(PACKS)
    chosen = [PACKS[first]] + ([PACKS[(first + second) % len(PACKS)]] if second else [])
    return " " + " ".join(zh for zh, _en in chosen), ", " + ", ".join(en for _zh, en in chosen)


def _one(
    world: _World, item: dict[str, Any], copy: int, suppliers: dict[str, UUID], shelves: dict[str, UUID], at: datetime
) -> None:  # fmt: skip
    slug = item["art"] + (f"-{copy}" if copy else "")
    pack = _pack(copy)
    names, names_en = zip(*item.get("options", [["规格", "Option"]]), strict=True)
    draft = ProductDraft(
        slug=slug, title=item["title"][0] + pack[0], title_en=item["title"][1] + pack[1],
        subtitle=item["sub"][0], subtitle_en=item["sub"][1], description=f"<p>{item['text'][0]}</p>",
        description_en=f"<p>{item['text'][1]}</p>", category_id=shelves[item["category"]],
        supplier_id=suppliers[item["supplier"]], option_names=names, option_names_en=names_en,
        stage="" if item["stage"] == "sand" else item["stage"],
        return_policy=item.get("policy", "seven_days"),
        skus=tuple(
            SkuDraft(
                code=f"{slug.upper()}-{i + 1}", option_values=tuple(zh.split("|")),
                option_values_en=tuple(en.split("|")), list_price_minor=listed,
                member_price_minor=own, cost_minor=cost, on_hand=stock * 10,
            )
            for i, (zh, en, listed, own, cost, stock) in enumerate(item["skus"])
        ),
    )  # fmt: skip
    saved = catalog.save_product(draft=draft, by=world.boss, at=at)
    for art, zh, en in ([item["art"], *item["title"]], *item.get("pictures", ())):
        catalog.add_picture(
            product_id=saved.id, by=world.boss, at=at, drawn=f"tz/art/goods/{art}.svg", alt=zh, alt_en=en
        )
    catalog.publish(product_ids=[saved.id], by=world.boss, at=at)
    world.products.append(saved.id)
    left = goods.available(list(goods.sku_ids_of(saved.id)))
    world.skus += [sku for sku, n in left.items() if n]


def _day(world: _World, start: datetime, dice: random.Random, now: datetime, *, last: bool) -> None:
    """One day: friends open links and buy, yesterday's orders are shipped, parcels arrive, some come back."""
    for _n in range(dice.randint(2, 6)):
        _open(world, min(start + timedelta(seconds=dice.randint(0, 50_000)), now), dice)
    for _n in range(dice.randint(1, 3)):
        at = start + timedelta(seconds=dice.randint(0, 50_000))
        if at < now:
            _buy(world, at, dice, unpaid=last and dice.random() < 0.3)
    evening, closing = min(start + timedelta(hours=20), now), now - start < timedelta(days=6)
    _settle(evening)
    world.open = [x for x in world.open if not _ship(world, x, evening, dice, last)]
    world.on_the_way = [x for x in world.on_the_way if not _arrive(world, x, evening, dice, last=closing)]
    rewarding.mature_due(at=evening)
    if start.weekday() == 4:
        _pay_out(world, evening, dice, last=now - start < timedelta(days=8))
    _settle(evening)


def _open(world: _World, at: datetime, dice: random.Random, *, but: UUID | None = None) -> UUID:
    """Somebody opens somebody's link: to the mall, or to a product the sharer likes. Returns the browser."""
    sharer = dice.choice([p for p in world.people[:14] if p != but])
    liked = dice.choice((None, *world.products[sharer.int % 7 :: 7][:3]))
    link, plan, visitor = sharing.make_link(member_id=sharer, product_id=liked, at=at), force.in_force(at), new_id()
    sharing.touch(code=link.code, visitor_id=visitor, plan_version_id=plan.id if plan else None, at=at)
    return visitor


def _buy(world: _World, at: datetime, dice: random.Random, *, unpaid: bool) -> tuple[UUID, UUID]:
    """One order of somebody; the order and its buyer."""
    buyer = dice.choice(world.people)
    if dice.random() < 0.75:
        visitor = _open(world, at - timedelta(hours=3), dice, but=buyer)
        sharing.join_visitor(visitor_id=visitor, member_id=buyer, at=at)
    lines = [(sku, dice.choice((1, 1, 1, 2))) for sku in dice.sample(world.skus, dice.choice((1, 1, 2, 3)))]
    address = check_address(
        AddressValue(
            members.card(buyer).display_name,
            "13900001234",
            dice.choice(PLACES),
            "",
            "",
            "",
            "",
            f"江边路 {dice.randint(1, 300)} 号",
        )
    )
    placed = orders.place(buyer_id=buyer, lines=lines, address=address, at=at)
    if unpaid:
        return placed.order_id, buyer
    start = payments.open_payment(
        order_id=placed.order_id, buyer_id=buyer, order_no=placed.no, amount_minor=placed.total_minor, provider="sandbox",
        return_url="", at=at,
    )  # fmt: skip
    bank.paid(
        trade_no=start.trade_no, order_no=placed.no, amount_minor=placed.total_minor, txn=f"demo{placed.no}", at=at
    )
    orders.settle(
        Notice(
            "sandbox", f"demo-{placed.no}", start.trade_no, "succeeded", placed.total_minor, "CNY", f"demo{placed.no}"
        ),
        at=at,
    )
    world.open.append((at, placed.order_id, buyer))
    return placed.order_id, buyer


def _settle(at: datetime) -> None:
    """Deliver facts, and let refunds reach their buyers as the demo's bank would."""
    worker.drain_local(at=at)
    for refund_id in payments.requested_refunds():
        bank.refunded(refund_id, txn="demo", at=at)
        payments.record_refund(refund_id, RefundOutcome("succeeded", "demo"), at=at)
    worker.drain_local(at=at)


def _ship(world: _World, order: tuple[datetime, UUID, UUID], at: datetime, dice: random.Random, last: bool) -> bool:
    paid_at, order_id, buyer = order
    if (last and dice.random() < 0.6) or at - paid_at < timedelta(hours=6):
        return False
    carrier = dice.choice(("yunda", "zhongtong", "yuantong"))
    fulfilment.ship(
        order_id=order_id, carrier=carrier, tracking_no=f"YT{dice.randrange(10**11):011d}", by=world.boss, at=at
    )
    world.on_the_way.append((at, order_id, buyer))
    return True


def _arrive(
    world: _World, order: tuple[datetime, UUID, UUID], at: datetime, dice: random.Random, *, last: bool
) -> bool:  # fmt: skip
    shipped_at, order_id, buyer = order
    if at - shipped_at < timedelta(days=dice.choice((2, 3, 4))):
        return False
    fulfilment.confirm_receipt(order_id=order_id, by=member(buyer), at=at)
    if dice.random() < (0.6 if last else 0.12):
        _return(world, order_id, buyer, at, last=last)
    return True


def _return(world: _World, order_id: UUID, buyer: UUID, at: datetime, *, last: bool) -> None:
    line = next(x for x in sold.lines_of([order_id])[order_id] if x.kind == "goods")
    case = aftersale.open_case(
        order_id=order_id, buyer_id=buyer, units={line.id: 1}, reason="quality", note="和想的不一样", at=at
    )
    endings.case(case, buyer, at, by=world.boss, still_open=last)


def _pay_out(world: _World, at: datetime, dice: random.Random, *, last: bool) -> None:
    for who in world.people[:14]:
        free = rewards.earnings(who).payable_minor
        if free < 500 or dice.random() < 0.4 or payouts.has_open(who):
            continue
        name = members.card(who).display_name
        payouts.register_payee(
            member_id=who,
            legal_name=name,
            account=f"62220200{dice.randrange(10**8):08d}1",
            born="1992-03-08",
            by=member(who),
            at=at,
        )
        payout = payouts.request(member_id=who, amount_minor=free, at=at)
        endings.payout(payout, at, first=world.boss, second=world.finance, still_open=last)
