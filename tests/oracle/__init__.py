"""What the books must say, computed again from facts alone.

This package imports nothing of the project (a test reads its imports): it is a second opinion,
written from the rules in prose. It takes facts in the order in which they happened and answers with
the final money; in which order the mall *heard* of them must not matter.
"""

from tests.oracle.facts import (
    Captured,
    Delivered,
    Disputed,
    DisputeLost,
    DisputeWon,
    Ended,
    Fact,
    Line,
    PayoutAsked,
    PayoutFailed,
    PayoutPaid,
    Placed,
    Refunded,
    RefundPaid,
)
from tests.oracle.money import Answer, OrderMoney, Purse, answer
from tests.oracle.rules import back_by_tender, largest_remainder, reward_due, spread, tax_due

__all__ = [
    "Answer", "Captured", "Delivered", "DisputeLost", "DisputeWon", "Disputed", "Ended", "Fact", "Line", "OrderMoney", "PayoutAsked", "PayoutFailed", "PayoutPaid",
    "Placed", "Purse", "RefundPaid", "Refunded", "answer", "back_by_tender", "largest_remainder", "reward_due", "spread",
    "tax_due",
]  # fmt: skip
