"""Stock: held when an order is placed, gone when it is paid, back when it is not.

A race for the last item, argued:

1. Two orders want the last one. Both insert their own reservation rows, which do not meet.
2. Both run one UPDATE that locks the stock row and asks ``on_hand − reserved ≥ q`` of the newest
   version of it. The second waits for the first to commit or roll back, then asks again.
3. The count of rows that have enough must equal the count of SKUs wanted, else the statement
   changes none; the loser's reservation rows go with the refusal.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import sql
from tongzhou.catalog.models import (
    MALL,
    RESERVATION_MOVES,
    MovementKind,
    Reservation,
    ReservationStatus,
    Sku,
    Stock,
    StockMovement,
)
from tongzhou.catalog.rules import option_text
from tongzhou.kit import audit, inserts, states
from tongzhou.kit.actor import SYSTEM, Actor
from tongzhou.kit.clock import mall_day
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal, conflict, invalid, not_found

MOST_QUANTITY = 100_000
MOST_ON_HAND = 100_000_000
HELD, COMMITTED, RELEASED = ReservationStatus.HELD, ReservationStatus.COMMITTED, ReservationStatus.RELEASED


def summed(wants: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Each SKU once, in id order: two lines of the same SKU want their sum.

    *Refuses:* ``quantity_invalid``.
    """
    totals: dict[UUID, int] = {}
    for sku_id, quantity in sorted(wants):
        if not 1 <= quantity <= MOST_QUANTITY:
            raise invalid(
                "quantity_invalid", _("数量不对。"), field="quantity", value=quantity, rule=_("1 到 100000 之间的整数")
            )
        totals[sku_id] = totals.get(sku_id, 0) + quantity
    return totals


def reserve(*, order_id: UUID, wants: Sequence[tuple[UUID, int]], expires_at: datetime, at: datetime) -> None:
    """Hold what an order wants until ``expires_at``; the same order again holds nothing twice.

    *Refuses:* ``out_of_stock`` with one error per SKU that lacks (``field`` the SKU's id, ``value``
    what is left), nothing kept; ``quantity_invalid``; ``already_committed`` (the order was paid with
    another quantity).
    """
    totals = summed(wants)
    if not totals:
        return
    with sql.together():
        rows = [
            Reservation(
                id=new_id(), order_id=order_id, sku_id=sku, quantity=qty, status=HELD, expires_at=expires_at, at=at
            )
            for sku, qty in totals.items()
        ]
        fresh = sql.insert_fresh(Reservation, rows, conflict=("order_id", "sku_id"))
        if fresh < len(rows):
            try:
                _reserve_again(order_id, totals, {r.id for r in rows}, expires_at)
            except Refusal:
                Reservation.objects.filter(id__in=[r.id for r in rows]).delete()
                raise
        elif not sql.hold(list(totals.items())):
            Reservation.objects.filter(id__in=[r.id for r in rows]).delete()
            raise out_of_stock(totals)


@transaction.atomic
def _reserve_again(order_id: UUID, totals: Mapping[UUID, int], new: set[UUID], expires_at: datetime) -> None:
    """The order holds some of it already: only the difference is asked of the shelf, so nobody blocks themselves."""
    more: dict[UUID, int] = {}
    less: dict[UUID, int] = {}
    for row in Reservation.objects.select_for_update().filter(order_id=order_id, sku_id__in=totals):
        want = totals[row.sku_id]
        if row.status == COMMITTED:
            if row.quantity != want:
                raise conflict("already_committed", _("这个订单已经付款，不能再改数量。"), field=str(row.sku_id))
            continue
        have = 0 if row.id in new or row.status == RELEASED else row.quantity
        (more if want >= have else less)[row.sku_id] = abs(want - have)
        if want != row.quantity:
            Reservation.objects.filter(id=row.id).update(quantity=want)
    lacking = {sku: qty for sku, qty in more.items() if qty}
    if not sql.hold(list(lacking.items())):
        raise out_of_stock(lacking)
    sql.unhold(list(less.items()))
    states.move(Reservation.objects.filter(order_id=order_id, sku_id__in=totals), HELD, moves=RESERVATION_MOVES)
    Reservation.objects.filter(order_id=order_id, status=HELD).update(expires_at=expires_at)


def release(order_ids: Sequence[UUID], at: datetime) -> list[UUID]:
    """Give back what orders hold and did not pay for; the orders that held something. A repeat gives back nothing."""
    with sql.together():
        rows = list(
            Reservation.objects.select_for_update()
            .filter(order_id__in=order_ids, status=HELD)
            .order_by("id")
            .values_list("id", "order_id", "sku_id", "quantity")
        )
        if not rows:
            return []
        states.move(Reservation.objects.filter(id__in=[r[0] for r in rows]), RELEASED, moves=RESERVATION_MOVES)
        totals: dict[UUID, int] = {}
        for _id, _order, sku, qty in rows:
            totals[sku] = totals.get(sku, 0) + qty
        sql.unhold(list(totals.items()))
        return sorted({r[1] for r in rows})


def commit(order_id: UUID, at: datetime, *, deals: Mapping[UUID, int] | None = None) -> None:
    """What an order holds leaves the shelf, because it was paid; a repeat does nothing.

    A hold that had run out is taken again if there is still enough. ``deals`` = the unit prices
    really paid, by SKU: what reference prices are measured against.

    *Refuses:* ``out_of_stock`` (the hold had run out and somebody else bought it), ``nothing_held``.
    """
    with sql.together():
        taken = sql.commit_holds(order_id)
        if not taken:
            taken = _commit_late(order_id)
            if not taken:
                return
        sql.ship(taken)
        inserts.write(
            StockMovement(sku_id=sku, kind=MovementKind.SOLD, delta=-qty, order_id=order_id, at=at)
            for sku, qty in sorted(taken)
        )
        sql.note_deals(deals or {}, mall_day(at))


def _commit_late(order_id: UUID) -> list[tuple[UUID, int]]:
    rows = list(Reservation.objects.select_for_update().filter(order_id=order_id).order_by("id"))
    if not rows:
        raise conflict("nothing_held", _("这个订单没有占用库存。"), field="order_id", value=order_id)
    lapsed = {r.sku_id: r.quantity for r in rows if r.status == RELEASED}
    if not lapsed:
        return []
    if not sql.hold(list(lapsed.items())):
        raise out_of_stock(lapsed)
    # RELEASED → HELD → COMMITTED, both moves in one statement: nobody sees the step between.
    Reservation.objects.filter(id__in=[r.id for r in rows], status=RELEASED).update(status=COMMITTED)
    return list(lapsed.items())


def release_expired(*, at: datetime, most: int = 200) -> int:
    """Release the holds whose time is over, oldest first, in batches of whole orders; how many orders."""
    done = 0
    while True:
        due = Reservation.objects.filter(status=HELD, expires_at__lte=at).order_by("expires_at", "id")
        orders = sorted(set(due.values_list("order_id", flat=True)[:most]))
        if not orders:
            return done
        done += len(release(orders, at))


def out_of_stock(wants: Mapping[UUID, int]) -> Refusal:
    """The refusal that names each SKU that lacks and what is left of it."""
    room = dict(Stock.objects.filter(sku_id__in=wants, holder=MALL).values_list("sku_id", F("on_hand") - F("reserved")))
    named = _names(list(wants))
    errors = []
    for sku, qty in wants.items():
        left = max(0, room.get(sku, 0))
        if left >= qty:
            continue
        name = named.get(sku, str(sku))
        message = (
            _("“%(name)s”只剩 %(left)s 件，不够 %(want)s 件。") % {"name": name, "left": left, "want": qty}
            if left
            else _("“%(name)s”刚刚卖完了。") % {"name": name}
        )
        errors.append(
            conflict("out_of_stock", message, field=str(sku), value=left, fix=_("减少数量，或者换一个规格。"))
        )
    return Refusal(
        "out_of_stock",
        errors[0].message if errors else _("库存刚刚变了，请再试一次。"),
        kind=Kind.CONFLICT,
        retryable=not errors,
        field="quantity",
        fix=_("减少数量，或者换一个规格。"),
        errors=errors,
    )


def _names(sku_ids: Sequence[UUID]) -> dict[UUID, str]:
    """How people call these SKUs, in the language they read."""
    english = (get_language() or "").startswith("en")
    out = {}
    rows = Sku.objects.filter(id__in=sku_ids).values_list(
        "id", "product__title", "product__title_en", "option_values", "option_values_en"
    )
    for sku_id, title, title_en, values, values_en in rows:
        title, values = (title_en or title, values_en or values) if english else (title, values)
        options = option_text(values)
        out[sku_id] = f"{title} ({options})" if options else title
    return out


@transaction.atomic
def restock(
    *, quantities: Sequence[tuple[UUID, int]], reason: str, at: datetime, by: Actor = SYSTEM,
    order_id: UUID | None = None, kind: MovementKind = MovementKind.RETURNED,
) -> None:  # fmt: skip
    """Goods come onto the shelf: given back by a buyer (RETURNED) or delivered by a supplier (RECEIVED).

    *Refuses:* ``quantity_invalid``, ``sku_not_found``.
    """
    totals = summed(quantities)
    if not sql.put(list(totals.items())):
        raise not_found(_("有商品规格不存在。"), code="sku_not_found")
    StockMovement.objects.bulk_create(
        StockMovement(
            sku_id=sku, kind=kind, delta=qty, order_id=order_id, reason=reason[:120], actor=str(by)[:120], at=at
        )
        for sku, qty in totals.items()
    )


@transaction.atomic
def write_off(*, quantities: Sequence[tuple[UUID, int]], reason: str, at: datetime, by: Actor) -> dict[UUID, int]:
    """Take broken or lost goods off the shelf, as far as nobody holds them; how many went, by SKU.

    *Refuses:* ``quantity_invalid``.
    """
    totals = summed(quantities)
    levels = Stock.objects.select_for_update().filter(sku_id__in=totals, holder=MALL).order_by("sku_id")
    taken = {row.sku_id: min(totals[row.sku_id], row.on_hand - row.reserved) for row in levels}
    gone = {sku: qty for sku, qty in taken.items() if qty > 0}
    sql.put([(sku, -qty) for sku, qty in gone.items()])
    StockMovement.objects.bulk_create(
        StockMovement(
            sku_id=sku, kind=MovementKind.WRITTEN_OFF, delta=-qty, reason=reason[:120], actor=str(by)[:120], at=at
        )
        for sku, qty in gone.items()
    )
    return {sku: taken.get(sku, 0) for sku in totals}


@transaction.atomic
def set_stock(*, levels: Sequence[tuple[UUID, int]], by: Actor, at: datetime, reason: str = "") -> None:
    """Set counted levels.

    *Refuses:* ``level_invalid``, ``below_reserved`` (that many are promised), ``sku_not_found``.
    """
    changed = put_levels(dict(levels), by=by, at=at, reason=reason)
    for sku, (was, now) in changed.items():
        audit.record(by=by, action="stock.counted", subject_kind="sku", subject_id=sku, at=at, was=was, now=now)


def put_levels(levels: Mapping[UUID, int], *, by: Actor, at: datetime, reason: str = "") -> dict[UUID, tuple[int, int]]:
    """Set levels and write their movements; what changed, as (was, now). Shared by the commands that count stock."""
    for sku, level in levels.items():
        if not 0 <= level <= MOST_ON_HAND:
            raise invalid(
                "level_invalid", _("库存数量不对。"), field=str(sku), value=level, rule=_("0 到 1 亿之间的整数")
            )
    rows = {
        r.sku_id: r for r in Stock.objects.select_for_update().filter(sku_id__in=levels, holder=MALL).order_by("sku_id")
    }
    if missing := set(levels) - set(rows):
        raise not_found(_("有商品规格不存在。"), code="sku_not_found") from KeyError(sorted(missing))
    changed = {sku: (rows[sku].on_hand, level) for sku, level in levels.items() if rows[sku].on_hand != level}
    for sku, (_was, now) in changed.items():
        if now < rows[sku].reserved:
            raise conflict(
                "below_reserved",
                _("有 %(reserved)s 件已经被下单占用，库存不能低于这个数。") % {"reserved": rows[sku].reserved},
                field=str(sku), value=now, fix=_("等这些订单付款、取消或过期之后再改。"),
            )  # fmt: skip
    sql.put([(sku, now - was) for sku, (was, now) in changed.items()])
    StockMovement.objects.bulk_create(
        StockMovement(
            sku_id=sku, kind=MovementKind.COUNTED, delta=now - was, reason=reason[:120], actor=str(by)[:120], at=at
        )
        for sku, (was, now) in sorted(changed.items())
    )
    return changed
