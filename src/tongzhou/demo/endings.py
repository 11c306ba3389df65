"""How the demo's returns and payouts end: in turn, every way there is, so that each can be looked at.

Earlier ones are finished stories; those of the last days are left standing where somebody has to act.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle
from uuid import UUID

from tongzhou.aftersale import commands as aftersale
from tongzhou.demo import bank
from tongzhou.kit import worker
from tongzhou.kit.actor import Actor, member
from tongzhou.orders import commands as orders
from tongzhou.orders.values import RefundItem
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.values import RailOutcome
from tongzhou.rewards import queries as rewards

CASES = cycle(("REFUNDED", "REJECTED", "REFUNDED", "WITHDRAWN"))
OPEN_CASES = cycle(("REQUESTED", "APPROVED", "RETURNING"))
PAYOUTS = cycle(("PAID", "PAID", "REJECTED", "PAID", "FAILED", "PAID", "RETURNED"))
OPEN_PAYOUTS = cycle(("REQUESTED", "CHECKED", "RELEASED", "SENT"))


def case(case_id: UUID, buyer: UUID, at: datetime, *, by: Actor, still_open: bool) -> None:
    """Take a case to the next ending in turn."""
    end = next(OPEN_CASES if still_open else CASES)
    if end == "REQUESTED":
        return
    if end == "WITHDRAWN":
        aftersale.withdraw(case_id=case_id, buyer_id=buyer, at=at)
    elif end == "REJECTED":
        aftersale.reject(case_id=case_id, answer="包装已拆并使用，照片里看不到破损", by=by, at=at)
    else:
        aftersale.approve(case_id=case_id, by=by, at=at)
        if end == "APPROVED":
            return
        tracking = f"RT{case_id.int % 10**9:09d}"
        aftersale.send_back(case_id=case_id, buyer_id=buyer, carrier="yunda", tracking_no=tracking, at=at)
        if end == "REFUNDED":
            aftersale.receive_back(case_id=case_id, by=by, at=at)


def payout(payout_id: UUID, at: datetime, *, first: Actor, second: Actor, still_open: bool) -> None:
    """Take a payout to the next ending in turn, through both keys."""
    end = next(OPEN_PAYOUTS if still_open else PAYOUTS)
    if end == "REQUESTED":
        return
    if end == "REJECTED":
        payouts.reject(payout_id=payout_id, reason="收款户名与实名不符，请核对后再申请", by=second, at=at)
        return
    payouts.release(payout_id=payout_id, by=first, at=at)
    if end == "CHECKED":
        return
    payouts.release(payout_id=payout_id, by=second, at=at)
    if end == "RELEASED":
        return
    payouts.mark_sent(payout_id, at=at)
    bank.sent(payout_id, status={"SENT": "pending", "FAILED": "failed"}.get(end, "paid"), at=at)
    if end == "FAILED":
        payouts.record(payout_id, RailOutcome("failed", reason="账户已注销"), at=at)
    elif end in ("PAID", "RETURNED"):
        txn = f"demo{payout_id.hex[-12:]}"
        payouts.record(payout_id, RailOutcome("paid", txn), at=at)
        if end == "RETURNED":
            back = RailOutcome("returned", txn, reason="对方银行退回")
            payouts.record(payout_id, back, at=at + timedelta(hours=3))


def receivable(people: Sequence[UUID], at: datetime, *, by: Actor) -> bool:
    """Somebody who was paid out owes a part back, because a buyer was refunded later; False when nobody could."""
    for who in people:
        purse = rewards.earnings(who)
        for reward in rewards.rewards_of(who, limit=100) if purse.paid_minor else ():
            if reward.stage == "available" and reward.standing_minor > purse.payable_minor:
                orders.refund(
                    order_id=reward.order_id, items=[RefundItem(reward.line_id, amount_minor=reward.base_minor)],
                    reference=f"goodwill:{reward.line_id}", by=by, at=at, reason="久放后才发现受潮，协商全额退款",
                )  # fmt: skip
                worker.drain_local(at=at)
                return True
    return False


def cancelled(order_id: UUID, buyer: UUID, at: datetime) -> None:
    """The buyer thinks better of it before anything was shipped."""
    orders.cancel(order_id=order_id, by=member(buyer), buyer_id=buyer, at=at, reason="不想要了")
