"""A mall with something in every room of the console, and clients of every role."""

from dataclasses import dataclass
from uuid import UUID

from django.test import Client
from tests.cast import PASSWORD, Cast, assemble
from tests.test_story import buy, drain, pay, ship_and_receive

from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale import queries as cases
from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.people import commands as people
from tongzhou.people.models import Member
from tongzhou.plans import commands as plans
from tongzhou.plans import queries as versions

BACKEND = "tongzhou.people.backends.MemberBackend"
STAFF = {"owner": "13800000001", "finance": "13800000002", "operator": "13800000004", "support": "13800000005"}
DEEP = 'code = "deep"\nname = "两层"\n[[rewards]]\ndepth = 2\nrate_bp = 500\n[join]\nfee = 100\n'


@dataclass
class Desk:
    """What the tests open."""

    cast: Cast
    paid: str
    received: str
    case: str
    product: UUID
    plan: UUID
    posting: UUID

    def address(self, pattern: str) -> str:
        """A pattern of ``urls.py`` as a real address."""
        if "<" not in pattern:
            return f"/console/{pattern}"
        real = {"products": self.product, "orders": self.paid, "cases": self.case, "plans": self.plan,
                "members": self.cast.buyer, "payouts": self.cast.buyer, "tax": self.cast.sharer, "ledger": self.posting,
                "risk": self.cast.sharer}  # fmt: skip
        known = "bank" if "accounts" in pattern else str(real[pattern.split("/")[0]])
        head, _open, rest = pattern.partition("<")
        return f"/console/{head}{known}{rest.partition('>')[2]}"


def open_desk() -> Desk:
    """One order to ship, one received with a case, a plan that is unlawful, staff of every role."""
    cast, at = assemble(), clock.now()
    for role in ("operator", "support"):
        people.create_operator(phone=STAFF[role], name=role, password=PASSWORD, roles={role}, by=SYSTEM, at=at)
    placed, start = buy(cast, at)
    pay(placed, start, at)
    drain(at)
    ship_and_receive(cast, placed, at)
    lines = orders.lines_of([placed.order_id])[placed.order_id]
    aftersale.open_case(order_id=placed.order_id, buyer_id=cast.buyer, units={lines[0].id: 1}, reason="quality", at=at)
    waiting, start = buy(cast, at)
    pay(waiting, start, at)
    drain(at)
    plans.import_plan(text=DEEP, by=cast.owner, at=at)
    draft = versions.latest("deep")
    assert draft is not None and lines[0].product_id is not None
    return Desk(cast, waiting.no, placed.no, cases.cases_of_order(placed.order_id)[0].no, lines[0].product_id, draft.id,
                books.postings()[0].id)  # fmt: skip


def sign_in(role: str, language: str = "zh-hans") -> Client:
    """A client of one of the staff."""
    client = Client(headers={"accept-language": "en" if language == "en" else "zh-CN"})
    assert client.post("/console/sign-in", {"phone": STAFF[role], "password": PASSWORD}).status_code == 302
    return client


def shopper(member_id: UUID) -> Client:
    """Somebody signed in by SMS."""
    client = Client()
    client.force_login(Member.objects.get(id=member_id), backend=BACKEND)
    return client
