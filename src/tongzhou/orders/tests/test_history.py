"""orders.csv by its stated rules: matched or reported, never invented; twice changes nothing."""

import pytest
from tests.cast import AT, assemble

from tongzhou.ledger import queries as books
from tongzhou.ledger.values import PLATFORM_BOOK
from tongzhou.orders import history
from tongzhou.orders import queries as orders
from tongzhou.orders.models import Order, OrderLine
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.plans import commands as plans
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db
HEAD = "order_no,placed_at,buyer,kind,refund_of,sku,title,quantity,unit_price,currency,sharer\n"
BINDING = 'code = "bind"\n[attribution]\nmodel = "binding_first"\nwindow_days = 7\n[[rewards]]\nrate_bp = 1000\n'


@pytest.fixture
def cast():
    found = assemble()
    plans.import_plan(text=BINDING, by=found.owner, at=AT)
    ids = people.register_members([{"login": "kim"}, {"login": "lee"}], at=AT)
    people.bind_many([(ids[0], ids[1], AT)], source="import")
    return found


def take(tmp_path, body, cast, **more):
    path = tmp_path / "orders.csv"
    path.write_text(HEAD + body, encoding="utf-8")

    above = history.Above(
        told=lambda when: rewarding.apply(orders.facts_of(when), at=AT),
        until=lambda moment: rewarding.mature_due(at=AT, until=moment),
    )
    return history.run(path, by=cast.owner, at=AT, plan="bind", above=above, **more)


SALES = (
    "S1,2011-01-01T10:00:00,kim,sale,,A,Alpha,2,2.555,CNY,\n"
    "S1,2011-01-01T10:00:00,kim,sale,,B,Beta,1,10.00,CNY,\n"
    "S2,2011-01-02T10:00:00,kim,sale,,A,Alpha,3,3.00,CNY,\n"
    "S3,2011-01-03T10:00:00,,sale,,A,Alpha,1,3.00,CNY,\n"
    "S4,2011-01-04T10:00:00,kim,sale,,C,Free,1,0,CNY,\n"
)


def test_sales_run_through_the_books_and_earn_by_binding(cast, tmp_path):
    done = take(tmp_path, SALES, cast)
    assert (done.read, done.created, done.refused, done.guests, done.zero_lines) == (4, 4, 0, 1, 1)
    kim, lee = (members.by_logins([k])[k] for k in ("kim", "lee"))
    assert books.balances(kim)["revenue.goods"] == 511 + 1000 + 900  # 2 × 2.555 = 5.11: the line rounds half up
    assert OrderLine.objects.filter(sku_code="C").count() == 1
    assert rewards.earnings(lee).held_minor == 51 + 100 + 90
    assert rewarding.mature_due(at=AT) == 3
    assert rewards.earnings(lee).available_minor == 241
    assert books.verify().ok and rewards.summary()[0].balanced


def test_twice_changes_nothing_and_a_dry_run_writes_nothing(cast, tmp_path):
    before = Order.objects.count()
    dry = take(tmp_path, SALES, cast, dry_run=True)
    assert dry.created == 4 and Order.objects.count() == before
    first = take(tmp_path, SALES, cast)
    again = take(tmp_path, SALES, cast)
    assert (first.created, again.created, again.unchanged) == (4, 0, 4)
    assert Order.objects.count() == before + 4 and books.verify().ok


def test_refunds_match_first_in_first_out_and_the_rest_is_reported(cast, tmp_path):
    body = SALES + (
        "C1,2011-02-01T10:00:00,kim,refund,,A,Alpha,-3,3.00,CNY,\n"  # two of S1 and one of S2
        "C2,2011-02-02T10:00:00,kim,refund,,A,Alpha,-9,3.00,CNY,\n"  # two are left
        "C3,2011-02-03T10:00:00,,refund,,A,Alpha,-1,3.00,CNY,\n"  # nobody's
        "C4,2010-12-01T10:00:00,kim,refund,,B,Beta,-1,10.00,CNY,\n"  # before it was bought
        "C5,2011-02-04T10:00:00,kim,refund,S1,B,Beta,-1,99.00,CNY,\n"  # at most what was paid
    )
    done = take(tmp_path, body, cast)
    kim, lee = (members.by_logins([k])[k] for k in ("kim", "lee"))
    lines = {(x.order.no, x.sku_code): x for x in OrderLine.objects.filter(buyer_id=kim).select_related("order")}
    assert lines["S1", "A"].refunded_quantity == 2 and lines["S1", "A"].refunded_minor <= 511
    assert lines["S2", "A"].refunded_quantity == 3 and lines["S2", "A"].refunded_minor <= 900
    assert lines["S1", "B"].refunded_minor == 1000
    assert done.note_counts["refund_unmatched"] >= 3 and done.note_counts["refund_without_buyer"] == 1
    assert books.balances(kim)["refund.in_transit"] == 0
    paid = sum(x.amount_minor - x.refunded_minor for x in lines.values())
    assert books.balances(kim)["gateway.import"] == paid
    assert rewards.earnings(lee).held_minor <= paid // 10
    assert books.verify().ok and rewards.summary()[0].balanced


def test_adjustments_write_offs_and_bad_rows(cast, tmp_path):
    body = (
        "A1,2011-08-12T15:00:00,,adjustment,,B,Adjust bad debt,1,11062.06,CNY,\n"
        "A2,2011-08-12T15:01:00,,adjustment,,B,Adjust bad debt,1,-11062.06,CNY,\n"
        "W1,2011-01-01T10:00:00,,sale,,A,broken,-10,0,CNY,\n"
        "X1,yesterday,kim,sale,,A,Alpha,1,1,CNY,\n"
        "X2,2011-01-01T10:00:00,kim,sale,,A,Alpha,one,1,CNY,\n"
        "X3,2011-01-01T10:00:00,kim,barter,,A,Alpha,1,1,CNY,\n"
        "X4,2011-01-01T10:00:00,kim,sale,,A,Alpha,1,-1,CNY,\n"
        "X5,2011-01-01T10:00:00,kim,sale,,A,Alpha,1,1,USD,\n"
        "G1,2011-01-01T10:00:00,kim,sale,,A,Alpha,1,1,CNY,\n"
    )
    done = take(tmp_path, body, cast)
    assert set(done.note_counts) == {
        "write_off",
        "date_invalid",
        "number_invalid",
        "kind_unknown",
        "price_negative",
        "currency_mismatch",
    }
    assert done.write_offs == 1 and done.adjustments_minor == 0
    assert books.balances(PLATFORM_BOOK)["bank"] == 0
    assert Order.objects.filter(no="G1").exists() and not Order.objects.filter(no__startswith="X").exists()
    assert books.verify().ok
