"""Products, SKUs, prices, publishing, categories: what is written, and that a refusal writes nothing."""

from dataclasses import replace
from uuid import UUID

import pytest

from tongzhou.catalog import commands, queries
from tongzhou.catalog.commands import shelf
from tongzhou.catalog.models import Category, Picture, PricePoint, Product, Sku, Stock, StockMovement
from tongzhou.catalog.tests.making import AT, BY, a_category, a_draft, a_product, a_supplier, the_sku
from tongzhou.catalog.values import Price, SkuDraft
from tongzhou.kit.ids import new_id
from tongzhou.kit.models import AuditEntry, Claim
from tongzhou.kit.refusals import Refusal
from tongzhou.suppliers.commands import pause_supplier

pytestmark = pytest.mark.django_db
TABLES = (Product, Sku, Stock, StockMovement, PricePoint, Category, Picture, Claim, AuditEntry)


def everything():
    return [list(t.objects.order_by("pk").values()) for t in TABLES]


def refused(code, call):
    """The call is refused with this code, and no table changed."""
    before = everything()
    with pytest.raises(Refusal) as said:
        call()
    assert everything() == before
    assert code in {said.value.code, *(e.code for e in said.value.errors)}, said.value.as_dict()
    return said.value


def save(draft, **more):
    return commands.save_product(draft=draft, by=BY, at=AT, **more)


def test_a_product_is_made_with_its_skus_stock_prices_and_claims():
    saved = save(a_draft(prices=(7900, 4500), stock=7))
    assert saved.created and list(saved.sku_ids) == ["ROUGUI-0", "ROUGUI-1"]
    product = Product.objects.get()
    assert (product.status, product.list_low, product.list_high, product.list_floor) == ("DRAFT", 4500, 7900, 4500)
    assert set(Stock.objects.values_list("on_hand", flat=True)) == {7} and StockMovement.objects.count() == 2
    assert PricePoint.objects.count() == 2
    assert {"slug:rougui", "sku:ROUGUI-0", "sku:ROUGUI-1"} <= set(Claim.objects.values_list("value", flat=True))


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("slug_invalid", {"slug": "Wu Yi"}),
        ("slug_invalid", {"slug": "../etc"}),
        ("title_missing", {"title": " \x00 "}),
        ("text_too_long", {"title": "茶" * 201}),
        ("choice_invalid", {"stage": "neon"}),
        ("choice_invalid", {"return_policy": "never"}),
        ("options_invalid", {"option_names": ("a", "b", "c", "d")}),
        ("options_invalid", {"option_names": ("包装", "包装")}),
        ("options_invalid", {"skus": ()}),
        ("options_invalid", {"skus": (SkuDraft("A", 1), SkuDraft("B", 2))}),
        ("sku_code_taken", {"skus": (SkuDraft("A", 1), SkuDraft("A", 2, active=False))}),
        ("sku_invalid", {"skus": (SkuDraft("", 1),)}),
        ("price_invalid", {"skus": (SkuDraft("A", -1),)}),
        ("price_invalid", {"skus": (SkuDraft("A", 10**12),)}),
        ("price_invalid", {"skus": (SkuDraft("A", 100, member_price_minor=101),)}),
        ("price_invalid", {"skus": (SkuDraft("A", 100, cost_minor=-5),)}),
        ("level_invalid", {"skus": (SkuDraft("A", 100, on_hand=-5),)}),
        ("tags_invalid", {"tags": tuple(map(str, range(21)))}),
        ("category_not_found", {"category_id": UUID(int=7)}),
        ("supplier_not_found", {"supplier_id": UUID(int=7)}),
    ],
)
def test_a_faulty_product_is_refused_by_field(code, change):
    draft = replace(a_draft(), **change)
    refused(code, lambda: save(draft))


def test_all_faults_are_named_at_once():
    draft = replace(a_draft(), slug="Ü", title="", stage="x")
    refusal = refused("product_invalid", lambda: save(draft))
    assert {e.field for e in refusal.errors} == {"slug", "title", "stage"}


def test_slugs_and_codes_are_taken_once():
    a_product()
    other = a_draft("other")
    refused("slug_taken", lambda: save(replace(other, slug="rougui")))
    stolen = replace(other, skus=(replace(other.skus[0], code="ROUGUI-0"),))
    refused("sku_code_taken", lambda: save(stolen))


def test_an_edit_changes_what_it_says_and_deactivates_what_it_leaves_out():
    saved = a_product(prices=(7900, 4500))
    draft = queries.console_product(saved.id).draft
    again = save(
        replace(draft, title="新名", skus=(replace(draft.skus[0], list_price_minor=8000, on_hand=None),)),
        product_id=saved.id,
        version=saved.version,
    )
    assert not again.created and again.version == saved.version + 1
    assert list(Sku.objects.order_by("code").values_list("list_price_minor", "active")) == [(8000, True), (4500, False)]
    assert PricePoint.objects.count() == 3 and Product.objects.get().list_high == 8000


def test_two_editors_the_second_is_told():
    saved = a_product()
    draft = queries.console_product(saved.id).draft
    save(replace(draft, title="甲"), product_id=saved.id, version=saved.version)
    refused("changed_meanwhile", lambda: save(replace(draft, title="乙"), product_id=saved.id, version=saved.version))
    refused("product_not_found", lambda: save(draft, product_id=new_id()))


def test_codes_can_be_swapped_between_two_skus():
    saved = a_product(prices=(7900, 4500))
    draft = queries.console_product(saved.id).draft
    a, b = draft.skus
    save(replace(draft, skus=(replace(a, code=b.code), replace(b, code=a.code))), product_id=saved.id)
    assert Sku.objects.get(id=a.id).code == b.code and Sku.objects.get(id=b.id).code == a.code
    rest = replace(draft, option_names=(), skus=(replace(a, code="NEW", option_values=()),))
    save(rest, product_id=saved.id)
    # the left-out one still bears its code
    thief = replace(rest, skus=(replace(rest.skus[0], code=a.code),))
    refused("sku_code_taken", lambda: save(thief, product_id=saved.id))
    refused(
        "sku_not_found", lambda: save(replace(rest, skus=(replace(rest.skus[0], id=new_id()),)), product_id=saved.id)
    )


def test_an_old_address_leads_to_the_new_one_and_stays_taken():
    saved = a_product()
    draft = queries.console_product(saved.id).draft
    save(replace(draft, slug="rougui-2026"), product_id=saved.id)
    assert queries.current_slug("rougui") == "rougui-2026" and queries.current_slug("nothing") is None
    other = replace(a_draft("other"), slug="rougui")
    refused("slug_taken", lambda: save(other))
    save(replace(draft, slug="rougui"), product_id=saved.id)  # its own old name it may have back
    assert queries.current_slug("rougui") is None


def test_descriptions_lose_what_could_run():
    nasty = "<p onclick=x>好<script>alert(1)</script><img src=x onerror=y><a href='javascript:z'>茶</a></p>"
    save(a_draft(description=nasty))
    kept = Product.objects.get().description
    assert kept == '<p>好<a rel="nofollow noopener noreferrer">茶</a></p>'


def test_plain_descriptions_become_paragraphs():
    save(a_draft(description="第一段 < 3\n\n第二段"))
    assert Product.objects.get().description == "<p>第一段 &lt; 3</p><p>第二段</p>"


def test_publishing_needs_something_to_sell():
    saved = save(a_draft(prices=(0,)))
    refusal = refused("not_publishable", lambda: commands.publish(product_ids=[saved.id], by=BY, at=AT))
    assert refusal.errors[0].field == "list_price_minor"
    refused("product_not_found", lambda: commands.publish(product_ids=[saved.id, new_id()], by=BY, at=AT))
    commands.set_prices(prices={the_sku(saved): Price(100)}, by=BY, at=AT)
    assert commands.publish(product_ids=[saved.id], by=BY, at=AT) == 1
    assert commands.publish(product_ids=[saved.id], by=BY, at=AT) == 0
    refused("not_publishable", lambda: commands.set_prices(prices={the_sku(saved): Price(0)}, by=BY, at=AT))


def test_a_paused_supplier_publishes_nothing():
    saved = save(a_draft())
    pause_supplier(supplier_id=a_supplier(), by=BY, at=AT)
    refused("not_publishable", lambda: commands.publish(product_ids=[saved.id], by=BY, at=AT))


def test_down_and_up_again():
    saved = a_product()
    first = Product.objects.get().published_at
    assert commands.archive(product_ids=[saved.id], by=BY, at=AT) == 1
    assert commands.unpublish(product_ids=[saved.id], by=BY, at=AT) == 1
    assert commands.unpublish(product_ids=[saved.id], by=BY, at=AT) == 0
    commands.archive(product_ids=[saved.id], by=BY, at=AT)
    assert commands.publish(product_ids=[saved.id], by=BY, at=AT) == 1
    assert Product.objects.get().published_at == first
    refused("product_not_found", lambda: commands.archive(product_ids=[new_id()], by=BY, at=AT))


def test_prices_leave_a_history_only_when_they_change():
    saved = a_product()
    sku = the_sku(saved)
    assert commands.set_prices(prices={sku: Price(7900, 6800, 3000)}, by=BY, at=AT) == 1
    assert commands.set_prices(prices={sku: Price(7900, 6800, 3000)}, by=BY, at=AT) == 0
    assert commands.set_prices(prices={sku: Price(7900, 6800, 2900)}, by=BY, at=AT) == 1
    assert [(p.list_price_minor, p.member_price_minor) for p in queries.price_history(sku)] == [
        (7900, 6800),
        (7900, None),
    ]
    refused("prices_invalid", lambda: commands.set_prices(prices={sku: Price(7900, 7901)}, by=BY, at=AT))
    refused("sku_not_found", lambda: commands.set_prices(prices={sku: Price(1), new_id(): Price(1)}, by=BY, at=AT))


def test_a_category_wide_member_price():
    saved = a_product(prices=(7900, 4501))
    assert commands.discount_category(category_ids=[a_category()], off_bp=500, by=BY, at=AT) == 2
    assert sorted(Sku.objects.values_list("member_price_minor", flat=True)) == [4276, 7505]
    refused("rate_invalid", lambda: commands.discount_category(category_ids=[], off_bp=10_000, by=BY, at=AT))
    assert saved.created


def test_the_kept_card_columns_are_what_a_recount_gives():
    saved = a_product(prices=(7900, 4500))
    commands.set_prices(prices={the_sku(saved): Price(7900, 7000)}, by=BY, at=AT)
    commands.add_picture(product_id=saved.id, drawn="tz/art/goods/tea-tin.svg", by=BY, at=AT)
    before = Product.objects.values().get()
    shelf.refresh([saved.id])
    assert Product.objects.values().get() == before
    assert (before["own_low"], before["list_low"], before["cover"]["path"]) == (7000, 4500, "tz/art/goods/tea-tin.svg")


def test_categories_move_with_what_is_below_and_never_below_themselves():
    tea = a_category()
    black = a_category("black-tea", tea, "红茶")
    keemun = a_category("keemun", black, "祁门")
    drinks = a_category("drinks", None, "饮品")
    move = lambda category, parent: commands.save_category(  # noqa: E731
        category_id=category, name="红茶", parent_id=parent, by=BY, at=AT
    )
    move(black, drinks)
    node = queries.category("keemun")
    assert node and node.path == (keemun, black, drinks)
    assert [n.slug for n in queries.trail(node)] == ["drinks", "black-tea", "keemun"]
    refused("category_loop", lambda: move(black, keemun))
    refused("category_not_found", lambda: move(new_id(), None))
    refused("category_not_found", lambda: move(black, new_id()))
    a_category("spring", keemun, "春茶")
    refused("too_deep", lambda: a_category("early", queries.category("spring").id, "早春"))
    refused("too_deep", lambda: move(drinks, tea))


def test_category_refusals():
    tea = a_category()
    make = lambda **more: commands.create_category(**{"slug": "x", "name": "y", "by": BY, "at": AT, **more})  # noqa: E731
    refused("slug_invalid", lambda: make(slug="X Y"))
    refused("name_invalid", lambda: make(name=""))
    refused("slug_taken", lambda: make(slug="tea"))
    a_product()
    refused("category_in_use", lambda: commands.remove_category(category_id=tea, by=BY, at=AT))
    refused("category_not_found", lambda: commands.remove_category(category_id=new_id(), by=BY, at=AT))
    empty = make(slug="empty")
    commands.remove_category(category_id=empty, by=BY, at=AT)
    assert queries.category("empty") is None


def test_history_makes_archived_products_once():
    items = [("85123A", "WHITE HANGING HEART", 255), ("22423", "", -5), ("85123A", "again", 1)]
    first = commands.ensure_historical_skus(items=items, by=BY, at=AT)
    before = everything()
    assert commands.ensure_historical_skus(items=items, by=BY, at=AT) == first
    assert everything() == before and len(first) == 2
    infos = queries.sku_by_codes(["85123A", "22423"])
    assert not infos["85123A"].sellable and infos["22423"].title == "22423"
    assert set(Product.objects.values_list("status", flat=True)) == {"ARCHIVED"}
