"""What counts as a number in a request."""

import pytest

from tongzhou.kit.numbers import whole


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("2026", 2026), ("007", 7), ("", None), ("²", None), ("①", None), ("٣", None), ("-1", None), ("1.0", None),
     (" 1", None), ("9" * 9, 999_999_999), ("9" * 10, None), ("9" * 5000, None)],
)  # fmt: skip
def test_whole(text, number):
    assert whole(text) == number
