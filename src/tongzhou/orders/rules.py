"""Pure rules of orders. Prose with worked numbers: docs/algorithms/price.md."""

import secrets
from datetime import date, timedelta

HOLD = timedelta(minutes=30)
GRACE = timedelta(minutes=5)  # a payment made in the last minute still finds its goods
MOST_UNITS = 999
MOST_LINES = 100


def freight(goods_minor: int, *, fee_minor: int, free_from_minor: int) -> int:
    """What delivery costs: nothing from ``free_from_minor`` on, else one fee. An empty order pays none."""
    return 0 if goods_minor == 0 or goods_minor >= free_from_minor else fee_minor


def order_number(day: date) -> str:
    """``TZ260714`` and eight random digits: says the day, hides how many orders there are."""
    return f"TZ{day:%y%m%d}{secrets.randbelow(10**8):08d}"


def line_amount(unit_price_minor: int, quantity: int) -> int:
    """Price × quantity, exactly."""
    return unit_price_minor * quantity
