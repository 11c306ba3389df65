"""Writing history: batches of orders through the same tables and the same ledger as live ones.

Each batch is one transaction whose claims (``import:<order_no>``) commit with it, so an interrupted
import goes on where it was and the same file again changes nothing. Sales come before refunds of the
same moment. A refund without ``refund_of`` is matched first-in-first-out over the buyer's earlier
unrefunded lines of that SKU, at most what was paid; what matches nothing is reported, never invented.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from tongzhou.catalog import commands as catalog
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import id_at, new_id
from tongzhou.kit.models import Claim
from tongzhou.kit.refusals import not_found
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import PLATFORM_BOOK, Leg, Move, PostingRequest
from tongzhou.orders.history.reading import read
from tongzhou.orders.history.refunds import refund_batch
from tongzhou.orders.history.values import Document, HistoryImport, Note
from tongzhou.orders.models import Order, OrderLine, Status
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans import queries as plans
from tongzhou.plans.values import AttributionModel, PlanVersionValue
from tongzhou.sharing import commands as sharing
from tongzhou.sharing.rules import choose
from tongzhou.sharing.values import Candidate

BATCH = 200
GATEWAY = "gateway.import"
Progress = Callable[[int, int], None]


class _Undo(Exception):
    """Rolls a dry run back."""


@dataclass(slots=True)
class World:
    """What every batch needs: who the caller's keys are, which SKUs, which plan."""

    by: Actor
    at: datetime
    plan: PlanVersionValue | None
    report: HistoryImport
    people: dict[str, UUID] = field(default_factory=dict)
    inviters: dict[UUID, tuple[UUID, datetime]] = field(default_factory=dict)
    skus: dict[str, UUID] = field(default_factory=dict)


def run(
    path: Path, *, by: Actor, at: datetime, plan: str = "", dry_run: bool = False, progress: Progress | None = None,
    after: Callable[[Sequence[UUID], datetime], None] | None = None,
) -> HistoryImport:  # fmt: skip
    """Take the orders of a file in. ``after`` is called with each batch's order ids once it is committed.

    *Refuses:* ``file_unreadable``, ``columns_missing``, ``plan_not_found``. Rows are refused singly.
    """
    report = HistoryImport(dry_run=dry_run)
    documents = read(path, report)
    report.read = len(documents)
    world = World(by, at, _plan(plan, at), report)
    try:
        with transaction.atomic() if dry_run else _each():
            _prepare(world, documents)
            for start in range(0, len(documents), BATCH):
                if progress:
                    progress(start, len(documents))
                touched = _batch(world, documents[start : start + BATCH])
                if after and not dry_run:
                    after(touched, at)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    if progress:
        progress(len(documents), len(documents))
    return report


class _each:
    """No outer transaction: each batch has its own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        return None


def _plan(code: str, at: datetime) -> PlanVersionValue | None:
    if not code:
        return plans.in_force(at)
    row = plans.latest(code)
    if row is None:
        raise not_found(_("没有这个计划。"), code="plan_not_found")
    return plans.version(row.id)


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
    world.skus = catalog.ensure_historical_skus(items=list(seen.values()), by=world.by, at=world.at)


@transaction.atomic
def _batch(world: World, documents: Sequence[Document]) -> list[UUID]:
    """One transaction: whatever of the batch was not taken in before. Returns the orders touched."""
    claims = {f"import:{d.no}": d for d in documents}
    known = set(Claim.objects.filter(value__in=claims).values_list("value", flat=True))
    world.report.unchanged += len(known)
    fresh = [d for key, d in claims.items() if key not in known]
    Claim.objects.bulk_create([Claim(value=f"import:{d.no}", at=world.at) for d in fresh])
    touched = _sales(world, [d for d in fresh if d.kind == "sale"])
    touched += refund_batch(
        world.report, world.people, [d for d in fresh if d.kind == "refund"], by=world.by, at=world.at
    )
    _adjust(world, [d for d in fresh if d.kind == "adjustment"])
    return list(dict.fromkeys(touched))


def _sales(world: World, documents: Sequence[Document]) -> list[UUID]:
    orders: list[Order] = []
    lines: list[OrderLine] = []
    requests: list[PostingRequest] = []
    attributions = []
    for d in documents:
        order, mine = _order(world, d)
        if not mine:
            world.report.refused += 1
            continue
        world.report.created += 1
        world.report.lines += len(mine)
        world.report.sales_minor += order.total_minor
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
    return [o.id for o in orders]


def _posting(order: Order, kind: str, legs: list[Leg]) -> PostingRequest:
    return PostingRequest(
        order.buyer_id, kind, f"{kind}:{order.id}", order.id, tuple(legs), order.placed_at, order.book_kind
    )


def _order(world: World, d: Document) -> tuple[Order, list[OrderLine]]:
    """A paid and delivered order. Zero lines stay without money; negative ones are stock that was written off."""
    identity = id_at(d.placed_at)
    buyer = world.people[d.buyer] if d.buyer else new_id()
    world.report.guests += not d.buyer
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
        rows.append(
            OrderLine(
                id=new_id(), order_id=identity, buyer_id=buyer, position=len(rows), sku_id=world.skus[row.sku],
                sku_code=row.sku, product_id=world.skus[row.sku], product_slug=row.sku, supplier_id=PLATFORM_BOOK,
                title=row.title or row.sku, quantity=row.quantity, unit_list_minor=row.unit_minor,
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


def _attribution(world: World, d: Document, order: Order):  # type: ignore[no-untyped-def]
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


def _adjust(world: World, documents: Sequence[Document]) -> None:
    """Corrections of the old shop's books, in the platform's book."""
    requests = []
    for d in documents:
        total = sum(row.amount_minor for row in d.rows)
        world.report.adjustments_minor += total
        world.report.created += 1
        if total:
            move = Move("bank", "expense.bad_debt", total) if total > 0 else Move("expense.bad_debt", "bank", -total)
            requests.append(
                PostingRequest(
                    PLATFORM_BOOK, "adjustment", f"adjustment:{d.no}", new_id(), (move,), d.placed_at, "platform"
                )
            )
    ledger.post_many(requests, by=world.by, at=world.at)
