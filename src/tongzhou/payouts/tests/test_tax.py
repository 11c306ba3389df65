"""The published vectors, and what must hold for any income."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongzhou.payouts import tax

ONCE = {500: "0", 800: "0", 1000: "40", 4000: "640", 4001: "640.16", 10000: "1600", 25000: "4000", 30000: "5200",
        62500: "13000", 70000: "15400", 100000: "25000"}  # fmt: skip
CUMULATIVE = [
    ([10000] * 3, ["90", "90", "90"]),
    ([6000] * 3, ["0", "0", "0"]),
    ([60000] * 4, ["1780", "4300", "4300", "7100"]),
    ([3000, 20000, 0, 45000], ["0", "252", "0", "780"]),
]


def fen(text):
    return int(Decimal(text) * 100)


@pytest.mark.parametrize(("income", "wanted"), ONCE.items())
def test_one_off_vectors(income, wanted):
    assert tax.one_off(income * 100) == fen(wanted)


@pytest.mark.parametrize(("incomes", "wanted"), CUMULATIVE)
def test_cumulative_vectors(incomes, wanted):
    assert tax.cumulative([i * 100 for i in incomes]) == [fen(w) for w in wanted]


@pytest.mark.parametrize(
    ("gross", "wanted"), [("100000", "0"), ("100999.99", "0"), ("101000", "1000"), ("151500", "1500")]
)
def test_vat_vectors(gross, wanted):
    assert tax.vat_monthly(fen(gross)) == fen(wanted)


def test_the_vectors_file_agrees_when_it_is_beside_the_checkout():
    path = Path(__file__).resolve().parents[5] / "shared" / "design" / "vectors.json"
    if not path.exists():
        pytest.skip("vectors.json is not beside this checkout")
    data = json.loads(path.read_text())
    assert {int(k): fen(v) for k, v in data["iit_once"].items()} == {k: fen(v) for k, v in ONCE.items()}


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=12))
def test_withholding_is_never_negative_nor_more_than_income(incomes):
    for income, withheld in zip(incomes, tax.cumulative(incomes), strict=True):
        assert 0 <= withheld <= max(income, sum(incomes))


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 12))
def test_more_income_never_means_less_tax(a, b, months):
    low, high = sorted((a, b))
    assert tax.due_now(low, months, 0) <= tax.due_now(high, months, 0)


@given(st.lists(st.integers(1, 10**7), min_size=2, max_size=6), st.integers(1, 12))
def test_splitting_a_month_into_payouts_changes_nothing(parts, month):
    total = withheld = 0
    for part in parts:
        total += part
        withheld += tax.due_now(total, month, withheld)
    assert withheld == tax.due_now(sum(parts), month, 0)
