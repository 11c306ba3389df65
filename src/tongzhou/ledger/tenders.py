"""Tenders and refunds to the cent: pure integer rules shared by orders and after-sale (money.md).

An order is paid with a mix of supplier coupon, platform coupon, points, store credit and cash. The
mix is spread over the lines once, at checkout, and every refund gives each tender back its part by
floors nested over the running sum, so that any sequence of partial refunds adds up exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tongzhou.kit.money import largest_remainder


@dataclass(frozen=True, slots=True)
class LineTenders:
    """One line's share of each tender, minor units. ``amount`` (N) is what the line costs after coupons."""

    amount: int
    supplier_coupon: int
    platform_coupon: int
    points: int
    credit: int
    cash: int

    @property
    def coupon(self) -> int:
        """Both coupons together (C)."""
        return self.supplier_coupon + self.platform_coupon


def split_tenders(
    goods: Sequence[int], freight: int = 0, *, supplier_coupon: int = 0, platform_coupon: int = 0, points: int = 0,
    credit: int = 0,
) -> list[LineTenders]:  # fmt: skip
    """Spread tenders over the goods lines (and freight, last, when it is not zero), by largest remainder.

    Supplier coupon, platform coupon and points go over goods; store credit over goods and freight;
    cash is the rest. Σ cash + credit + points = Σ amounts. *Refuses:* ``ValueError`` when a tender is
    larger than what it may pay.
    """
    left = list(goods)
    shares: dict[str, list[int]] = {}
    for name, total in (("supplier", supplier_coupon), ("platform", platform_coupon), ("points", points)):
        if total > sum(left):
            raise ValueError(f"{name} tender {total} exceeds what is left to pay, {sum(left)}")
        shares[name] = largest_remainder(total, left)
        left = [have - used for have, used in zip(left, shares[name], strict=True)]
    payable = [*left, freight] if freight else left
    if credit > sum(payable):
        raise ValueError(f"credit {credit} exceeds what is left to pay, {sum(payable)}")
    credits = largest_remainder(credit, payable)
    zeros = [0] * (len(payable) - len(left))
    return [
        LineTenders(amount - s - p, s, p, pts, k, pay - k)
        for amount, s, p, pts, k, pay in zip(
            [*goods, *([freight] if freight else [])],
            [*shares["supplier"], *zeros],
            [*shares["platform"], *zeros],
            [*shares["points"], *zeros],
            credits,
            payable,
            strict=True,
        )
    ]


@dataclass(frozen=True, slots=True)
class RefundParts:
    """What one refund gives back of each tender, minor units. ``points + credit + cash`` = the refund."""

    points: int
    credit: int
    cash: int
    coupon: int


def returned_so_far(amount: int, points: int, credit: int, coupon: int, refunded: int) -> RefundParts:
    """What has been given back in all once ``refunded`` (M) of a line of ``amount`` (N) is refunded.

    p = ⌊P·M/N⌋, k = ⌊K·(M−p)/(N−P)⌋, cash = M−p−k, coupon = ⌊C·M/N⌋; a zero denominator gives zero.
    """
    if not 0 <= refunded <= amount:
        raise ValueError(f"refunded {refunded} is outside 0..{amount}")
    p = points * refunded // amount if amount else 0
    k = credit * (refunded - p) // (amount - points) if amount > points else 0
    c = coupon * refunded // amount if amount else 0
    return RefundParts(p, k, refunded - p - k, c)


def refund_parts(amount: int, points: int, credit: int, coupon: int, before: int, after: int) -> RefundParts:
    """What the refund that takes a line from ``before`` to ``after`` refunded gives back, tender by tender."""
    old = returned_so_far(amount, points, credit, coupon, before)
    new = returned_so_far(amount, points, credit, coupon, after)
    return RefundParts(new.points - old.points, new.credit - old.credit, new.cash - old.cash, new.coupon - old.coupon)


def amount_for_units(amount: int, quantity: int, units_before: int, units: int) -> int:
    """What ``units`` more units of a line are worth: ⌊N·u/q⌋ nested, so the last unit takes what is left."""
    if quantity <= 0 or units_before < 0 or units < 0 or units_before + units > quantity:
        raise ValueError("units outside the line")
    return amount * (units_before + units) // quantity - amount * units_before // quantity


def coupon_for_units(coupon: int, quantity: int, units: int) -> int:
    """Coupon back for a line that cost nothing (N = 0): by units, ⌊C·u/q⌋."""
    return coupon * units // quantity if quantity else 0
