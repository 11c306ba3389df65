"""Product files: every stated rule on small files of our own, the real exports when they are there, and noise."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tongzhou.catalog import commands, queries
from tongzhou.catalog.imports import FORMATS, cells
from tongzhou.catalog.imports.writing import Writer
from tongzhou.catalog.models import (
    Category,
    ImportRowDone,
    ImportRun,
    Picture,
    PricePoint,
    Product,
    Sku,
    Stock,
    StockMovement,
)
from tongzhou.catalog.tests.making import AT, BY, a_category, a_product, a_supplier, the_sku
from tongzhou.catalog.values import Price
from tongzhou.kit.ids import new_id
from tongzhou.kit.models import AuditEntry, Claim
from tongzhou.kit.refusals import Refusal
from tongzhou.suppliers.models import Supplier

pytestmark = pytest.mark.django_db
DATA = Path(os.environ.get("TONGZHOU_SHARED_DATA", Path(__file__).parents[5] / "shared" / "data"))
TABLES = (Product, Sku, Stock, StockMovement, PricePoint, Category, Picture, Claim, AuditEntry, ImportRowDone, Supplier)
COLUMNS = [
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Option1 Name", "Option1 Value", "Option2 Name",
    "Option2 Value", "Variant SKU", "Variant Grams", "Variant Inventory Qty", "Variant Price", "Variant Barcode",
    "Image Src", "Image Position", "Image Alt Text", "Cost per item",
]  # fmt: skip
POT = {
    "Handle": "pot", "Title": "Clay Pot", "Body (HTML)": "<p onclick=x>Blown</p>", "Vendor": "Company 123",
    "Type": "Outdoor", "Tags": "Pot, Plants", "Option1 Name": "Size", "Option1 Value": "Regular",
    "Variant Inventory Qty": "3", "Variant Price": "9.99", "Image Src": "https://example.com/pot.jpg",
}  # fmt: skip
LARGE = {"Handle": "pot", "Option1 Value": "Large", "Variant Inventory Qty": "1", "Variant Price": "15.99"}
LAMP = {
    "Handle": "lamp", "Title": "Lamp", "Option1 Name": "Title", "Option1 Value": "Default Title", "Variant SKU": "'007",
    "Variant Price": "59.9", "Variant Inventory Qty": "2",
}  # fmt: skip


def everything(*without):
    return [list(t.objects.order_by("pk").values()) for t in TABLES if t not in without]


@pytest.fixture
def file(tmp_path):
    def write(*rows, end="\r\n", columns=COLUMNS, encoding="utf-8", name="goods.csv"):
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, restval="", lineterminator=end)
        writer.writeheader()
        writer.writerows(rows)
        path = tmp_path / name
        path.write_bytes(out.getvalue().encode(encoding))
        return path

    return write


def take(path, format="shopify", **more):
    return commands.import_products(path, format, by=BY, at=AT, **more)


def counts(summary):
    return summary.read, summary.created, summary.updated, summary.unchanged, summary.refused


def test_rows_become_products_with_variants_and_arrive_as_drafts(file):
    summary = take(file(POT, LARGE, LAMP))
    assert counts(summary) == (2, 2, 0, 0, 0) and (summary.rows, summary.skus) == (3, 3)
    pot, lamp = Product.objects.order_by("id")
    assert (pot.slug, pot.title, pot.brand, pot.status, pot.tags) == (
        "pot",
        "Clay Pot",
        "Company 123",
        "DRAFT",
        ["Pot", "Plants"],
    )
    assert (
        pot.description == "<p>Blown</p>" and pot.category.name == "Outdoor" and lamp.category.slug == "uncategorised"
    )
    skus = list(Sku.objects.order_by("id").values_list("code", "list_price_minor", "option_values"))
    assert skus == [("pot-regular", 999, ["Regular"]), ("pot-large", 1599, ["Large"]), ("007", 5990, [])]
    assert list(Stock.objects.order_by("sku_id").values_list("on_hand", flat=True)) == [3, 1, 2]
    picture = Picture.objects.get()
    assert (picture.kind, picture.source_url) == ("remote", "https://example.com/pot.jpg")
    page = queries.product_page("pot", 0, drafts=True)
    assert page.pictures[0].src.endswith("placeholder.svg") and page.pictures[0].source_url == picture.source_url
    assert ImportRun.objects.get().finished and Supplier.objects.get().code == "import"


def test_the_same_file_again_changes_nothing_not_even_after_sales_and_edits(file):
    path = file(POT, LARGE, LAMP)
    take(path)
    lamp = Sku.objects.get(code="007")
    commands.set_prices(prices={lamp.id: Price(5990, 5000)}, by=BY, at=AT)
    commands.reserve(order_id=(order := new_id()), wants=[(lamp.id, 1)], expires_at=AT, at=AT)
    commands.commit(order, AT)
    before = everything(AuditEntry)
    assert counts(take(path)) == (2, 0, 0, 2, 0)
    assert everything(AuditEntry) == before


def test_a_changed_file_updates_what_it_says_and_keeps_what_it_does_not(file):
    take(file(POT, LARGE, LAMP))
    lamp = Sku.objects.get(code="007")
    commands.set_prices(prices={lamp.id: Price(5990, 5000)}, by=BY, at=AT)
    commands.reserve(order_id=(order := new_id()), wants=[(lamp.id, 1)], expires_at=AT, at=AT)
    commands.commit(order, AT)
    Product.objects.filter(slug="lamp").update(category_id=a_category())
    summary = take(file({**POT, "Title": "Pot"}, LARGE, {**LAMP, "Variant Price": "60"}))
    assert counts(summary) == (2, 0, 2, 0, 0)
    lamp.refresh_from_db()
    assert (lamp.list_price_minor, lamp.member_price_minor) == (6000, 5000)
    assert Stock.objects.get(sku=lamp).on_hand == 1  # the sale stays sold: the file's own figure did not move
    assert Product.objects.get(slug="lamp").category_id == a_category()
    take(file(POT, LARGE, {**LAMP, "Variant Inventory Qty": "9"}))
    assert Stock.objects.get(sku=lamp).on_hand == 9


def test_a_variant_that_left_the_file_goes_inactive(file):
    take(file(POT, LARGE))
    take(file(POT))
    assert dict(Sku.objects.values_list("code", "active")) == {"pot-regular": True, "pot-large": False}


def test_dry_run_says_the_same_and_writes_nothing(file):
    path = file(POT, {**LARGE, "Variant Price": "x"}, LAMP)
    before = everything()
    dry = take(path, dry_run=True)
    assert everything() == before and not ImportRun.objects.exists() and dry.dry_run
    real = take(path)
    assert {**dry.as_dict(), "dry_run": 0} == {**real.as_dict(), "dry_run": 0} and real.created == 2


def test_an_interrupted_import_goes_on_where_it_was(file, monkeypatch):
    path = file(POT, LARGE, LAMP)
    write = Writer._write

    def dies(self, product, *args):
        if product.key == "lamp":
            raise KeyboardInterrupt
        return write(self, product, *args)

    monkeypatch.setattr(Writer, "_write", dies)
    with pytest.raises(KeyboardInterrupt):
        take(path)
    assert list(Product.objects.values_list("slug", flat=True)) == ["pot"]
    monkeypatch.undo()
    assert counts(take(path)) == (2, 1, 0, 1, 0)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Variant Price", "", "price_invalid"),
        ("Variant Price", "free", "price_invalid"),
        ("Variant Price", "-1", "price_invalid"),
        ("Variant Price", "9,99", "price_invalid"),
        ("Variant Price", "9.999", "price_invalid"),
        ("Variant Price", "1e400", "price_invalid"),
        ("Variant Price", "NaN", "price_invalid"),
        ("Variant Price", "=1+1", "price_invalid"),
        ("Variant Inventory Qty", "many", "quantity_invalid"),
        ("Variant Inventory Qty", "1.5", "quantity_invalid"),
        ("Variant Inventory Qty", "999999999999", "quantity_invalid"),
        ("Option1 Value", "", "option_missing"),
        ("Option1 Value", "Regular", "duplicate_variant"),
        ("Variant SKU", "x" * 65, "sku_invalid"),
        ("Variant SKU", "POT-1", "sku_code_taken"),
    ],
)
def test_a_row_that_cannot_be_taken_is_told_with_line_column_value_and_the_others_go_on(file, column, value, code):
    summary = take(file({**POT, "Variant SKU": "POT-1"}, {**LARGE, column: value}, LAMP))
    (note,) = summary.refusals
    assert (note.line, note.column, note.code, note.value) == (3, column, code, value)
    assert note.reason and note.fix
    assert counts(summary) == (2, 2, 0, 0, 1) and Sku.objects.count() == 2


def test_rows_without_handle_or_title_are_told(file):
    summary = take(file({**POT, "Handle": " "}, {**LAMP, "Title": ""}, LARGE))
    assert [(n.line, n.code) for n in summary.refusals] == [
        (2, "handle_missing"),
        (3, "title_missing"),
        (4, "title_missing"),
    ]
    assert summary.created == 0 and not Product.objects.exists()


def test_a_product_none_of_whose_rows_can_be_taken_is_not_made(file):
    summary = take(file({**LAMP, "Variant Price": "?"}))
    assert counts(summary) == (1, 0, 0, 0, 1) and not Product.objects.exists()


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Variant Inventory Qty", "-4", "negative_stock"),
        ("Variant Grams", "heavy", "weight_invalid"),
        ("Cost per item", "cheap", "cost_invalid"),
        ("Image Src", "javascript:alert(1)", "picture_invalid"),
        ("Title", '=HYPERLINK("https://x")', "formula_neutralised"),
        ("Vendor", "@SUM(1)", "formula_neutralised"),
        ("Title", "x" * 300, "text_cut"),
    ],
)
def test_a_row_taken_with_a_change_is_told(file, column, value, code):
    summary = take(file({**LAMP, column: value}))
    assert [(n.line, n.column, n.code) for n in summary.notes] == [(2, column, code)]
    assert counts(summary) == (1, 1, 0, 0, 0) and Stock.objects.get().on_hand >= 0
    product = Product.objects.get()
    assert not product.title.startswith("=") and not product.brand.startswith("@")


def test_apostrophes_and_harmless_signs(file):
    take(file({**LAMP, "Title": "-20% 清仓", "Variant Barcode": "'00690", "Vendor": "'Ole"}))
    assert Product.objects.values_list("title", "brand").get() == ("-20% 清仓", "Ole")
    assert Sku.objects.values_list("code", "barcode").get() == ("007", "00690")


def test_a_code_of_another_product_is_refused_and_the_rest_taken(file):
    a_product("rougui")
    summary = take(file({**POT, "Variant SKU": "ROUGUI-0"}, LARGE, LAMP))
    assert counts(summary) == (2, 2, 0, 0, 1)
    assert (summary.refusals[0].line, summary.refusals[0].column) == (2, "Variant SKU")
    assert counts(take(file({**POT, "Variant SKU": "ROUGUI-0"}, LARGE, LAMP))) == (2, 0, 0, 2, 1)


def test_two_suppliers_may_sell_under_one_handle(file):
    take(file(LAMP))
    again = {**LAMP, "Variant SKU": "B-1"}
    assert take(file(again), supplier_code="beitian").created == 1
    assert set(Product.objects.values_list("slug", flat=True)) == {"lamp", "lamp-beitian"}
    assert take(file(again), supplier_code="beitian").unchanged == 1


def test_handles_and_options_that_are_not_ascii(file):
    cup = {**POT, "Handle": "盖碗", "Title": "盖碗", "Option1 Value": "白", "Type": "杯壶"}
    assert take(file(cup, {**LARGE, "Handle": "盖碗", "Option1 Value": "青"})).created == 1
    assert Product.objects.get().slug == cells.slug_of("盖碗") and Category.objects.filter(name="杯壶").exists()
    codes = set(Sku.objects.values_list("code", flat=True))
    assert codes == {cells.code_of("盖碗", ("白",)), cells.code_of("盖碗", ("青",))}


def test_files_as_they_come(file, tmp_path):
    body = {**LAMP, "Body (HTML)": "<p>one\ntwo\r\nthree</p>"}
    assert take(file(body, end="\n", encoding="utf-8-sig")).created == 1
    assert take(file(body, end="\r")).unchanged == 1
    assert take(file({**LAMP, "Title": "台灯"}, encoding="gb18030")).updated == 1
    assert take(file({**LAMP, "Title": "台灯"}, encoding="utf-16")).read == 1
    text = file(LAMP).read_text().replace(",", ";")
    (tmp_path / "semi.csv").write_text(text)
    assert take(tmp_path / "semi.csv").read == 1
    mixed = file(POT).read_bytes() + file(LARGE).read_bytes().split(b"\r\n", 1)[1].replace(b"\r\n", b"\n") + b"\r\r\n\n"
    (tmp_path / "mixed.csv").write_bytes(mixed)
    summary = take(tmp_path / "mixed.csv")
    assert (summary.rows, summary.skus, summary.refused) == (2, 2, 0)


@pytest.mark.parametrize(
    ("content", "format", "code"),
    [
        (b"", "shopify", "file_empty"),
        (b"\n\n , \n", "shopify", "file_empty"),
        (b"a,b\n1,2\n", "shopify", "columns_missing"),
        (b"\x81\xff\xfe\x00", "shopify", "encoding_unknown"),
        (b"x", "magento", "format_unknown"),
        (None, "shopify", "file_not_found"),
        (b"Handle,Title,Variant Price\nx,y,1\n", "shopify", "supplier_invalid"),
    ],
)
def test_files_that_cannot_be_read_are_refused_and_leave_nothing(tmp_path, content, format, code):
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_bytes(content)
    before = everything()
    with pytest.raises(Refusal, match=code):
        take(path, format, supplier_code="Not A Code" if code == "supplier_invalid" else "import")
    assert everything() == before and not ImportRun.objects.exists()


def test_progress_is_told_per_product(file):
    told = []
    take(file(POT, LARGE, LAMP), progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 2), (2, 2)]


def test_uploaded_pictures_survive_a_new_file(file):
    take(file(POT))
    pot = Product.objects.get()
    commands.add_picture(product_id=pot.id, drawn="tz/art/goods/pot.svg", by=BY, at=AT)
    take(file({**POT, "Image Src": "https://example.com/new.jpg"}))
    assert set(Picture.objects.values_list("kind", "source_url")) == {
        ("drawn", ""),
        ("remote", "https://example.com/new.jpg"),
    }


@pytest.mark.parametrize(("name", "variants"), [("apparel.csv", 22), ("home-and-garden.csv", 21), ("jewelery.csv", 23)])
def test_the_real_exports(name, variants):
    path = DATA / "shopify" / name
    if not path.exists():
        pytest.skip(f"{path} is not here (set TONGZHOU_SHARED_DATA)")
    summary = take(path)
    assert counts(summary) == (20, 20, 0, 0, 0) and summary.skus == variants == Sku.objects.count()
    assert summary.notes == () and Product.objects.filter(status="DRAFT").count() == 20
    assert Picture.objects.count() == {"apparel.csv": 20, "home-and-garden.csv": 21, "jewelery.csv": 41}[name]
    before = everything(AuditEntry)
    assert counts(take(path)) == (20, 0, 0, 20, 0) and everything(AuditEntry) == before
    ids = list(Product.objects.values_list("id", flat=True))
    assert commands.publish(product_ids=ids, by=BY, at=AT) == 20


def test_what_is_exported_comes_back_the_same(file, tmp_path):
    take(file(POT, LARGE, LAMP))
    black = a_category("black-tea", a_category(), "红茶")
    saved = a_product(
        "keemun", prices=(7900, 4500), category_id=black, title="'祁门, \"红茶\"\n", description="<p>一</p><p>二</p>",
        tags=("a", "b"), stage="sage", list_price_basis="建议零售价", title_en="+Keemun", subtitle="=1+1",
    )  # fmt: skip
    commands.set_prices(prices={the_sku(saved): Price(7900, 6800, 3001)}, by=BY, at=AT)
    commands.add_picture(product_id=saved.id, drawn="tz/art/goods/tea-tin.svg", alt="罐", alt_en="tin", by=BY, at=AT)
    out = tmp_path / "out.csv"
    assert commands.export_products(out) == 3
    first = out.read_bytes()
    assert all(not line.startswith((b"=", b"+", b"@")) for line in first.split(b","))
    kept = [list(t.objects.order_by("pk").values()) for t in (Product, Sku, Stock, Picture, Category)]
    assert counts(take(out, "tongzhou")) == (3, 0, 0, 3, 0)
    assert [list(t.objects.order_by("pk").values()) for t in (Product, Sku, Stock, Picture, Category)] == kept
    _empty()
    assert counts(take(out, "tongzhou")) == (3, 3, 0, 0, 0)
    commands.export_products(out)
    assert sorted(out.read_bytes().splitlines()) == sorted(first.splitlines())
    assert Product.objects.get(slug="keemun").status == "PUBLISHED" and a_supplier()


def _empty():
    for table in (ImportRowDone, Picture, StockMovement, PricePoint, Stock, Sku, Product):
        table.objects.all().delete()
    Category.objects.exclude(parent=None).delete()
    Category.objects.all().delete()
    Claim.objects.all().delete()
    Supplier.objects.all().delete()


def test_a_category_made_for_a_refused_product_is_made_again_for_the_next(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "slug,title,sku,list_price,member_price,category,supplier\n"
        "cup,Cup,C,10,11,ware/cups,jingdezhen\n"
        "pan,Pan,E,10,9,ware/cups,jingdezhen\n"
    )
    assert counts(take(path, "tongzhou")) == (2, 1, 0, 0, 1)
    assert Product.objects.get().category.slug == "cups" and Supplier.objects.filter(code="jingdezhen").exists()


def test_a_faulty_own_file_is_told_by_line_and_column(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "slug,title,sku,list_price,member_price,on_hand,picture\n"
        "tea,Tea,A,10,,3,ftp://x\n"  # taken, picture told
        "tea,,B,ten,,,\n"  # price
        "cup,Cup,C,10,11,,\n"  # member price above list
        ",No,D,1,,,\n"  # no slug
        "pan,Pan,E,1,,-2,\n",  # level
        encoding="utf-8",
    )
    summary = take(path, "tongzhou")
    assert [(n.line, n.column, n.code) for n in summary.refusals] == [
        (3, "list_price", "price_invalid"),
        (4, "member_price", "price_invalid"),
        (5, "slug", "slug_missing"),
        (6, "on_hand", "quantity_invalid"),
    ]
    assert [n.code for n in summary.notes] == ["picture_invalid"] and summary.created == 1


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(FORMATS)),
    st.lists(
        st.dictionaries(
            st.sampled_from(
                [*COLUMNS, "slug", "title", "sku", "list_price", "category", "picture", "status", "on_hand"]
            ),
            st.one_of(
                st.sampled_from(
                    [
                        "",
                        "a",
                        "pot",
                        "9.99",
                        "-1",
                        "PUBLISHED",
                        "=cmd|' /C calc'!A0",
                        "\x00",
                        "'",
                        "💰",
                        "茶/红茶",
                        "x" * 300,
                    ]
                ),
                st.text(max_size=20),
            ),
            max_size=8,
        ),
        max_size=6,
    ),
)
def test_any_rows_are_answered_with_a_summary(tmp_path_factory, format, rows):
    path = tmp_path_factory.mktemp("fuzz") / "f.csv"
    names = [
        *COLUMNS,
        "slug",
        "sku",
        "list_price",
        "category",
        "picture",
        "status",
        "on_hand",
        "Name",
        "Regular price",
        "Parent",
    ]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows([{**({"Handle": "pot", "slug": "pot"} if i % 2 else {}), **r} for i, r in enumerate(rows)])
    path.write_bytes(out.getvalue().encode("utf-8", "replace"))
    summary = take(path, format, dry_run=True)
    assert summary.read >= summary.created and summary.refused == len(summary.refusals)
    assert not Product.objects.exists()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("fuzz") / "f.csv"
    path.write_bytes(b"Handle,Title,Variant Price,Variant SKU\n" + noise)
    try:
        take(path, dry_run=True)
    except Refusal as refusal:
        assert refusal.code in {"encoding_unknown", "file_empty", "columns_missing"}


@given(st.text(max_size=30))
def test_a_cell_never_begins_a_formula_and_a_guarded_one_comes_back(text):
    value, _changed = cells.text(text, most=100)
    assert not cells.is_formula(value)
    assert cells.unguarded(cells.guarded(text)) == text
    assert cells.guarded(text)[:1] not in set("=+-@\t\r|")


@given(st.integers(0, 10**11))
def test_amounts_come_back(minor):
    assert cells.amount(f"{minor // 100}.{minor % 100:02d}", "CNY") == minor
    assert cells.amount(f"{minor // 100:,}.{minor % 100:02d}", "CNY") == minor
