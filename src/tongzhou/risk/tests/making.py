"""Small stories for risk's tests: people, orders through the real commands, a moving clock."""

from datetime import timedelta

from tests.test_story import drain, pay, ship_and_receive

from tongzhou.kit.ids import new_id
from tongzhou.orders import commands as orders
from tongzhou.payments import commands as payments
from tongzhou.people import commands as people
from tongzhou.plans import queries as plans
from tongzhou.sharing import commands as sharing


def person(n, at):
    return people.register_member(phone=f"+86137000{n:05d}", display_name=f"人{n}", at=at)


def sell(cast, sharer, buyer, at, *, quantity=1, payer="", address=None, receive=True):
    """One order of ``buyer`` through ``sharer``'s link, paid, and received two days later; returns Placed."""
    visitor = new_id()
    link = sharing.make_link(member_id=sharer, product_id=None, at=at)
    sharing.touch(code=link.code, visitor_id=visitor, plan_version_id=plans.in_force(at).id, at=at)
    placed = orders.place(
        buyer_id=buyer, lines=[(cast.rice, quantity)], address=address or cast.address, at=at, visitor_id=visitor
    )
    start = payments.open_payment(
        order_id=placed.order_id, buyer_id=buyer, order_no=placed.no, amount_minor=placed.total_minor,
        provider="sandbox", return_url="http://x/", at=at,
    )  # fmt: skip
    pay(placed, start, at, payer=payer)
    drain(at)
    if receive:
        from dataclasses import replace

        ship_and_receive(replace(cast, buyer=buyer), placed, at + timedelta(days=2))
    return placed
