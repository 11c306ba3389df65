"""The cast of every story: always the same people, goods and plan.

苏禾 buys, 林小满 shares, 沈岚 and 顾川 operate, 北田粮仓 supplies.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductDraft, SkuDraft
from tongzhou.kit.actor import SYSTEM, Actor, operator
from tongzhou.people import commands as people
from tongzhou.people.commands.addresses import check_address
from tongzhou.people.values import AddressValue
from tongzhou.plans import commands as plans
from tongzhou.suppliers.commands import ensure_supplier

AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
PASSWORD = "sail-together-2026"
PLAN = """
code = "share-10"
name = "分享 10%"
settle_days = 15
lock_days = 30
[attribution]
model = "last_touch"
window_days = 7
[member_price]
discount_bp = 500
[[rewards]]
rate_bp = 1000
[caps]
payout_to_margin_bp = 5000
"""
ADDRESS = AddressValue("苏禾", "13900000672", "330106109", "", "", "", "", "竞舟路 98 号 3 幢 502")


@dataclass(frozen=True)
class Cast:
    """Who and what a story is about."""

    buyer: UUID
    sharer: UUID
    owner: Actor
    finance: Actor
    supplier: UUID
    tea: UUID
    rice: UUID
    address: AddressValue


def assemble(at: datetime = AT) -> Cast:
    """Everybody and everything, through the real commands."""
    owner = people.create_operator(
        phone="13800000001", name="沈岚", password=PASSWORD, roles={"owner"}, by=SYSTEM, at=at
    )
    finance = people.create_operator(
        phone="13800000002", name="顾川", password=PASSWORD, roles={"finance"}, by=SYSTEM, at=at
    )
    sharer = people.register_member(phone="+8613900000003", display_name="林小满", at=at)
    buyer = people.register_member(phone="+8613900000672", display_name="苏禾", at=at)
    supplier = ensure_supplier("beitian", "北田粮仓", "Beitian Granary", at)
    boss = operator(owner, "沈岚")
    plans.import_plan(text=PLAN, by=boss, at=at)
    plans.activate(code="share-10", by=boss, at=at)
    shelf = catalog.create_category(slug="tea", name="茶饮", name_en="Tea", by=boss, at=at)
    tea = product(
        "rougui", "武夷肉桂 岩茶", supplier, shelf, list_price=10000, member=None, cost=5000, stock=10, by=boss, at=at
    )
    rice = product(
        "rice", "五常稻花香 5 kg", supplier, shelf, list_price=6000, member=5000, cost=3000, stock=10, by=boss, at=at
    )
    return Cast(buyer, sharer, boss, operator(finance, "顾川"), supplier, tea, rice, check_address(ADDRESS))


def product(
    slug: str, title: str, supplier: UUID, shelf: UUID, *, list_price: int, member: int | None, cost: int, stock: int,
    by: Actor, at: datetime,
) -> UUID:  # fmt: skip
    """A published product with one SKU; returns the SKU's id."""
    sku = SkuDraft(code=slug.upper(), list_price_minor=list_price, member_price_minor=member, cost_minor=cost)
    saved = catalog.save_product(
        draft=ProductDraft(slug=slug, title=title, title_en=slug, supplier_id=supplier, category_id=shelf, skus=(sku,)),
        by=by,
        at=at,
    )
    catalog.publish(product_ids=[saved.id], by=by, at=at)
    (sku_id,) = goods.sku_ids_of(saved.id)
    catalog.set_stock(levels=[(sku_id, stock)], by=by, at=at)
    return sku_id
