"""Writing history: days of orders through the same tables and the same ledger as live ones.

Each batch (a day, or two hundred orders of it) is one transaction: its orders, postings, rewards and the
claims ``import:<order_no>`` commit together, so an import that was killed goes on where it was, and the same
file again changes nothing. Before a day begins, what had matured by then matures, so that a trial balance of
any past day is the one the mall would have had. Sales come before refunds of the same moment. A refund without
``refund_of`` is matched first-in-first-out over the buyer's earlier unrefunded lines of that SKU, at most what
was paid; what matches nothing is reported, never invented, and not claimed: it is tried again next time.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import SkuInfo
from tongzhou.kit import clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import id_at, new_id
from tongzhou.kit.models import Claim
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import PLATFORM_BOOK, Leg, Move, PostingRequest
from tongzhou.orders.history.reading import read
from tongzhou.orders.history.refunds import refund_batch
from tongzhou.orders.history.values import Document, HistoryImport, Note
from tongzhou.orders.models import Order, OrderLine, Status
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans import commands as planning
from tongzhou.plans import queries as plans
from tongzhou.plans.values import AttributionModel, PlanVersionValue
from tongzhou.sharing import commands as sharing
from tongzhou.sharing.rules import choose
from tongzhou.sharing.values import Candidate

if TYPE_CHECKING:
    from tongzhou.sharing.models import Attribution

BATCH = 200
GATEWAY = "gateway.import"
Progress = Callable[[int, int], None]
Happened = Mapping[UUID, datetime]  # order → when what is told of it happened


@dataclass(frozen=True, slots=True)
class Above:
    """What the rooms above do with history, handed in because orders may not call up.

    ``told`` gets the orders of a batch inside its transaction, sales and refunds apart; ``until`` is called
    before a day begins.
    """

    told: Callable[[Happened], int]
    until: Callable[[datetime], int]


@dataclass(slots=True)
class World:
    """What every batch needs: who the caller's keys are, which SKUs, which plan."""

    by: Actor
    at: datetime
    plan: PlanVersionValue | None
    report: HistoryImport
    above: Above | None
    people: dict[str, UUID] = field(default_factory=dict)
    inviters: dict[UUID, tuple[UUID, datetime]] = field(default_factory=dict)
    skus: dict[str, SkuInfo] = field(default_factory=dict)


def run(
    path: Path, *, by: Actor, at: datetime, plan: str = "", dry_run: bool = False, progress: Progress | None = None,
    above: Above | None = None,
) -> HistoryImport:  # fmt: skip
    """Take the orders of a file in; a dry run says the same and writes nothing.

    *Refuses:* ``file_not_found``, ``file_unreadable``, ``file_too_large``, ``file_binary``, ``encoding_unknown``,
    ``file_broken``, ``columns_missing``, ``plan_not_found``, ``plan_refused``. Rows are refused singly.
    """
    report, told = HistoryImport(dry_run=dry_run), 0
    tell = progress or (lambda done, of: None)
    documents = read(path, report, at=at)
    report.read = len(documents)
    with _few_collections(), transaction.atomic() if dry_run else nullcontext():
        force = planning.use_for_history(plan, at=at) if plan else plans.in_force(at)
        world = World(by, at, force, report, None if dry_run else above)
        tell(0, len(documents))
        _prepare(world, documents)
        for part in _days(documents):
            if world.above:
                world.above.until(part[0].placed_at)
            _batch(world, part)
            told += len(part)
            tell(told, len(documents))
        if dry_run:
            transaction.set_rollback(True)
    return report


@contextmanager
def _few_collections() -> Iterator[None]:
    """The whole file stays in memory and holds no cycles: walking it at each collection costs a third of the import."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _days(documents: Sequence[Document]) -> Iterator[list[Document]]:
    """Days of the mall's calendar, in pieces of at most ``BATCH``."""
    for _day, members_ in groupby(documents, key=lambda d: clock.mall_day(d.placed_at)):
        day = list(members_)
        for start in range(0, len(day), BATCH):
            yield day[start : start + BATCH]


def _prepare(world: World, documents: Sequence[Document]) -> None:
    """Accounts for keys nobody has yet, archived products for unknown SKUs."""
    keys = sorted({d.buyer for d in documents if d.buyer} | {d.sharer for d in documents if d.sharer})
    world.people = members.by_logins(keys)
    first: dict[str, datetime] = {}
    for d in documents:
        for key in (d.buyer, d.sharer):
            if key and key not in world.people:
                first.setdefault(key, d.placed_at)
    fresh = sorted(first)
    for start in range(0, len(fresh), 500):
        part = fresh[start : start + 500]
        made = people.register_members([{"login": k, "joined_at": first[k]} for k in part], at=world.at)
        world.people.update(zip(part, made, strict=True))
    world.inviters = members.bindings_of(world.people.values())
    seen: dict[str, tuple[str, str, int]] = {}
    for d in documents:
        for row in d.rows:
            if row.sku:
                seen.setdefault(row.sku, (row.sku, row.title or row.sku, max(row.unit_minor, 0)))
    catalog.ensure_historical_skus(items=list(seen.values()), by=world.by, at=world.at)
    world.skus = goods.sku_by_codes(list(seen))


@transaction.atomic
def _batch(world: World, documents: Sequence[Document]) -> None:
    """One transaction: whatever of the batch was not taken in before, up to the rewards it leads to."""
    claims = {f"import:{d.no}": d for d in documents}
    known = set(Claim.objects.filter(value__in=claims).values_list("value", flat=True))
    world.report.unchanged += len(known)
    fresh = [d for key, d in claims.items() if key not in known]
    sold, when = _sales(world, [d for d in fresh if d.kind == "sale"])
    _claim(world, sold)
    if world.above and when:
        world.above.told(when)
    refunds = [d for d in fresh if d.kind == "refund"]
    back, when = refund_batch(world.report, world.people, refunds, by=world.by, at=world.at)
    if world.above and when:
        world.above.told(when)
    _claim(world, [*back, *_adjust(world, [d for d in fresh if d.kind == "adjustment"])])


def _claim(world: World, numbers: Sequence[str]) -> None:
    """These order numbers are taken in, from now on."""
    world.report.created += len(numbers)
    Claim.objects.bulk_create([Claim(value=f"import:{no}", at=world.at) for no in numbers])


def _sales(world: World, documents: Sequence[Document]) -> tuple[list[str], dict[UUID, datetime]]:
    """The order numbers taken, and when each order was placed."""
    orders: list[Order] = []
    lines: list[OrderLine] = []
    requests: list[PostingRequest] = []
    attributions: list[Attribution] = []
    done: list[str] = []
    taken = set(Order.objects.filter(no__in=[d.no for d in documents]).values_list("no", flat=True))
    for d in documents:
        if d.no in taken:
            world.report.note(
                Note(
                    d.rows[0].line, "order_no", d.no, "order_no_taken", _("商城里已有这个订单号。"), _("换一个订单号。")
                )
            )
            continue
        written_off = world.report.write_offs
        order, mine = _order(world, d)
        if mine or world.report.write_offs > written_off:
            done.append(d.no)
        if not mine:
            continue
        world.report.lines += len(mine)
        world.report.sales_minor += order.total_minor
        world.report.guests += not d.buyer
        row = _attribution(world, d, order)
        if row is not None:
            attributions.append(row)
            order.attribution_id, order.sharer_id = row.id, row.sharer_id
        orders.append(order)
        lines += mine
        if order.total_minor:
            requests.append(_posting(order, "capture", [Move(GATEWAY, "deposit.orders", order.total_minor)]))
            requests.append(_posting(order, "delivered", [Move("deposit.orders", "revenue.goods", order.total_minor)]))
    Order.objects.bulk_create(orders, batch_size=500)
    OrderLine.objects.bulk_create(lines, batch_size=500)
    ledger.post_many(requests, by=world.by, at=world.at)
    sharing.record_many(attributions)
    return done, {o.id: o.placed_at for o in orders}


def _posting(order: Order, kind: str, legs: list[Leg]) -> PostingRequest:
    return PostingRequest(
        order.buyer_id, kind, f"{kind}:{order.id}", order.id, tuple(legs), order.placed_at, order.book_kind
    )


def _order(world: World, d: Document) -> tuple[Order, list[OrderLine]]:
    """A paid and delivered order. Zero lines stay without money; negative ones are stock that was written off."""
    identity = id_at(d.placed_at)
    buyer = world.people[d.buyer] if d.buyer else new_id()
    rows: list[OrderLine] = []
    for row in d.rows:
        if row.quantity < 0:
            world.report.write_offs += 1
            world.report.note(
                Note(
                    row.line,
                    "quantity",
                    str(row.quantity),
                    "write_off",
                    _("销售里的负数按库存核销记下，不涉及钱。"),
                    "",
                    refused=False,
                )
            )
            continue
        if row.quantity == 0 or not row.sku:
            world.report.note(
                Note(row.line, "sku", row.sku, "line_empty", _("没有编码或数量为 0。"), _("补上后再导入。"))
            )
            continue
        world.report.zero_lines += row.amount_minor == 0
        sku = world.skus[row.sku]
        rows.append(
            OrderLine(
                id=new_id(), order_id=identity, buyer_id=buyer, position=len(rows), sku_id=sku.id,
                sku_code=row.sku, product_id=sku.product_id, product_slug=sku.product_slug, supplier_id=sku.supplier_id,
                category_ids=[str(c) for c in sku.category_ids], title=row.title or row.sku, quantity=row.quantity, unit_list_minor=row.unit_minor,
                unit_price_minor=row.unit_minor, amount_minor=row.amount_minor, shipped_quantity=row.quantity,
                delivered_at=d.placed_at, version=2,
            )
        )  # fmt: skip
    total = sum(x.amount_minor for x in rows)
    order = Order(
        id=identity, no=d.no, buyer_id=buyer, book_kind="member" if d.buyer else "guest", status=Status.COMPLETED,
        goods_minor=total, total_minor=total, plan_version_id=world.plan.id if world.plan else None, placed_at=d.placed_at,
        paid_at=d.placed_at, shipped_at=d.placed_at, completed_at=d.placed_at,
    )  # fmt: skip
    return order, rows


def _attribution(world: World, d: Document, order: Order) -> "Attribution | None":
    """By the file's own ``sharer``, else by the inviter under a ``binding_first`` plan; guests earn nobody anything."""
    if world.plan is None or not d.buyer:
        return None
    policy = world.plan.plan.attribution
    candidates = []
    if d.sharer:
        candidates.append(Candidate("code", world.people[d.sharer], d.placed_at))
    elif policy.model == AttributionModel.BINDING_FIRST and order.buyer_id in world.inviters:
        inviter, since = world.inviters[order.buyer_id]
        candidates.append(Candidate("binding", inviter, min(since, d.placed_at)))
    if not candidates:
        return None
    choice = choose(candidates, policy, order_at=d.placed_at, buyer_id=order.buyer_id)
    return sharing.attribution_row(
        order_id=order.id, buyer_id=order.buyer_id, choice=choice, model=policy.model, at=d.placed_at
    )


def _adjust(world: World, documents: Sequence[Document]) -> list[str]:
    """Corrections of the old shop's books, in the platform's book. The order numbers taken."""
    requests = []
    for d in documents:
        total = sum(row.amount_minor for row in d.rows)
        world.report.adjustments_minor += total
        if total:
            move = Move("bank", "expense.bad_debt", total) if total > 0 else Move("expense.bad_debt", "bank", -total)
            requests.append(
                PostingRequest(
                    PLATFORM_BOOK, "adjustment", f"adjustment:{d.no}", new_id(), (move,), d.placed_at, "platform"
                )
            )
    ledger.post_many(requests, by=world.by, at=world.at)
    return [d.no for d in documents]
