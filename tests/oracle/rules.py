"""The arithmetic, written again from the prose: exact fractions, floors and remainders; no shortcuts."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split exactly: floors first, then one more to whoever lost most by the floor, ties to the earlier."""
    whole = sum(weights)
    if not whole:
        return [0 for _ in weights]
    exact = [Fraction(total * w, whole) for w in weights]
    parts = [floor(x) for x in exact]
    while sum(parts) < total:
        lost = [x - p for x, p in zip(exact, parts, strict=True)]
        parts[lost.index(max(lost))] += 1
    return parts


def spread(goods: Sequence[int], freight: int, *, coupons: Sequence[int], points: int, credit: int) -> list[list[int]]:
    """Per line (freight last): what it costs after coupons, its points, its credit, its cash."""
    left = list(goods)
    for coupon in coupons:
        left = [have - off for have, off in zip(left, largest_remainder(coupon, left), strict=True)]
    by_points = largest_remainder(points, left)
    payable = [have - p for have, p in zip(left, by_points, strict=True)] + ([freight] if freight else [])
    by_credit = largest_remainder(credit, payable)
    costs = [*left, *([freight] if freight else [])]
    by_points += [0] * (len(costs) - len(by_points))
    return [[n, p, k, n - p - k] for n, p, k in zip(costs, by_points, by_credit, strict=True)]


def back_by_tender(amount: int, points: int, credit: int, coupon: int, refunded: int) -> tuple[int, int, int, int]:
    """(points, credit, cash, coupon) given back in all once ``refunded`` of ``amount`` is."""
    p = floor(Fraction(points * refunded, amount)) if amount else 0
    k = floor(Fraction(credit * (refunded - p), amount - points)) if amount != points else 0
    return p, k, refunded - p - k, floor(Fraction(coupon * refunded, amount)) if amount else 0


def reward_due(amount: int, cost: int | None, rate_bp: int, share_bp: int, refunded: int, *, points: int = 0) -> int:
    """What a line's reward is worth now: the rate on what was really paid and kept, under the frozen ceiling."""
    at_first = floor(Fraction((amount - points) * rate_bp, 10_000))
    if cost is not None:
        at_first = min(at_first, floor(Fraction(max(0, amount - points - cost) * share_bp, 10_000)))
    points_back = floor(Fraction(points * refunded, amount)) if amount else 0
    kept = (amount - points) - (refunded - points_back)
    return min(at_first, floor(Fraction(kept * rate_bp, 10_000)))


# 累计预扣法: up to this much (fen), at this rate (per cent), less this quick deduction (fen).
BRACKETS = ((3_600_000, 3, 0), (14_400_000, 10, 252_000), (30_000_000, 20, 1_692_000), (42_000_000, 25, 3_192_000),
            (66_000_000, 30, 5_292_000), (96_000_000, 35, 8_592_000), (None, 45, 18_192_000))  # fmt: skip


def tax_due(income: int, months: int, withheld: int) -> int:
    """Cumulative tax on a year's income so far, less what was withheld; half a fen rounds up."""
    base = Fraction(income * 80, 100) - 500_000 * months
    if base <= 0:
        return 0
    rate, quick = next((r, q) for top, r, q in BRACKETS if top is None or base <= top)
    whole = base * rate / 100 - quick
    return max(0, floor(whole + Fraction(1, 2)) - withheld)
