"""The chart of accounts inside a book (money.md). Codes end in a free part where the table shows one."""

from enum import StrEnum
from functools import cache


class Type(StrEnum):
    """What sort of account; assets and expenses grow on the debit side, the rest on the credit side."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    EXPENSE = "expense"
    EQUITY = "equity"


# code → (type, constrained). A code ending in "." takes one or more parts after it.
CHART: dict[str, tuple[Type, bool]] = {
    "gateway.": (Type.ASSET, False),
    "bank": (Type.ASSET, False),
    "prepaid.rewards": (Type.ASSET, True),
    "receivable.clawback.": (Type.ASSET, True),
    "receivable.points": (Type.ASSET, True),
    "receivable.tax": (Type.ASSET, True),
    "receivable.supplier": (Type.ASSET, True),
    "receivable.dispute": (Type.ASSET, True),
    "clearing.books": (Type.ASSET, False),
    "deposit.orders": (Type.LIABILITY, True),
    "deposit.presale": (Type.LIABILITY, True),
    "suspense.payments": (Type.LIABILITY, True),
    "refund.in_transit": (Type.LIABILITY, True),
    "reward.expected": (Type.LIABILITY, True),
    "reward.held": (Type.LIABILITY, True),
    "reward.available": (Type.LIABILITY, True),
    "dividend.available": (Type.LIABILITY, True),
    "dividend.appreciation": (Type.LIABILITY, True),
    "agent.available": (Type.LIABILITY, True),
    "agent.stock_value": (Type.LIABILITY, True),
    "payout.in_transit.": (Type.LIABILITY, True),
    "credit.store": (Type.LIABILITY, True),
    "credit.points": (Type.LIABILITY, True),
    "credit.gift": (Type.LIABILITY, True),
    "payable.supplier": (Type.LIABILITY, True),
    "tax.withheld": (Type.LIABILITY, True),
    "tax.output": (Type.LIABILITY, True),
    "revenue.goods": (Type.INCOME, False),
    "revenue.freight": (Type.INCOME, False),
    "revenue.handling": (Type.INCOME, False),
    "revenue.forfeit": (Type.INCOME, False),
    "opening": (Type.EQUITY, False),
    "expense.goods": (Type.EXPENSE, False),
    "expense.freight": (Type.EXPENSE, False),
    "expense.rewards": (Type.EXPENSE, False),
    "expense.campaign.": (Type.EXPENSE, False),
    "expense.gateway_fee": (Type.EXPENSE, False),
    "expense.payout_fee": (Type.EXPENSE, False),
    "expense.dividend": (Type.EXPENSE, False),
    "expense.compensation": (Type.EXPENSE, False),
    "expense.dispute": (Type.EXPENSE, False),
    "expense.bad_debt": (Type.EXPENSE, False),
}

# Which receivable a credit to an available account nets (law 5): its own source's, no other.
NETS = {
    "reward.available": "receivable.clawback.reward",
    "dividend.available": "receivable.clawback.dividend",
    "agent.available": "receivable.clawback.agent",
    "payable.supplier": "receivable.supplier",
    "credit.points": "receivable.points",
    "tax.withheld": "receivable.tax",
}


@cache
def entry(account: str) -> tuple[Type, bool]:
    """Type and constraint of an account. *Refuses:* ``KeyError`` for a code the chart does not know."""
    if account in CHART and not account.endswith("."):
        return CHART[account]
    head = account
    while "." in head:
        head, tail = head.rsplit(".", 1)
        if tail and head + "." in CHART:
            return CHART[head + "."]
    raise KeyError(account)


def is_debit_normal(account: str) -> bool:
    """True where the balance is debits − credits."""
    return entry(account)[0] in (Type.ASSET, Type.EXPENSE)


def is_constrained(account: str) -> bool:
    """True where the normal side may never fall below the other."""
    return entry(account)[1]


def beancount_name(account: str) -> str:
    """``reward.in_transit`` → ``Liabilities:Reward:In-Transit``; reversible within the chart."""
    root = {
        Type.ASSET: "Assets", Type.LIABILITY: "Liabilities", Type.INCOME: "Income",
        Type.EXPENSE: "Expenses", Type.EQUITY: "Equity",
    }[entry(account)[0]]  # fmt: skip
    parts = ["-".join(word.capitalize() for word in part.split("_")) for part in account.split(".")]
    return ":".join([root, *parts])
