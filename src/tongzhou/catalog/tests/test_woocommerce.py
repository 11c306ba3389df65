"""WooCommerce's export: what it says becomes goods, what cannot be sold here is told by line, column and reason."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongzhou.catalog import commands, queries
from tongzhou.catalog.models import Product, Sku
from tongzhou.catalog.tests.making import AT, BY

pytestmark = pytest.mark.django_db
DATA = Path(os.environ.get("TONGZHOU_SHARED_DATA", Path(__file__).parents[5] / "shared" / "data"))
COLUMNS = [
    "ID", "Type", "SKU", "Name", "Published", "Visibility in catalog", "Short description", "Description",
    "Date sale price starts", "Date sale price ends", "In stock?", "Stock", "Backorders allowed?", "Weight (kg)", "Sale price",
    "Regular price", "Categories", "Tags", "Images", "Parent", "Grouped products", "External URL", "Position",
    "Attribute 1 name", "Attribute 1 value(s)", "Attribute 2 name", "Attribute 2 value(s)",
]  # fmt: skip
CUP = {
    "ID": "1", "Type": "simple", "SKU": "cup", "Name": "Cup", "Short description": "<p>One\\nhand</p>", "Stock": "3",
    "Description": "<p onclick=x>Blown</p>\\n<p>Glass</p>", "Weight (kg)": "0.25", "Sale price": "18", "Regular price": "20",
    "Categories": "Kitchen > Cups, Gifts", "Tags": "glass, gift", "In stock?": "1",
    "Images": "https://example.com/a,b.jpg, https://example.com/c.jpg",
}  # fmt: skip
TEE = {
    "ID": "2", "Type": "variable", "SKU": "tee", "Name": "Tee", "Attribute 1 name": "Color",
    "Attribute 1 value(s)": "Blue, Red", "Attribute 2 name": "Size", "Attribute 2 value(s)": "L, M",
}  # fmt: skip
RED = {
    "ID": "3", "Type": "variation", "SKU": "tee-red", "Name": "Tee - Red", "Parent": "tee", "Position": "2", "Stock": "1",
    "Regular price": "25", "Attribute 1 name": "Color", "Attribute 1 value(s)": "Red",
}  # fmt: skip
BLUE = {**RED, "ID": "4", "SKU": "tee-blue", "Position": "1", "Attribute 1 value(s)": "Blue"}


@pytest.fixture
def take(tmp_path):
    def run(*rows, **more):
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path / "woo.csv"
        path.write_text(out.getvalue(), encoding="utf-8-sig")
        return commands.import_products(path, "woocommerce", "woo", by=BY, at=AT, **more)

    return run


def told(notes):
    return {(n.line, n.column, n.code) for n in notes}


def test_a_simple_product(take):
    summary = take(CUP)
    assert (summary.created, summary.refused) == (1, 0)
    draft = queries.console_product(Product.objects.get().id).draft
    assert (draft.title, draft.subtitle, draft.tags) == ("Cup", "One hand", ("glass", "gift"))
    assert "onclick" not in draft.description and "Glass" in draft.description and "\\n" not in draft.description
    (sku,) = draft.skus
    assert (sku.code, sku.list_price_minor, sku.member_price_minor, sku.weight_grams) == ("cup", 2000, 1800, 250)
    assert queries.levels([Sku.objects.get().id])[Sku.objects.get().id].on_hand == 3
    assert queries.category_by_id(draft.category_id).name == "Cups"
    assert told(summary.notes) == {(2, "Sale price", "sale_as_member_price"), (2, "Categories", "one_category")}


def test_variations_find_their_product_wherever_they_stand(take):
    summary = take(RED, TEE, BLUE)
    assert (summary.created, summary.refused, summary.skus) == (1, 0, 2)
    draft = queries.console_product(Product.objects.get().id).draft
    assert draft.option_names == ("Color",), "no variation says a size, so it is no option"
    assert [(s.code, s.option_values) for s in draft.skus] == [("tee-blue", ("Blue",)), ("tee-red", ("Red",))]
    assert told(summary.notes) == {(3, "Attribute 2 name", "option_any")}


@pytest.mark.parametrize(
    ("kind", "code"),
    [("simple, downloadable, virtual", "download_not_sold"), ("simple, virtual", "virtual_not_sold"),
     ("external", "external_not_sold"), ("grouped", "group_not_sold"), ("subscription", "type_unknown"), ("", "type_unknown")],
)  # fmt: skip
def test_what_cannot_be_sold_here_is_told_and_the_rest_goes_on(take, kind, code):
    summary = take({**CUP, "Type": kind}, {**CUP, "SKU": "other", "Name": "Other"})
    assert told(summary.refusals) == {(2, "Type", code)} and summary.created == 1


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([TEE], (2, "Type", "no_variants")),
        ([RED], (2, "Parent", "parent_missing")),
        ([TEE, RED, {**BLUE, "Attribute 1 value(s)": ""}], (4, "Attribute 1 value(s)", "option_missing")),
        ([TEE, RED, {**RED, "SKU": "again"}], (4, "Attribute 1 value(s)", "duplicate_variant")),
        ([TEE, BLUE, {**RED, "SKU": "tee-blue"}], (4, "SKU", "sku_code_taken")),
        ([CUP, CUP], (3, "SKU", "sku_code_taken")),
        ([{**CUP, "Regular price": "dear"}], (2, "Regular price", "price_invalid")),
        ([{**CUP, "Stock": "1.5"}], (2, "Stock", "quantity_invalid")),
        ([{**CUP, "SKU": "", "Name": ""}, CUP], (2, "Name", "title_missing")),
    ],
)
def test_rows_that_cannot_be_taken(take, rows, where):
    summary = take(*rows)
    assert where in told(summary.refusals)


def test_what_is_taken_with_a_change_is_told(take):
    summary = take(
        {**CUP, "Date sale price starts": "2026-01-01", "Stock": "", "Backorders allowed?": "1", "Weight (kg)": "heavy",
         "Visibility in catalog": "hidden", "Images": "ftp://x/y"}
    )  # fmt: skip
    codes = {n.code for n in summary.notes}
    assert codes == {
        "sale_not_taken", "stock_unknown", "no_backorders", "weight_invalid", "hidden_there", "picture_invalid", "one_category"
    }  # fmt: skip
    assert Sku.objects.get().member_price_minor is None


def test_the_same_again_changes_nothing_and_a_dry_run_writes_nothing(take):
    assert take(CUP, TEE, RED, dry_run=True).created == 2 and not Product.objects.exists()
    assert take(CUP, TEE, RED).created == 2
    again = take(CUP, TEE, RED)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


def test_two_products_of_one_name_have_addresses_of_their_own(take):
    assert take(CUP, {**CUP, "SKU": "cup-2"}).created == 2
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["cup", "cup-cup-2"]


def test_the_real_export():
    path = DATA / "woocommerce" / "sample_products.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here (set TONGZHOU_SHARED_DATA)")
    summary = commands.import_products(path, "woocommerce", "classic", by=BY, at=AT)
    refused = [n.code for n in summary.refusals]
    assert sorted(refused) == ["download_not_sold", "download_not_sold", "external_not_sold", "group_not_sold"]
    assert summary.created == 11 and summary.skus == 18
    hoodie = queries.console_product(Product.objects.get(title="Hoodie").id).draft
    assert hoodie.option_names == ("Color", "Logo") and len(hoodie.skus) == 6
    again = commands.import_products(path, "woocommerce", "classic", by=BY, at=AT)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 11)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=12), max_size=9), max_size=5))
def test_any_rows_are_answered_and_never_half_a_product(tmp_path_factory, rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows({**row, "Type": row.get("Type", "simple")} for row in rows)
    path = tmp_path_factory.mktemp("woo") / "any.csv"
    path.write_text(out.getvalue(), encoding="utf-8", errors="replace")
    commands.import_products(path, "woocommerce", "woo", by=BY, at=AT)
    assert not Product.objects.exclude(id__in=Sku.objects.values("product_id")).exists()


def test_a_nul_in_any_cell_is_taken_out_and_told(take):
    summary = take({**CUP, "SKU": "", "ID": "1\x00", "Name": "Cup\x00"}, {**RED, "Parent": "x\x00"})
    assert summary.created == 1 and Product.objects.get().title == "Cup"
    assert {(2, "nul_removed"), (3, "nul_removed")} <= {(n.line, n.code) for n in summary.notes}
