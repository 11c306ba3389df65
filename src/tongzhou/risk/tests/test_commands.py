"""Verdicts, holds, appeals: what each does to the money, and that a refusal changes nothing."""

from datetime import timedelta

import pytest
from tests.cast import AT, assemble
from tests.test_story import drain

from tongzhou.catalog import commands as catalog
from tongzhou.kit.actor import member, operator
from tongzhou.kit.models import AuditEntry
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.ledger.models import Transfer
from tongzhou.orders import commands as selling
from tongzhou.orders import queries as sold
from tongzhou.orders.values import RefundItem
from tongzhou.people import commands as people
from tongzhou.rewards import commands as rewarding
from tongzhou.rewards import queries as rewards
from tongzhou.rewards.models import Reward
from tongzhou.risk import commands, queries, tasks
from tongzhou.risk.models import Baseline, ChangedSetting, Hold, Instrument, Signal, Step
from tongzhou.risk.tests.making import person, sell
from tongzhou.risk.values import Kind, Sighting

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def cast():
    found = assemble()
    catalog.set_stock(levels=[(found.rice, 500), (found.tea, 500)], by=found.owner, at=AT)
    return found


@pytest.fixture
def second(cast):
    """A second operator, who may answer what the first decided."""
    who = people.create_operator(
        phone="13800000009", name="何远", password="sail-together-2026", roles={"operator"}, by=cast.owner, at=AT
    )
    return operator(who, "何远")


def purse(cast):
    p = rewards.earnings(cast.sharer)
    return p.held_minor, p.available_minor


def twins(cast):
    """Buyer and sharer on one device: the plainest way to share to oneself."""
    seen = [Sighting(m, Kind.DEVICE, "cookie-1") for m in (cast.buyer, cast.sharer)]
    commands.observe(seen, at=AT)
    return sell(cast, cast.sharer, cast.buyer, AT)


def the_hold():
    return Hold.objects.get()


def state():
    """Everything that a refusal may not change."""
    return (
        list(Hold.objects.order_by("id").values()), list(Reward.objects.order_by("id").values()), Step.objects.count(),
        Transfer.objects.count(), ChangedSetting.objects.count(), Signal.objects.count(), AuditEntry.objects.count(),
    )  # fmt: skip


def refused(code, call):
    before = state()
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.code == code
    assert state() == before
    return caught.value


def test_an_ordinary_reward_is_paid_and_leaves_no_hold(cast):
    sell(cast, cast.sharer, cast.buyer, AT)
    assert Reward.objects.get().verdict == "pay" and not Hold.objects.exists()
    rewarding.mature_due(at=AT + 18 * DAY)
    assert purse(cast) == (0, 500)


def test_sharing_to_oneself_is_refused_at_delivery_and_the_buyer_keeps_the_goods(cast):
    twins(cast)
    hold = the_hold()
    assert (hold.status, hold.score, [r["code"] for r in hold.reasons]) == ("REFUSED", 100, ["same_device"])
    assert purse(cast) == (0, 0)
    story = books.story(hold.line_id)
    assert (story[-1].kind, story[-1].debit, story[-1].credit, story[-1].amount) == (
        "reward_refused", "reward.held", "expense.rewards", 500,
    )  # fmt: skip
    rewarding.mature_due(at=AT + 60 * DAY)
    assert purse(cast) == (0, 0) and Reward.objects.get().matured_at is None
    assert rewards.summary()[0].balanced and books.verify().ok


def test_an_appeal_answered_by_somebody_else_gives_it_back_and_a_refund_still_reverses_it(cast, second):
    placed = twins(cast)
    hold, at = the_hold(), AT + 5 * DAY
    commands.appeal(hold_id=hold.id, sharer_id=cast.sharer, text="我们是室友，共用一台平板电脑。", at=at)
    commands.release(hold_id=hold.id, reason="核对过身份证件", by=second, at=at + DAY)
    assert purse(cast) == (500, 0) and the_hold().status == "RELEASED"
    line = sold.lines_of([placed.order_id])[placed.order_id][0]
    selling.refund(
        order_id=placed.order_id, reference="half", items=[RefundItem(line.id, 0, 2000)], by=cast.owner, at=at + DAY,
        reason="x",
    )  # fmt: skip
    drain(at + DAY)
    assert purse(cast) == (300, 0)
    rewarding.mature_due(at=AT + 18 * DAY)
    assert purse(cast) == (0, 300)
    assert rewards.summary()[0].balanced and books.verify().ok, books.verify().problems
    assert [s.kind for s in queries.hold(hold.id)[1]] == ["refused", "appealed", "released"]


def test_a_refusal_that_stands_after_an_appeal_is_final(cast, second):
    twins(cast)
    hold, at = the_hold(), AT + 5 * DAY
    commands.appeal(hold_id=hold.id, sharer_id=cast.sharer, text="我觉得这样不公平，请再看一次。", at=at)
    commands.refuse(hold_id=hold.id, reason="核对过，是同一个人", by=second, at=at)
    assert the_hold().status == "FINAL" and purse(cast) == (0, 0)
    refused(
        "appeal_used", lambda: commands.appeal(hold_id=hold.id, sharer_id=cast.sharer, text="再来一次再来一次", at=at)
    )
    refused("state_moved_on", lambda: commands.release(hold_id=hold.id, reason="我改主意了", by=second, at=at))


def household(cast):
    """Address, delivery phone and network in common: 45 points, paid fifteen days later."""
    commands.observe([Sighting(m, Kind.IP, "93.184.216.34") for m in (cast.buyer, cast.sharer)], at=AT)
    sell(cast, cast.buyer, cast.sharer, AT, receive=False)  # the sharer bought to the same address and phone
    sell(cast, cast.sharer, cast.buyer, AT)
    return Hold.objects.get(sharer_id=cast.sharer)


def test_a_delay_ends_by_itself(cast):
    hold = household(cast)
    assert (hold.status, hold.score) == ("DELAYED", 45)
    rewarding.mature_due(at=AT + 20 * DAY)
    assert purse(cast) == (500, 0)
    later = AT + 2 * DAY + 30 * DAY
    rewarding.mature_due(at=later)
    assert purse(cast) == (0, 500)
    commands.close_due(at=later)
    assert Hold.objects.get(id=hold.id).status == "RELEASED"
    assert [s.kind for s in queries.hold(hold.id)[1]] == ["held", "over"]


def test_objecting_to_a_delay_brings_it_before_a_person_and_never_makes_it_longer(cast, second):
    hold = household(cast)
    commands.appeal(hold_id=hold.id, sharer_id=cast.sharer, text="我们是一家人，各买各的。", at=AT + 3 * DAY)
    row = Hold.objects.get(id=hold.id)
    assert (row.status, row.until) == ("OPEN", hold.until)
    assert queries.waiting() == {"open": 1, "appeals": 1}
    commands.release(hold_id=hold.id, reason="核对过，是一家人", by=second, at=AT + 4 * DAY)
    rewarding.mature_due(at=AT + 18 * DAY)
    assert purse(cast) == (0, 500)


def farm(cast, n=4):
    """Several fresh accounts on one device buy through the sharer."""
    people_ = [person(i, AT) for i in range(n)]
    commands.observe([Sighting(p, Kind.DEVICE, "farm") for p in people_], at=AT)
    sell(cast, cast.sharer, people_[0], AT)
    return the_hold()


def test_a_review_waits_for_a_person_who_refuses_it(cast):
    hold = farm(cast)
    assert (hold.status, [r["code"] for r in hold.reasons]) == ("OPEN", ["farm"])
    rewarding.mature_due(at=AT + 40 * DAY)
    assert purse(cast) == (500, 0)
    commands.refuse(hold_id=hold.id, reason="四个号一台机", by=cast.owner, at=AT + 20 * DAY)
    assert purse(cast) == (0, 0) and the_hold().refused_by == cast.owner.id
    commands.appeal(hold_id=hold.id, sharer_id=cast.sharer, text="那是店里的公用平板。", at=AT + 21 * DAY)
    refused(
        "same_person", lambda: commands.release(hold_id=hold.id, reason="还是放行", by=cast.owner, at=AT + 22 * DAY)
    )
    assert books.verify().ok


def test_silence_decides_for_the_sharer_unless_the_setting_says_wait(cast):
    hold = farm(cast)
    assert hold.until == AT + 2 * DAY + 15 * DAY + 30 * DAY
    assert rewarding.mature_due(at=hold.until - timedelta(minutes=1)) == 0
    assert commands.close_due(at=hold.until) == 1
    assert rewarding.mature_due(at=hold.until) == 1
    assert purse(cast) == (0, 500) and [s.kind for s in queries.hold(hold.id)[1]] == ["held", "lapsed"]


def test_without_end_a_review_really_waits(cast):
    commands.change_setting(key="review_days", value=0, reason="人人复核", by=cast.owner, at=AT)
    hold = farm(cast)
    assert hold.until is None
    assert rewarding.mature_due(at=AT + 400 * DAY) == 0 and commands.close_due(at=AT + 400 * DAY) == 0


def test_an_unanswered_appeal_gives_a_refused_reward_back(cast):
    twins(cast)
    hold = the_hold()
    commands.appeal(hold_id=hold.id, sharer_id=cast.sharer, text="请再核对一次，谢谢。", at=AT + 5 * DAY)
    assert commands.close_due(at=AT + 34 * DAY) == 0
    assert commands.close_due(at=AT + 35 * DAY) == 1 and purse(cast) == (500, 0)


def test_nobody_spoke_two_days_after_the_window_it_matures_by_itself(cast):
    sell(cast, cast.sharer, cast.buyer, AT)
    Reward.objects.update(verdict="", verdict_at=None)  # as if risk's worker had stood still
    due = AT + 2 * DAY + 15 * DAY
    assert rewarding.mature_due(at=due + 2 * DAY - timedelta(seconds=1)) == 0
    assert rewarding.mature_due(at=due + 2 * DAY) == 1 and purse(cast) == (0, 500)


def test_a_second_look_sees_what_came_later_and_makes_it_stricter(cast):
    sell(cast, cast.sharer, cast.buyer, AT)
    assert not Hold.objects.exists()
    commands.observe([Sighting(m, Kind.DEVICE, "late") for m in (cast.buyer, cast.sharer)], at=AT + 10 * DAY)
    assert commands.look_again(at=AT + 10 * DAY) == 0, "not due yet"
    assert "1 looked at again" in tasks.look_again(AT + 16 * DAY + timedelta(hours=1))
    assert the_hold().status == "REFUSED" and purse(cast) == (0, 0)
    assert commands.look_again(at=AT + 16 * DAY + timedelta(hours=2)) == 0, "once"


def test_a_matured_reward_is_the_members_own(cast):
    placed = sell(cast, cast.sharer, cast.buyer, AT)
    rewarding.mature_due(at=AT + 18 * DAY)
    commands.observe([Sighting(m, Kind.DEVICE, "late") for m in (cast.buyer, cast.sharer)], at=AT + 18 * DAY)
    line = Reward.objects.get(order_id=placed.order_id).id
    assert commands.assess([line], at=AT + 18 * DAY) == 0 and purse(cast) == (0, 500)
    refused("reward_not_held", lambda: rewarding.refuse(reward_id=line, by=cast.owner, at=AT + 18 * DAY))
    refused("reward_not_refused", lambda: rewarding.restore(reward_id=line, by=cast.owner, at=AT + 18 * DAY))


def test_what_a_person_decided_is_not_decided_again_by_the_machine(cast, second):
    hold = farm(cast)
    commands.release(hold_id=hold.id, reason="公用平板", by=second, at=AT + 3 * DAY)
    commands.assess([hold.reward_id], at=AT + 4 * DAY)
    assert the_hold().status == "RELEASED" and Reward.objects.get().verdict == "pay"


def test_refusals_of_deciding_prove_nothing_changed(cast, second):
    hold = farm(cast)

    def decide(who, reason="有理由的"):
        return lambda: commands.release(hold_id=hold.id, reason=reason, by=who, at=AT)

    refused("not_allowed", decide(cast.finance))
    refused("not_allowed", decide(member(cast.sharer)))
    refused("reason_missing", decide(second, " "))
    refused("hold_not_found", lambda: commands.release(hold_id=cast.buyer, reason="有理由的", by=second, at=AT))
    people.grant_role(member_id=cast.sharer, role="operator", by=cast.owner, at=AT)
    refused("own_case", decide(operator(cast.sharer)))
    ask = {"hold_id": hold.id, "at": AT}
    refused("hold_not_found", lambda: commands.appeal(sharer_id=cast.buyer, text="这不是我的但我要申诉", **ask))
    refused("appeal_missing", lambda: commands.appeal(sharer_id=cast.sharer, text="不服", **ask))
    commands.appeal(sharer_id=cast.sharer, text="这是店里的公用平板。", **ask)
    refused("appeal_used", lambda: commands.appeal(sharer_id=cast.sharer, text="再说一遍再说一遍", **ask))


def test_an_appeal_comes_within_its_days(cast):
    twins(cast)
    late = AT + 2 * DAY + 31 * DAY
    refused(
        "appeal_late",
        lambda: commands.appeal(hold_id=the_hold().id, sharer_id=cast.sharer, text="现在才看到这件事情", at=late),
    )


def test_settings_are_changed_by_an_owner_with_a_reason_and_audited(cast, second):
    def change(key="device_accounts", value=4, reason="店里有公用平板", by=cast.owner):
        return lambda: commands.change_setting(key=key, value=value, reason=reason, by=by, at=AT)

    refused("not_allowed", change(by=second))
    refused("setting_unknown", change(key="nothing"))
    refused("value_out_of_range", change(value=0))
    refused("reason_missing", change(reason=""))
    refused("thresholds_crossed", change(key="pay_below", value=71))
    assert change()() and not change()()
    shown = {s.key: s for s in queries.settings()}["device_accounts"]
    assert (shown.value, shown.default, shown.changed, shown.changed_by) == (4, 3, True, "沈岚")
    assert AuditEntry.objects.filter(action="risk.setting").count() == 1
    people_ = [person(i, AT) for i in range(4)]
    commands.observe([Sighting(p, Kind.DEVICE, "farm") for p in people_], at=AT)
    sell(cast, cast.sharer, people_[0], AT)
    assert not Hold.objects.exists(), "four accounts on a device are now allowed"
    assert change(value=3)() and not ChangedSetting.objects.exists()


def test_signals_are_hashes_counted_once_and_forgotten_in_time(cast):
    seen = [Sighting(cast.buyer, Kind.DEVICE, "abc"), Sighting(cast.buyer, Kind.IP, "93.184.216.34")]
    assert commands.observe(seen, at=AT) == 2 and commands.observe(seen, at=AT + DAY) == 0
    assert commands.observe([Sighting(cast.sharer, Kind.DEVICE, "abc")], at=AT) == 1
    assert {(s.kind, s.last_at) for s in Signal.objects.filter(member_id=cast.buyer)} == {
        ("device", AT + DAY), ("ip", AT + DAY),
    }  # fmt: skip
    assert all("abc" not in s.instrument_id and len(s.instrument_id) == 64 for s in Signal.objects.all())
    assert Instrument.objects.get(kind="device").members == 2
    assert commands.purge(at=AT + 32 * DAY) == 1 and not Signal.objects.filter(kind="ip").exists()
    assert commands.purge(at=AT + 180 * DAY + timedelta(hours=1)) == 1
    assert Instrument.objects.get(kind="device").members == 1 and not Instrument.objects.filter(kind="ip").exists()


def test_device_and_network_are_kept_only_as_the_member_lets(cast, settings):
    seen = [Sighting(cast.buyer, Kind.DEVICE, "abc"), Sighting(cast.buyer, Kind.ACCOUNT, "payer-1")]
    commands.observe(seen, at=AT)
    assert {k.kind for k in queries.kept_of(cast.buyer)} == {"device", "account"}
    me = member(cast.buyer)
    assert commands.forget_optional(member_id=cast.buyer, given=False, by=me, at=AT + DAY) == 1
    commands.observe(seen, at=AT + DAY)
    assert {k.kind for k in queries.kept_of(cast.buyer)} == {"account"}, "paying needs the account, device was refused"
    commands.forget_optional(member_id=cast.buyer, given=True, by=me, at=AT + 2 * DAY)
    commands.observe(seen, at=AT + 2 * DAY)
    assert {k.kind for k in queries.kept_of(cast.buyer)} == {"device", "account"}
    settings.TONGZHOU_PROFILE = "EU"
    assert not queries.may_keep_device(cast.sharer) and queries.may_keep_device(cast.buyer)


def test_paid_orders_show_the_paying_account_and_the_address(cast):
    other = person(7, AT)
    sell(cast, cast.sharer, cast.buyer, AT, payer="alipay-2088")
    sell(cast, cast.buyer, other, AT, payer="alipay-2088")
    hold = the_hold()
    codes = {r["code"] for r in hold.reasons}
    assert hold.status == "REFUSED" and codes == {"same_account", "same_address", "same_contact"}


def test_what_is_usual_for_a_category_is_learnt_from_its_buyers(cast):
    for n in range(3):
        placed = sell(cast, cast.sharer, person(n, AT), AT)
        if n < 2:
            line = sold.lines_of([placed.order_id])[placed.order_id][0]
            selling.refund(
                order_id=placed.order_id, reference="r", items=[RefundItem(line.id, 0, 100)], by=cast.owner, at=AT + 3 * DAY,
                reason="x",
            )  # fmt: skip
    assert commands.learn_baselines(at=AT + 4 * DAY) == 1
    assert (Baseline.objects.get().median_bp, Baseline.objects.get().buyers) == (10_000, 3)
