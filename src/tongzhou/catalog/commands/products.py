"""Products and their SKUs: one save for the console's form, the demo and every import."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.commands import checks, shelf, stock
from tongzhou.catalog.commands.publishing import check_publishable
from tongzhou.catalog.models import (
    Category,
    MovementKind,
    PricePoint,
    Product,
    Sku,
    Status,
    Stock,
    StockMovement,
)
from tongzhou.catalog.values import Price, ProductDraft, SavedProduct, SkuDraft
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import owner_of, take
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal, conflict, invalid, not_found
from tongzhou.suppliers import queries as suppliers

_TEXTS = (
    "slug", "title", "title_en", "subtitle", "subtitle_en", "description", "description_en", "brand", "category_id",
    "supplier_id", "stage", "return_policy", "list_price_basis",
)  # fmt: skip
_LISTS = ("option_names", "option_names_en", "tags")
_SKU = ("code", "list_price_minor", "member_price_minor", "cost_minor", "weight_grams", "barcode", "active")


@transaction.atomic
def save_product(
    *, draft: ProductDraft, by: Actor, at: datetime, product_id: UUID | None = None, version: int | None = None
) -> SavedProduct:
    """Make a product as a draft, or bring an existing one to what ``draft`` says; SKUs it no longer names go inactive.

    ``version`` = what the editor had loaded; None takes whatever is there.

    *Refuses:* ``product_invalid`` listing every field; ``category_not_found``, ``supplier_not_found``,
    ``product_not_found``, ``changed_meanwhile``, ``slug_taken``, ``sku_code_taken`` listing each,
    ``below_reserved``; ``not_publishable`` when a published product could no longer be sold.
    """
    draft = checks.tidy(draft)
    checks.check(draft)
    if not Category.objects.filter(id=draft.category_id).exists():
        raise not_found(_("没有这个分类。"), code="category_not_found")
    if draft.supplier_id not in suppliers.by_ids([draft.supplier_id]):
        raise not_found(_("没有这个供应商。"), code="supplier_not_found")
    created = product_id is None
    product_id = _create(draft, at) if product_id is None else _update(product_id, draft, version, at)
    sku_ids = _sync_skus(product_id, draft.skus, created=created, by=by, at=at)
    shelf.refresh([product_id])
    status, now = Product.objects.filter(id=product_id).values_list("status", "version").get()
    if status == Status.PUBLISHED:
        check_publishable([product_id])
    action = "product.created" if created else "product.changed"
    audit.record(
        by=by, action=action, subject_kind="product", subject_id=product_id, at=at, slug=draft.slug, version=now
    )
    return SavedProduct(product_id, draft.slug, now, sku_ids, created)


def _columns(draft: ProductDraft) -> dict[str, object]:
    return {**{n: getattr(draft, n) for n in _TEXTS}, **{n: list(getattr(draft, n)) for n in _LISTS}}


def _claim_slug(slug: str, product_id: UUID, at: datetime) -> None:
    if not take(f"slug:{slug}", at=at, owner_id=product_id) and owner_of(f"slug:{slug}") != product_id:
        raise conflict(
            "slug_taken",
            _("这个网址名已经有商品在用。"),
            field="slug",
            value=slug,
            fix=_("换一个，例如在末尾加上规格。"),
        )


def _create(draft: ProductDraft, at: datetime) -> UUID:
    product_id = new_id()
    _claim_slug(draft.slug, product_id, at)
    Product.objects.bulk_create([Product(id=product_id, created_at=at, changed_at=at, **_columns(draft))])
    return product_id


def _update(product_id: UUID, draft: ProductDraft, version: int | None, at: datetime) -> UUID:
    rows = Product.objects.filter(id=product_id)
    if not rows.exists():
        raise not_found(_("没有这个商品。"), code="product_not_found")
    _claim_slug(draft.slug, product_id, at)
    if version is not None:
        rows = rows.filter(version=version)
    if not rows.update(version=F("version") + 1, changed_at=at, **_columns(draft)):
        raise conflict(
            "changed_meanwhile", _("你打开之后，别人已经改过这个商品。"), field="version", value=version,
            fix=_("重新打开，再改一次。"),
        )  # fmt: skip
    return product_id


def _sync_skus(
    product_id: UUID, drafts: Sequence[SkuDraft], *, created: bool, by: Actor, at: datetime
) -> dict[str, UUID]:
    have = {} if created else {s.id: s for s in Sku.objects.filter(product_id=product_id).order_by("id")}
    by_code = {s.code: s for s in have.values()}
    named = {draft.id for draft in drafts if draft.id}
    _check_left_out(drafts, have, by_code)
    new: list[Sku] = []
    changed: list[Sku] = []
    points: list[Sku] = []
    codes: dict[str, UUID] = {}
    for position, draft in enumerate(drafts):
        row = have[draft.id] if draft.id else by_code.get(draft.code)
        if row and not draft.id and row.id in named:  # that SKU takes another code in the same save
            row = None
        fresh = row is None
        row = row or Sku(id=new_id(), product_id=product_id)
        before = (row.list_price_minor, row.member_price_minor)
        for name in _SKU:
            setattr(row, name, getattr(draft, name))
        row.position, row.option_values = position, list(draft.option_values)
        row.option_values_en = list(draft.option_values_en)
        (new if fresh else changed).append(row)
        if fresh or before != (row.list_price_minor, row.member_price_minor):
            points.append(row)
        codes[row.code] = row.id
    _claim_codes(product_id, [row.code for row in [*new, *changed] if by_code.get(row.code) is not row], at)
    if have:
        _write_known(product_id, changed)
    Sku.objects.bulk_create(new)
    write_price_points(points, by=by, at=at)
    _write_stock({codes[d.code]: d.on_hand for d in drafts}, {row.id for row in new}, by=by, at=at)
    return codes


def _check_left_out(drafts: Sequence[SkuDraft], have: Mapping[UUID, Sku], by_code: Mapping[str, Sku]) -> None:
    """*Refuses:* ``sku_not_found``; ``sku_code_taken`` for a code that an SKU of this product, left out of the
    draft, still bears: old orders show it, so it is not given to another."""
    named = {draft.id for draft in drafts if draft.id}
    for i, draft in enumerate(drafts):
        if draft.id and draft.id not in have:
            raise not_found(_("没有这个规格。"), code="sku_not_found")
        bearer = by_code.get(draft.code)
        if draft.id and bearer and bearer.id != draft.id and bearer.id not in named:
            raise conflict(
                "sku_code_taken", _("这个编码属于一个停用的规格。"), field=f"skus[{i}].code", value=draft.code,
                fix=_("换一个编码，或者重新启用那个规格。"),
            )  # fmt: skip


def _claim_codes(product_id: UUID, codes: Sequence[str], at: datetime) -> None:
    """*Refuses:* ``sku_code_taken`` naming each code that another product has, or once had."""
    errors = [
        conflict(
            "sku_code_taken", _("这个 SKU 编码已经有别的商品在用。"), field="code", value=code,
            fix=_("换一个编码；编码在整个商城里不能重复。"),
        )
        for code in sorted(codes)
        if not take(f"sku:{code}", at=at, owner_id=product_id) and owner_of(f"sku:{code}") != product_id
    ]  # fmt: skip
    if errors:
        raise Refusal(
            "sku_code_taken", errors[0].message, kind=Kind.CONFLICT, field="code", value=errors[0].value, errors=errors
        )


def _write_known(product_id: UUID, changed: list[Sku]) -> None:
    kept = [row.id for row in changed]
    Sku.objects.filter(product_id=product_id, active=True).exclude(id__in=kept).update(active=False)
    # Codes may be swapped between two SKUs: park them first, so that the unique index never sees both at once.
    moved = {row.id: row.code for row in changed}
    now = dict(Sku.objects.filter(id__in=kept).values_list("id", "code"))
    for sku_id, code in moved.items():
        if now[sku_id] != code:
            Sku.objects.filter(id=sku_id).update(code=f"~{sku_id}")
    Sku.objects.bulk_update(changed, [*_SKU, "position", "option_values", "option_values_en"], batch_size=100)


def write_price_points(rows: Sequence[Sku], *, by: Actor, at: datetime) -> None:
    """One row of history per SKU whose prices are new."""
    PricePoint.objects.bulk_create(
        PricePoint(
            sku_id=r.id, list_price_minor=r.list_price_minor, member_price_minor=r.member_price_minor,
            by=str(by)[:120], at=at,
        )
        for r in rows
    )  # fmt: skip


def _write_stock(levels: Mapping[UUID, int | None], new: set[UUID], *, by: Actor, at: datetime) -> None:
    first = [(sku, level or 0) for sku, level in levels.items() if sku in new]
    Stock.objects.bulk_create(Stock(sku_id=sku, on_hand=level) for sku, level in first)
    StockMovement.objects.bulk_create(
        StockMovement(sku_id=sku, kind=MovementKind.RECEIVED, delta=level, actor=str(by)[:120], at=at)
        for sku, level in first
        if level
    )
    counted = {sku: level for sku, level in levels.items() if level is not None and sku not in new}
    if counted:
        stock.put_levels(counted, by=by, at=at)


@transaction.atomic
def set_prices(*, prices: Mapping[UUID, Price], by: Actor, at: datetime) -> int:
    """Set list, member and cost prices of SKUs; how many changed. Each change leaves a row of price history.

    *Refuses:* ``prices_invalid`` listing each SKU, ``sku_not_found``, ``not_publishable``.
    """
    errors = [e for sku_id, price in prices.items() for e in checks.prices(price, str(sku_id))]
    if errors:
        raise Refusal("prices_invalid", _("有价格需要改正。"), field="prices", errors=errors)
    rows = list(Sku.objects.select_for_update().filter(id__in=prices).order_by("id"))
    if len(rows) < len(prices):
        raise not_found(_("有商品规格不存在。"), code="sku_not_found")
    changed: list[Sku] = []
    points: list[Sku] = []
    for row in rows:
        want = prices[row.id]
        was = Price(row.list_price_minor, row.member_price_minor, row.cost_minor)
        if want == was:
            continue
        row.list_price_minor, row.member_price_minor = want.list_price_minor, want.member_price_minor
        row.cost_minor = want.cost_minor
        changed.append(row)
        if (was.list_price_minor, was.member_price_minor) != (want.list_price_minor, want.member_price_minor):
            points.append(row)
        audit.record(
            by=by, action="price.changed", subject_kind="sku", subject_id=row.id, at=at,
            was=[was.list_price_minor, was.member_price_minor, was.cost_minor],
            now=[want.list_price_minor, want.member_price_minor, want.cost_minor],
        )  # fmt: skip
    if not changed:
        return 0
    Sku.objects.bulk_update(changed, ["list_price_minor", "member_price_minor", "cost_minor"], batch_size=200)
    write_price_points(points, by=by, at=at)
    touched = {row.product_id for row in changed}
    Product.objects.filter(id__in=touched).update(version=F("version") + 1, changed_at=at)
    shelf.refresh(touched)
    check_publishable(
        list(Product.objects.filter(id__in=touched, status=Status.PUBLISHED).values_list("id", flat=True))
    )
    return len(changed)


@transaction.atomic
def discount_category(*, category_ids: Sequence[UUID], off_bp: int, by: Actor, at: datetime) -> int:
    """Give every active SKU of categories a member price ``off_bp`` below its list price; how many changed.

    *Refuses:* ``rate_invalid``.
    """
    if not 0 <= off_bp < 10_000:
        raise invalid("rate_invalid", _("折扣不对。"), field="off_bp", value=off_bp, rule=_("0 到 9999 个基点"))
    rows = Sku.objects.filter(product__category_id__in=category_ids, active=True)
    prices = {
        r.id: Price(r.list_price_minor, r.list_price_minor - r.list_price_minor * off_bp // 10_000, r.cost_minor)
        for r in rows
    }
    return set_prices(prices=prices, by=by, at=at)
