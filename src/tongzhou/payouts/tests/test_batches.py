"""Many payouts at once: what is shown is what is done, each conditional, nothing twice."""

from datetime import timedelta

import pytest

from tongzhou.kit import clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.models import AuditEntry
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.payouts import batches, queries
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.models import DayTotal, Payout
from tongzhou.payouts.tests.scene import AT, earn, payee, released, sharer, staff, two
from tongzhou.payouts.tests.test_commands import at_once
from tongzhou.payouts.values import RailOutcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    return two()


def asked(n, amount=1_000_000):
    return [
        payouts.request(member_id=sharer(amount, f"+86139000010{i:02}"), amount_minor=amount, at=AT) for i in range(n)
    ]


def done(ids, by, net=None, at=AT):
    batch = batches.preview(ids, by=by, at=at)
    return payouts.release_many(payout_ids=ids, digest=batch.digest, by=by, at=at, typed_net_minor=net)


def refused(code, call, **kwargs):
    before = list(Payout.objects.order_by("id").values())
    with pytest.raises(Refusal) as said:
        call(**kwargs)
    assert said.value.code == code and list(Payout.objects.order_by("id").values()) == before


def test_a_batch_says_who_how_much_what_tax_and_what_is_left_out_and_why(pair):
    first, second = pair
    payee(first.id)
    earn(first.id, 5_000)
    own = payouts.request(member_id=first.id, amount_minor=5_000, at=AT)
    ids = [*asked(3), own]
    payouts.reject(payout_id=ids[0], reason="资料不符", by=second, at=AT)
    stranger = new_id()
    batch = batches.preview([*ids, stranger], by=first, at=AT)
    assert (batch.second, len(batch.rows), batch.gross_minor, batch.tax_minor) == ((), 2, 2_000_000, 18_000)
    assert batch.net_minor == 1_982_000 and batch.rails == {"sandbox": (2, 1_982_000)}
    assert {x.code for x in batch.left} == {"state_moved_on", "own_payout", "payout_not_found"}
    assert all("6222" not in r.payee.account and r.payee.name == "林**" for r in batch.rows)
    assert batch.rows[0].rule == "cumulative@2025-10-01" and batch.rows[0].notes
    did = done([*ids, stranger], first)
    assert (did.done, len(did.left)) == (2, 3)
    again = batches.preview(ids, by=first, at=AT)
    assert not again.rows and {x.code for x in again.left} >= {"same_person"}
    third = payouts.request(member_id=sharer(5_000, "+8613900001077"), amount_minor=5_000, at=AT)
    mixed = batches.preview([*ids, third], by=second, at=AT)  # each payout its own next step
    assert [r.step for r in mixed.rows] == [1, 2, 2, 1] and mixed.leaving_minor == 1_982_000


def test_looking_through_a_batch_takes_the_same_statements_however_many(pair, django_assert_num_queries):
    ids = asked(6, 5_000)
    for some in (ids[:1], ids):
        with django_assert_num_queries(7):
            batches.preview(some, by=pair[0], at=AT)


def test_the_second_person_types_the_net_and_a_changed_preview_releases_nothing(pair):
    first, second = pair
    ids = asked(2)
    done(ids, first)
    batch = batches.preview(ids, by=second, at=AT)
    args = {"payout_ids": ids, "by": second, "at": AT}
    refused("net_mistyped", payouts.release_many, digest=batch.digest, typed_net_minor=batch.net_minor + 1, **args)
    refused("net_mistyped", payouts.release_many, digest=batch.digest, **args)
    refused("preview_changed", payouts.release_many, digest="x", typed_net_minor=batch.net_minor, **args)
    payouts.reject(payout_id=ids[0], reason="资料不符", by=first, at=AT)
    refused("preview_changed", payouts.release_many, digest=batch.digest, typed_net_minor=batch.net_minor, **args)
    assert done(ids, second, 991_000).done == 1
    assert [Payout.objects.get(id=i).status for i in ids] == ["REJECTED", "RELEASED"]
    assert AuditEntry.objects.filter(action="payout.batch").latest("id").detail["net_minor"] == 991_000
    assert books.verify().ok


def test_who_may_not_and_batches_nobody_can_look_through(pair):
    member = sharer()
    pid = payouts.request(member_id=member, amount_minor=5_000, at=AT)
    refused("not_allowed", payouts.release_many, payout_ids=[pid], digest="", by=Actor("member", member), at=AT)
    refused("batch_too_large", payouts.release_many, payout_ids=[new_id()] * 201, digest="", by=pair[0], at=AT)
    refused("not_allowed", payouts.reject_many, payout_ids=[pid], reason="资料不符", by=Actor("member", member), at=AT)
    refused("reason_missing", payouts.reject_many, payout_ids=[pid], reason="不", by=pair[0], at=AT)


def test_rejecting_many_gives_each_back_once(pair):
    ids = asked(3)
    payouts.reject(payout_id=ids[0], reason="资料不符", by=pair[0], at=AT)
    did = payouts.reject_many(payout_ids=ids, reason="这一批资料不全", by=pair[0], at=AT)
    assert (did.done, [x.code for x in did.left]) == (2, ["state_moved_on"])
    assert {Payout.objects.get(id=i).status for i in ids} == {"REJECTED"} and books.verify().ok


def test_the_malls_day_has_a_limit_the_next_day_goes_on(pair):
    payouts.change_policy(changes={"mall_day_minor": "15000.00"}, by=pair[0], at=AT)
    ids = asked(2)
    done(ids, pair[0])
    batch = batches.preview(ids, by=pair[1], at=AT)
    assert [x.code for x in batch.left] == ["mall_day_limit"]
    assert done(ids, pair[1], batch.net_minor).done == 1
    refused("mall_day_limit", payouts.release, payout_id=ids[1], by=pair[1], at=AT)
    assert DayTotal.objects.get(day=clock.mall_day(AT)).released_minor == 1_000_000
    assert done(ids, pair[1], 991_000, at=AT + timedelta(days=1)).done == 1


def test_limits_of_a_payout_and_of_a_members_day(pair):
    payouts.change_policy(changes={"max_minor": "80", "member_day_minor": "100", "min_minor": "10"}, by=pair[0], at=AT)
    member = sharer(50_000)
    refused("amount_too_large", payouts.request, member_id=member, amount_minor=8_001, at=AT)
    refused("amount_too_small", payouts.request, member_id=member, amount_minor=999, at=AT)
    payouts.reject(
        payout_id=payouts.request(member_id=member, amount_minor=8_000, at=AT), reason="资料不符", by=pair[0], at=AT
    )
    pid = released(member, 8_000, pair)  # what was turned down does not count
    payouts.mark_sent(pid, at=AT)
    payouts.record(pid, RailOutcome("paid"), at=AT)
    refused("day_limit", payouts.request, member_id=member, amount_minor=2_001, at=AT)
    assert payouts.request(member_id=member, amount_minor=2_000, at=AT)


def test_settings_are_refused_field_by_field_and_written_down(pair):
    with pytest.raises(Refusal) as said:
        payouts.change_policy(
            changes={"min_minor": "-1", "none": "1", "rails": "pigeon", "alipay.fee_bp": "501"}, by=pair[0], at=AT
        )
    codes = {e.field: e.code for e in said.value.errors}
    assert codes == {"min_minor": "setting_out_of_range", "none": "setting_unknown", "rails": "rail_unknown",
                     "alipay.fee_bp": "setting_out_of_range"}  # fmt: skip
    for changes, code in (({"min_minor": "300000"}, "min_above_max"), ({"rail": "bank"}, "rail_not_open")):
        with pytest.raises(Refusal) as said:
            payouts.change_policy(changes=changes, by=pair[0], at=AT)
        assert [e.code for e in said.value.errors] == [code]
    assert (
        payouts.change_policy(changes={"rails": "bank,sandbox", "rail": "bank", "min_minor": "1.00"}, by=pair[0], at=AT)
        == 2
    )
    assert queries.policy().rail == "bank" and AuditEntry.objects.filter(action="payout_setting.change").count() == 2
    payouts.change_policy(changes={"rails": "sandbox", "rail": "sandbox"}, by=pair[0], at=AT)
    member = sharer()
    with pytest.raises(Refusal) as said:
        payee(member, rail="bank")
    assert said.value.code == "rail_not_open"


def test_a_closed_rail_or_a_missing_tax_decision_keeps_a_payout_where_it_is(pair):
    payouts.change_policy(
        changes={"rails": "sandbox,bank", "max_minor": "0", "member_day_minor": "0"}, by=pair[0], at=AT
    )
    pid = payouts.request(member_id=sharer(10_100_000, rail="bank"), amount_minor=10_100_000, at=AT)
    payouts.release(payout_id=pid, by=pair[0], at=AT)
    refused("tax_decision_missing", payouts.release, payout_id=pid, by=pair[1], at=AT)
    payouts.decide_vat(decision="EXEMPT", reason="法务意见：由会员自行申报", by=pair[1], at=AT)
    payouts.change_policy(changes={"rails": "sandbox", "rail": "sandbox"}, by=pair[0], at=AT)
    refused("rail_closed", payouts.release, payout_id=pid, by=pair[1], at=AT)
    payouts.change_policy(changes={"rails": "sandbox,bank"}, by=pair[0], at=AT)
    assert payouts.release(payout_id=pid, by=pair[1], at=AT) == "RELEASED"
    assert Payout.objects.get(id=pid).vat_minor == 0


def test_vat_is_withheld_where_finance_signed_for_it(pair):
    for decision, reason, code in (("MAYBE", "法务意见书", "decision_unknown"), ("WITHHOLD", "是", "reason_missing")):
        with pytest.raises(Refusal) as said:
            payouts.decide_vat(decision=decision, reason=reason, by=pair[1], at=AT)
        assert said.value.code == code
    payouts.decide_vat(decision="WITHHOLD", reason="法务意见：平台代扣", by=pair[1], at=AT)
    payouts.change_policy(changes={"max_minor": "0", "member_day_minor": "0"}, by=pair[0], at=AT)
    member = sharer(10_100_000)
    row = Payout.objects.get(id=released(member, 10_100_000, pair))
    # income without VAT 100,000: 80 % − 5,000 = 75,000 × 10 % − 2,520 = 4,980
    assert (row.vat_minor, row.tax_minor, row.net_minor) == (100_000, 498_000, 9_502_000)
    assert queries.vat_decision().by_name == "顾川"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_releases_of_one_batch_release_each_once():
    first, second = two()
    third = staff("13800000003", "方远")
    ids = asked(4, 10_000)
    payouts.change_policy(changes={"mall_day_minor": "300.00"}, by=first, at=AT)
    done(ids, first)
    outcomes = at_once(
        *[lambda by=by, i=i: payouts.release(payout_id=i, by=by, at=AT) for by in (second, third) for i in ids]
    )
    assert outcomes.count("ok") == 3  # the day's limit holds under any race
    assert Payout.objects.filter(status="RELEASED").count() == 3
    assert DayTotal.objects.get().released_minor == 30_000
