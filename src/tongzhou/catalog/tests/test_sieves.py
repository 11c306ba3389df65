"""What a figure beside a filter says is what choosing it gives, whatever else is chosen."""

from itertools import product as all_of

import pytest

from tongzhou.catalog import commands, queries
from tongzhou.catalog.models import Product
from tongzhou.catalog.tests.making import AT, BY, a_category, a_product, a_supplier
from tongzhou.catalog.values import Sieve
from tongzhou.suppliers.commands import ensure_supplier

pytestmark = pytest.mark.django_db
BP = 500


@pytest.fixture
def shop():
    tea, leaf = a_category(), a_category("leaf", a_category(), "叶茶")
    other = ensure_supplier("beitian", "北田粮仓", "Beitian", AT)
    for i in range(12):
        a_product(
            f"t{i}", title=f"岩茶 {i}", prices=(1_500 * (i + 1), *((90_000,) if i == 7 else ())), stock=i % 3,
            category_id=leaf if i % 2 else tea, brand=("武夷", "", "正山")[i % 3],
            supplier_id=other if i % 4 == 0 else a_supplier(), list_price_basis="门店价" if i in {1, 3, 7} else "",
        )  # fmt: skip
    return tea, leaf, a_supplier(), other


def _found(sieve, way):
    if way == "search":
        return queries.search("岩茶", discount_bp=BP, sieve=sieve, limit=100)
    return queries.cards(discount_bp=BP, sieve=sieve, category_id=a_category(), sort=way, limit=100)


def test_every_figure_is_what_choosing_it_gives(shop):
    tea, leaf, _yan, bei = shop
    axes = {
        "categories": ((), (leaf,), (tea,)), "brands": ((), ("武夷",), ("武夷", "正山")), "suppliers": ((), (bei,)),
        "price_below_minor": (None, 10_000), "in_stock": (False, True), "on_offer": (False, True),
    }  # fmt: skip
    for values in all_of(*axes.values()):
        sieve = Sieve(**dict(zip(axes, values, strict=True)))
        facets = queries.facets("岩茶", discount_bp=BP, sieve=sieve)
        assert facets.looked_at == 12
        found = queries.search("岩茶", discount_bp=BP, sieve=sieve, limit=100)
        assert facets.left == found.count == len(found.items)
        assert not sieve.on_offer or all(c.reference_minor for c in found.items)
        assert not sieve.in_stock or all(c.in_stock for c in found.items)
        ids = [c.id for c in queries.cards(discount_bp=BP, sieve=sieve, category_id=tea, limit=100).items]
        assert sorted(ids) == sorted(c.id for c in found.items), "a shelf and a search sieve alike"


def test_figures_of_each_kind(shop):
    _tea, leaf, _yan, _bei = shop
    facets = queries.facets("岩茶", discount_bp=BP)
    for node, n in facets.categories:
        of_it = [c for c in _found(Sieve(), "search").items if c.category_id == node]
        assert n == len(of_it)
    for field, rows in (("brands", facets.brands), ("suppliers", facets.suppliers)):
        assert rows and all(_found(Sieve(**{field: (key,)}), "search").count == n for key, n in rows)
    for low, below, n in facets.prices:
        assert _found(Sieve(price_from_minor=low, price_below_minor=below), "search").count == n
    assert facets.in_stock == _found(Sieve(in_stock=True), "search").count == 8
    crossed_out = [c for c in _found(Sieve(), "search").items if c.reference_minor]
    assert facets.on_offer == _found(Sieve(on_offer=True), "search").count == len(crossed_out) == 2
    shelf = queries.facets(discount_bp=BP, category_id=leaf)
    assert (shelf.looked_at, shelf.left) == (6, 6)


@pytest.mark.parametrize("sort", ["newest", "price", "-price"])
def test_a_narrowed_shelf_is_paged_without_gap_or_repeat(shop, sort):
    sieve, seen, after = Sieve(in_stock=True), [], ""
    while True:
        page = queries.cards(discount_bp=BP, sieve=sieve, category_id=a_category(), sort=sort, after=after, limit=3)
        seen += [c.id for c in page.items]
        after = page.next_cursor
        if not after:
            break
    assert len(seen) == len(set(seen)) == 8


def test_a_slip_is_understood_with_filters_too_and_not_when_told_exactly():
    a_product("cup", title="盖碗", title_en="Gaiwan", stock=3)
    assert queries.search("gaiwen", discount_bp=0, sieve=Sieve(in_stock=True)).corrected == "gaiwan"
    assert queries.search("gaiwen", discount_bp=0, sieve=Sieve(on_offer=True)).corrected == "gaiwan"
    assert queries.search("gaiwan", discount_bp=0, sieve=Sieve(on_offer=True)).corrected == ""
    exact = queries.search("gaiwen", discount_bp=0, exact=True)
    assert (exact.count, exact.corrected) == (0, "")


def test_suggestions_put_what_is_typed_first_and_shelves_are_named():
    a_product("door", title="木门", title_en="Wooden door")
    a_product("shirt", title="衬衫", title_en="Men shirt")
    a_product("later", title="铁门", title_en="Iron door")
    assert [s.slug for s in queries.suggest("men")] == ["shirt", "later", "door"]
    assert [n.slug for n in queries.named("茶")] == ["tea"]
    assert queries.named("") == [] == queries.named("zzz")
    commands.archive(product_ids=list(Product.objects.values_list("id", flat=True)), by=BY, at=AT)
    queries.forget()
    assert queries.named("茶") == [], "a shelf with nothing on sale is not suggested"
