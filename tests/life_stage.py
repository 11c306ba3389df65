"""Who and what a life is about, and how its money is added up."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from django.db.models import Sum
from hypothesis import strategies as st

from tests import oracle
from tests.cast import AT, Cast, assemble, product
from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.kit.actor import member
from tongzhou.ledger.models import Transfer
from tongzhou.orders.values import RefundItem
from tongzhou.payments.values import Notice
from tongzhou.payouts import commands as payouts
from tongzhou.people import commands as people
from tongzhou.people import queries as members
from tongzhou.risk import commands as risk

RATE_BP, SHARE_BP, WINDOW = 1000, 5000, 15  # tests.cast.PLAN
DEBIT_SIDE = ("gateway.", "bank", "prepaid.", "receivable.", "clearing.", "expense.")
Draw = st.DataObject | Random
WANTS = st.dictionaries(st.integers(0, 3), st.integers(1, 3), min_size=1, max_size=2)


@dataclass
class Stage:
    """Who and what a life is about; made once, every life starts from it."""

    cast: Cast
    buyers: list[UUID]
    sharers: list[UUID]
    codes: list[str]
    skus: list[UUID]


def set_stage() -> Stage:
    """The cast, another buyer and sharer, and goods whose prices divide badly."""
    cast = assemble()
    other = people.register_member(phone="+8613900000004", display_name="周航", at=AT)
    guest = people.register_member(phone="+8613900000005", display_name="白露", at=AT)
    shelf = goods.categories()[0].id
    odd = product("odd", "奇数", cast.supplier, shelf, list_price=1013, member=1009, cost=907, stock=1, by=cast.owner, at=AT)  # fmt: skip
    dear = product("dear", "贵重", cast.supplier, shelf, list_price=9_999_990, member=9_999_989, cost=1_000_003, stock=1,
                   by=cast.owner, at=AT)  # fmt: skip
    skus = [cast.tea, cast.rice, odd, dear]
    catalog.set_stock(levels=[(sku, 1_000_000) for sku in skus], by=cast.owner, at=AT)
    for who in (cast.sharer, other):
        payouts.register_payee(
            member_id=who, legal_name="林小满", account="6222020000001234", born="1995-05-05", by=member(who), at=AT
        )
    for points in ("returns_points", "late_points"):  # the oracle knows no risk: these lives return as they like
        risk.change_setting(key=points, value=0, reason="the oracle knows no risk", by=cast.owner, at=AT)
    sharers = [cast.sharer, other]
    return Stage(cast, [cast.buyer, guest], sharers, [members.card(s).invite_code for s in sharers], skus)


@dataclass
class Bought:
    """One order as its buyer knows it."""

    id: UUID
    no: str
    buyer: UUID
    total: int
    trades: list[str]
    taken: set[str] = field(default_factory=set)
    ended: bool = False
    disputes: list[Notice] = field(default_factory=list)
    refunds: list[tuple[str, RefundItem]] = field(default_factory=list)


@dataclass
class Asked:
    """One payout under way."""

    id: UUID
    sharer: UUID
    step: int = 0
    released: datetime | None = None


def sums(**where: Any) -> dict[str, int]:
    """Each account's balance on its normal side, added up from transfers; independent of the ledger's own reads."""
    out: dict[str, int] = {}
    for side, sign in (("debit", 1), ("credit", -1)):
        for row in Transfer.objects.filter(**where).values(side).annotate(n=Sum("amount")):
            account = row[side]
            normal = 1 if account.startswith(DEBIT_SIDE) else -1
            out[account] = out.get(account, 0) + sign * normal * row["n"]
    return out


def together(purse: oracle.Purse) -> oracle.Purse:
    """What is held, available and owed as one figure: while a bank decides, the rest depends on what was there."""
    whole = purse.held + purse.available - purse.receivable
    return replace(purse, held=whole, available=0, receivable=0, undecided=False)
