"""What an operator does: ships, answers, prices, imports; every refusal names field, value, rule and fix."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tongzhou.catalog import queries as goods
from tongzhou.console import productform
from tongzhou.console.tests.desk import open_desk, sign_in
from tongzhou.kit import audit, clock
from tongzhou.orders import queries as orders
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return open_desk()


@pytest.fixture
def owner(desk):
    return sign_in("owner")


def fields(html, form="product"):
    """What a browser would send of a form: inputs, ticked boxes, selects, text areas."""
    part = re.search(rf'(?s)<form[^>]*id="{form}".*?</form>', html)[0]
    out = {}
    for tag in re.findall(r"<input[^>]*>", part):
        name = re.search(r'name="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            out[name[1]] = (re.search(r'value="([^"]*)"', tag) or ["", "on"])[1]
    for name, body in re.findall(r'(?s)<select[^>]*name="([^"]*)".*?>(.*?)</select>', part):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        out[name] = chosen[1] if chosen else ""
    for name, body in re.findall(r'(?s)<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', part):
        out[name] = body
    return {k: v.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">") for k, v in out.items()}


class TestOrders:
    """From the list to the parcel."""

    def test_the_list_is_filtered_by_its_address(self, desk, owner):
        assert desk.paid in owner.get("/console/orders").content.decode()
        assert desk.received not in owner.get("/console/orders").content.decode()
        everything = owner.get("/console/orders?view=all").content.decode()
        assert desk.paid in everything and desk.received in everything
        assert "138****" not in everything and "13900000672" not in everything, "phones are masked"
        assert desk.paid in owner.get("/console/orders?q=13900000672").content.decode()
        assert desk.paid in owner.get(f"/console/orders?view=all&sharer={desk.cast.sharer}").content.decode()
        assert desk.paid not in owner.get("/console/orders?view=all&to=2020-01-01").content.decode()
        assert owner.get("/console/orders?from=yesterday").status_code == 422
        assert owner.get("/console/orders?before=x").status_code == 422

    def test_one_order_shows_its_money_and_why(self, desk, owner):
        html = owner.get(f"/console/orders/{desk.received}").content.decode().replace("<wbr>", "")
        for said in ("gateway.sandbox", "deposit.orders", "revenue.goods", "payable.supplier", "reward.expected", "林小满",
                     "share-10 v1", "最后一次分享"):  # fmt: skip
            assert said in html, said
        assert owner.get("/console/orders/TZ0").status_code == 404

    def test_a_parcel_is_refused_at_its_field_and_what_was_typed_stays(self, desk, owner):
        answer = owner.post(f"/console/orders/{desk.paid}", {"act": "ship", "carrier": "飞毯", "tracking_no": "YD-1 2"})
        html = answer.content.decode()
        assert answer.status_code == 422 and 'value="飞毯"' in html and 'value="YD-1 2"' in html
        assert 'href="#f-carrier"' in html and 'aria-describedby="e-carrier"' in html
        answer = owner.post(f"/console/orders/{desk.paid}", {"act": "ship", "carrier": "韵达", "tracking_no": "x"})
        assert answer.status_code == 422 and 'aria-describedby="e-tracking_no"' in answer.content.decode()
        assert owner.post(f"/console/orders/{desk.paid}", {"act": "cancel", "reason": ""}).status_code == 422
        assert orders.order(desk.paid).status == "PAID"
        done = owner.post(
            f"/console/orders/{desk.paid}", {"act": "ship", "carrier": "韵达", "tracking_no": "yd2026001"}
        )
        assert done.status_code == 302 and orders.order(desk.paid).status == "SHIPPED"
        assert owner.post(f"/console/orders/{desk.paid}", {"act": "deliver"}).status_code == 302
        assert orders.order(desk.paid).status == "COMPLETED"

    def test_a_sheet_of_parcels_is_looked_at_before_it_goes(self, desk, owner):
        sheet = f"订单号,快递,运单号\n{desk.paid},韵达快递,YD2026001\n{desk.received}，yunda，YD2026002\nTZ1,yunda,YD2026003\n{desk.paid},yunda,YD2026004\n{desk.paid},,\n"
        answer = owner.post("/console/orders/ship", {"sheet": sheet})
        html = answer.content.decode()
        assert answer.status_code == 200 and orders.order(desk.paid).status == "PAID", "a preview changes nothing"
        assert html.count('data-k="行"') == 4 and "没有这个订单。" in html and "在上面已经有一行" in html
        done = owner.post("/console/orders/ship", {"sheet": sheet, "go": "1"}).content.decode()
        assert orders.order(desk.paid).status == "SHIPPED" and "YD2026001" in done
        again = owner.post("/console/orders/ship", {"sheet": sheet, "go": "1"}).content.decode()
        assert "没有要发的商品" in again
        upload = SimpleUploadedFile("p.csv", sheet.encode("utf-8-sig"), "text/csv")
        assert owner.post("/console/orders/ship", {"file": upload, "go": "1"}).status_code == 200, (
            "a file is looked at first"
        )
        for bad in ("", "  \n ,, \n", "a,b,c\n" * 501):
            assert owner.post("/console/orders/ship", {"sheet": bad}).status_code == 422


class TestCases:
    """Evidence of the money before the click."""

    def test_what_will_happen_is_what_happens(self, desk, owner):
        html = owner.get(f"/console/cases/{desk.case}").content.decode()
        line = next(
            x
            for x in orders.lines_of([orders.order(desk.received).id])[orders.order(desk.received).id]
            if x.sku_id == desk.cast.tea
        )
        (told,) = rewards.if_refunded({line.id: line.amount_minor})
        assert f"¥{told.back_minor / 100:.2f}" in html and "林小满" in html and told.back_minor > 0
        assert owner.post(f"/console/cases/{desk.case}", {"act": "reject", "answer": "不"}).status_code == 422
        assert owner.post(f"/console/cases/{desk.case}", {"act": "dance"}).status_code == 422
        assert owner.post(f"/console/cases/{desk.case}", {"act": "approve", "answer": "好"}).status_code == 302
        assert owner.post(f"/console/cases/{desk.case}", {"act": "sound"}).status_code == 302
        from tests.test_story import drain

        drain(clock.now() + timedelta(seconds=1))
        (now,) = [r for r in rewards.of_orders([line.order_id]) if r.line_id == line.id]
        assert now.reversed_minor == told.back_minor
        assert owner.post(f"/console/cases/{desk.case}", {"act": "sound"}).status_code == 409, "once is enough"


class TestProducts:
    """The form, its faults, files in and out."""

    def test_the_form_sent_back_untouched_changes_nothing(self, desk, owner):
        page = owner.get(f"/console/products/{desk.product}")
        before = goods.console_product(desk.product)
        done = owner.post(f"/console/products/{desk.product}", {**fields(page.content.decode()), "save": "1"})
        after = goods.console_product(desk.product)
        assert done.status_code == 302 and after.draft == before.draft and after.skus == before.skus

    def test_every_fault_is_listed_first_and_at_its_field_and_nothing_typed_is_lost(self, desk, owner):
        path = f"/console/products/{desk.product}"
        said = fields(owner.get(path).content.decode())
        bad = {
            **said,
            "title": "",
            "slug": "Not A Slug",
            "sku-0-list": "twelve",
            "sku-0-cost": "-1",
            "sku-0-stock": "1.5",
        }
        answer = owner.post(path, {**bad, "save": "1"})
        html = answer.content.decode()
        assert answer.status_code == 422 and 'value="twelve"' in html and 'value="1.5"' in html
        for anchor in ("skus-0-list_price_minor", "skus-0-cost_minor", "skus-0-on_hand"):
            assert f'href="#f-{anchor}"' in html and f'id="e-{anchor}"' in html, anchor
        answer = owner.post(path, {**said, "title": "", "slug": "Not A Slug", "sku-0-member": "999.00", "save": "1"})
        html = answer.content.decode()
        for anchor in ("title", "slug", "skus-0-member_price_minor"):
            assert f'href="#f-{anchor}"' in html and f'id="e-{anchor}"' in html, anchor
        assert "is-changed" in html and "savebar--dirty" in html and goods.console_product(desk.product).draft.title

    def test_two_editors_and_a_sale_in_between(self, desk, owner):
        path = f"/console/products/{desk.product}"
        mine = fields(owner.get(path).content.decode())
        other = {**mine, "title": "别人改的", "save": "1"}
        assert sign_in("operator").post(path, other).status_code == 302
        late = owner.post(path, {**mine, "title": "我改的", "save": "1"})
        assert late.status_code == 409 and "我改的" in late.content.decode() and "别人" in late.content.decode()
        fresh = fields(owner.get(path).content.decode())
        level = goods.levels([desk.cast.tea])[desk.cast.tea].on_hand
        stale = {**fresh, "sku-0-was": str(level + 2), "sku-0-stock": str(level + 5), "save": "1"}
        moved = owner.post(path, stale)
        assert moved.status_code == 409 and 'id="e-skus-0-on_hand"' in moved.content.decode()
        assert goods.levels([desk.cast.tea])[desk.cast.tea].on_hand == level

    def test_options_grow_into_rows_and_a_product_is_made_and_published(self, desk, owner):
        shelf, supplier = goods.category("tea").id, desk.cast.supplier
        base = {"title": "试饮", "title_en": "Taster", "slug": "taster", "category": str(shelf), "supplier": str(supplier),
                "return_policy": "seven_days", "axis-0-name": "包装", "axis-0-name_en": "Pack", "axis-0-values": "罐装、袋装",
                "axis-0-values_en": "Tin, 100 g | Bag", "sku-0-code": "T", "sku-0-list": "20.00", "sku-0-stock": "3"}  # fmt: skip
        grown = owner.post("/console/products/new", {**base, "grow": "1"})
        said = fields(grown.content.decode())
        assert grown.status_code == 200 and said["sku-0-values"] == "罐装" and said["sku-1-values_en"] == "Bag"
        done = owner.post("/console/products/new", {**said, "sku-1-list": "", "save": "1"})
        assert done.status_code == 422 and 'id="e-skus-1-list_price_minor"' in done.content.decode()
        done = owner.post("/console/products/new", {**said, "sku-0-stock": "3", "publish": "1"})
        assert done.status_code == 302, done.content.decode()[:3000]
        page = goods.console_product(done["Location"].rsplit("/", 1)[1])
        assert page.status == "PUBLISHED" and [s.option_values_en for s in page.skus] == [("Tin, 100 g",), ("Bag",)]
        assert productform.split(productform.of(page).axes[0].values_en) == ["Tin, 100 g", "Bag"]
        same = owner.post("/console/products/new", {**said, "save": "1"})
        assert same.status_code == 409 and "taster" in same.content.decode()

    @pytest.mark.parametrize("odd", ["²", "9" * 5000])
    def test_a_number_that_is_none_is_refused_or_ignored_never_a_crash(self, desk, owner, odd):
        path = f"/console/products/{desk.product}"
        said = fields(owner.get(path).content.decode())
        answer = owner.post(path, {**said, "version": odd, "sku-0-reserved": odd, "save": "1"})
        assert answer.status_code in (302, 409, 422)

    def test_a_publish_that_is_refused_saves_nothing(self, desk, owner):
        path = f"/console/products/{desk.product}"
        owner.post(f"{path}/status", {"act": "unpublish"})
        said = fields(owner.get(path).content.decode())
        answer = owner.post(path, {**said, "title": "零元", "sku-0-list": "0", "sku-0-member": "", "publish": "1"})
        assert answer.status_code == 409 and goods.console_product(desk.product).draft.title != "零元"

    def test_bulk_moves_and_views(self, desk, owner):
        both = [str(desk.product)]
        assert owner.post("/console/products", {"act": "unpublish", "id": both}).status_code == 302
        assert str(desk.product) in owner.get("/console/products?view=draft").content.decode()
        assert owner.post("/console/products", {"act": "publish", "id": []}).status_code == 422
        assert owner.post("/console/products", {"act": "explode", "id": both}).status_code == 422
        assert owner.post("/console/products", {"act": "publish", "id": ["x"]}).status_code == 422
        assert owner.post("/console/products", {"act": "publish", "id": both}).status_code == 302
        assert "肉桂" in owner.get("/console/products?q=肉桂").content.decode()
        assert owner.get("/console/products?after=nonsense").status_code == 422

    def test_a_file_is_tried_first_then_taken(self, desk, owner):
        head = "slug,title,sku,list_price,on_hand\n"
        rows = head + "new-tea,新茶,NT-1,12.90,5\nbad-tea,坏茶,BT-1,abc,5\n"

        def send(text, **more):
            return owner.post("/console/products/import", {"format": "tongzhou", "supplier": "beitian", **more,
                                                           "file": SimpleUploadedFile("t.csv", text.encode())})  # fmt: skip

        tried = send(rows, dry="1")
        html = tried.content.decode()
        assert tried.status_code == 200 and "abc" in html and "list_price" in html and ">3<" in html
        assert not goods.console_products(query="新茶")[0], "trying writes nothing"
        token = re.search(r'name="token" value="(\w+)"', html)[1]
        taken = owner.post(
            "/console/products/import", {"token": token, "format": "tongzhou", "supplier": "beitian", "go": "1"}
        )
        assert taken.status_code == 200 and goods.console_products(query="新茶")[0][0].status == "DRAFT"
        assert owner.post("/console/products/import", {"format": "tongzhou"}).status_code == 422
        assert (
            owner.post("/console/products/import", {"token": "../../etc", "format": "tongzhou", "go": "1"}).status_code
            == 422
        )
        assert send(rows, format="xlsx").status_code == 422 and send("").status_code == 422
        out = owner.get("/console/products/export")
        assert out["Content-Disposition"].endswith('products.csv"') and "新茶" in out.content.decode("utf-8-sig")

    def test_pictures_come_move_and_go(self, desk, owner):
        from io import BytesIO

        from PIL import Image

        path = f"/console/products/{desk.product}/pictures"
        for colour in ("red", "blue"):
            out = BytesIO()
            Image.new("RGB", (64, 64), colour).save(out, "PNG")
            owner.post(path, {"act": "add", "picture": SimpleUploadedFile("p.png", out.getvalue())})
        first, second = [p.id for p in goods.console_product(desk.product).pictures]
        owner.post(path, {"act": f"up:{second}"})
        assert [p.id for p in goods.console_product(desk.product).pictures] == [second, first]
        owner.post(path, {"act": f"remove:{second}"})
        assert [p.id for p in goods.console_product(desk.product).pictures] == [first]
        said = owner.post(path, {"act": "add", "picture": SimpleUploadedFile("p.png", b"no")}, follow=True)
        assert "不是能用的图片" in said.content.decode()


def test_a_whole_phone_needs_a_reason_and_is_recorded(desk, owner):
    path = f"/console/members/{desk.cast.buyer}"
    assert "13900000672" not in owner.get(path).content.decode()
    assert owner.post(path, {"reason": ""}).status_code == 422
    shown = owner.post(path, {"reason": "核对取件地址"})
    assert "13900000672" in shown.content.decode()
    entry = audit.trail("member", desk.cast.buyer).first()
    assert entry.action == "member.unmask" and entry.detail["reason"] == "核对取件地址"
    assert "13900000672" not in owner.get("/console/audit").content.decode()
