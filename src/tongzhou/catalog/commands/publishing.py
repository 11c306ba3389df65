"""Putting products up, taking them down."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.events import ProductPublished
from tongzhou.catalog.models import MOVES, Product, Sku, Status
from tongzhou.kit import audit, outbox, states
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import Kind, Refusal, conflict, not_found
from tongzhou.suppliers import queries as suppliers


@transaction.atomic
def publish(*, product_ids: Sequence[UUID], by: Actor, at: datetime) -> int:
    """Put products up for everybody to see and buy, all of them or none; how many moved.

    *Refuses:* ``product_not_found``, ``not_publishable`` naming each product and what it lacks (an active
    SKU, a price above zero, an active supplier).
    """
    rows = _named(product_ids)
    check_publishable(list(rows))
    todo = Product.objects.filter(id__in=rows, status__in=[Status.DRAFT, Status.ARCHIVED])
    fresh = list(todo.values_list("id", flat=True))
    # An archived product comes back through DRAFT, as the table of moves has it.
    states.move(Product.objects.filter(id__in=fresh, status=Status.ARCHIVED), Status.DRAFT, moves=MOVES)
    first = Coalesce("published_at", Value(at), output_field=DateTimeField())
    moved = states.move(
        Product.objects.filter(id__in=fresh), Status.PUBLISHED, moves=MOVES, published_at=first, changed_at=at
    )
    for product_id in fresh:
        audit.record(by=by, action="product.published", subject_kind="product", subject_id=product_id, at=at)
    outbox.publish(*(ProductPublished(i, rows[i], at) for i in fresh), at=at)
    return moved


@transaction.atomic
def unpublish(*, product_ids: Sequence[UUID], by: Actor, at: datetime) -> int:
    """Take products down for work on them; open orders are not touched. *Refuses:* ``product_not_found``."""
    return _down(product_ids, Status.DRAFT, "product.unpublished", by=by, at=at)


@transaction.atomic
def archive(*, product_ids: Sequence[UUID], by: Actor, at: datetime) -> int:
    """Put products away for good; old orders keep their pages. *Refuses:* ``product_not_found``."""
    return _down(product_ids, Status.ARCHIVED, "product.archived", by=by, at=at)


def _down(product_ids: Sequence[UUID], to: Status, action: str, *, by: Actor, at: datetime) -> int:
    rows = _named(product_ids)
    moved = states.move(Product.objects.filter(id__in=rows), to, moves=MOVES, changed_at=at)
    for product_id in rows:
        audit.record(by=by, action=action, subject_kind="product", subject_id=product_id, at=at)
    return moved


def _named(product_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = dict(
        Product.objects.select_for_update().filter(id__in=set(product_ids)).order_by("id").values_list("id", "slug")
    )
    if len(rows) < len(set(product_ids)):
        raise not_found(_("有商品不存在。"), code="product_not_found")
    return rows


def check_publishable(product_ids: Sequence[UUID]) -> None:
    """*Refuses:* ``not_publishable`` naming each product and what it lacks."""
    if not product_ids:
        return
    products = list(Product.objects.filter(id__in=product_ids).values_list("id", "title", "supplier_id").order_by("id"))
    known = suppliers.by_ids({row[2] for row in products})
    prices: dict[UUID, list[int]] = {}
    rows = Sku.objects.filter(product_id__in=product_ids, active=True)
    for product_id, listed, own in rows.values_list("product_id", "list_price_minor", "member_price_minor"):
        prices.setdefault(product_id, []).append(listed if own is None else min(own, listed))
    errors = []
    for product_id, title, supplier_id in products:
        supplier = known.get(supplier_id)
        if not prices.get(product_id):
            lacks, field = _("没有可卖的规格"), "skus"
        elif min(prices[product_id]) <= 0:
            lacks, field = _("有规格的价格是零"), "list_price_minor"
        elif supplier is None or not supplier.active:
            lacks, field = _("供应商已暂停"), "supplier_id"
        else:
            continue
        message = _("“%(title)s”还不能上架：%(lacks)s。") % {"title": title, "lacks": lacks}
        errors.append(conflict("not_publishable", message, field=field, value=product_id))
    if errors:
        raise Refusal("not_publishable", errors[0].message, kind=Kind.CONFLICT, field="products", errors=errors)
