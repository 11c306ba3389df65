"""Integer money: minor units (fen, cents), basis points, one rounding, one way to split.

Nothing here or anywhere else in the mall holds an amount in a float. Amounts are ``int`` in
minor units of the mall's single currency; rates are ``int`` in basis points (1 bp = 0.01 %).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

BP = 10_000
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3}
_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "HKD": "HK$", "TWD": "NT$"}


def digits(currency: str) -> int:
    """How many decimals the currency's major unit has (ISO 4217)."""
    return _DIGITS.get(currency, 2)


def floor_bp(amount_minor: int, rate_bp: int) -> int:
    """⌊amount × rate⌋ in minor units; the amount may not be negative, so floor means "never too much"."""
    return amount_minor * rate_bp // BP


def round_half_up(value: Decimal) -> int:
    """The mall's one rounding: half away from zero, to whole minor units."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` over ``weights`` so that the parts sum to it exactly.

    Each part is ⌊total·wᵢ/Σw⌋; the units left over go to the largest remainders, ties to the
    lower index. All weights zero: everything lands on nobody and the result is all zeros,
    unless ``total`` is positive, which is a programming error and raises ``ValueError``.
    """
    if total < 0 or any(w < 0 for w in weights):
        raise ValueError("largest_remainder takes no negative numbers")
    weight = sum(weights)
    if weight == 0:
        if total:
            raise ValueError("largest_remainder: nothing to split over")
        return [0] * len(weights)
    parts = [total * w // weight for w in weights]
    left = total - sum(parts)
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % weight), i))
    for i in order[:left]:
        parts[i] += 1
    return parts


def format_minor(amount_minor: int, currency: str = "CNY") -> str:
    """``-1290`` CNY → ``-¥12.90``; for people, never for parsing."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{_SIGNS.get(currency, currency + ' ')}{plain(abs(amount_minor), currency, group=True)}"


def plain(amount_minor: int, currency: str = "CNY", *, group: bool = False) -> str:
    """``1290`` CNY → ``12.90``: no sign of the currency; ``group`` adds thousands separators."""
    places = digits(currency)
    major, minor = divmod(abs(amount_minor), 10**places)
    head = f"{major:,}" if group else str(major)
    body = f"{head}.{minor:0{places}d}" if places else head
    return f"-{body}" if amount_minor < 0 else body


def parse_major(text: str, currency: str = "CNY", *, exact: bool = True) -> int:
    """``"12.9"`` → ``1290``. *Refuses:* ``ValueError`` for anything that is not a plain number, and,
    when ``exact``, for more decimals than the currency has; otherwise those round half up."""
    try:
        value = Decimal(text.strip().lstrip("¥$€£").replace(",", ""))
    except (InvalidOperation, AttributeError):
        raise ValueError(f"not an amount: {text!r}") from None
    if not value.is_finite() or abs(value) > Decimal(10) ** 12:
        raise ValueError(f"not an amount: {text!r}")
    scaled = value * (10 ** digits(currency))
    if exact and scaled != scaled.to_integral_value():
        raise ValueError(f"more than {digits(currency)} decimals: {text!r}")
    return round_half_up(scaled)
