"""Who these tests are about: a sharer with something to pay out, and two people who may release it."""

from datetime import UTC, datetime

from tongzhou.kit.actor import SYSTEM, Actor, operator
from tongzhou.kit.ids import new_id
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Move
from tongzhou.payouts import commands as payouts
from tongzhou.people import commands as people

AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
ID_NUMBER = "330106199505050021"  # the check digit is right


def staff(phone, name, role="finance"):
    """Somebody with a role."""
    made = people.create_operator(phone=phone, name=name, password="sail-together-2026", roles={role}, by=SYSTEM, at=AT)
    return operator(made, name)


def two():
    """沈岚 and 顾川."""
    return staff("13800000001", "沈岚", "owner"), staff("13800000002", "顾川")


def payee(member, rail="", account="6222020000001234", **more):
    """The real-name step."""
    payouts.register_payee(
        member_id=member, legal_name="林小满", account=account, born="1995-05-05", rail=rail, by=Actor("member", member),
        at=AT, **more,
    )  # fmt: skip


def earn(member, amount, account="reward.available", at=AT):
    """Something to pay out, or something owed back."""
    legs = [Move("opening", account, amount)]
    if account.startswith("receivable"):
        legs = [Move(account, "opening", amount)]
    ledger.post(book_id=member, kind="opening", reference=str(new_id()), story_id=new_id(), legs=legs, by=SYSTEM, at=at)


def sharer(amount=10_000, phone="+8613900000003", **payee_of):
    """林小满, verified, with an amount available."""
    member = people.register_member(phone=phone, display_name="林小满", at=AT)
    payee(member, **payee_of)
    earn(member, amount)
    return member


def released(member, amount, pair, at=AT):
    """A payout that both let go."""
    pid = payouts.request(member_id=member, amount_minor=amount, at=at)
    for by in pair:
        payouts.release(payout_id=pid, by=by, at=at)
    return pid
