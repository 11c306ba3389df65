"""The character of an avatar."""

import pytest

from tongzhou.kit.names import initial


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("林小满", "满"),
        ("anna lee", "A"),
        (" 阿 Tom", "阿"),
        ("@zoe", "Z"),
        ("", "舟"),
        ("  ", "舟"),
        ("🐱", "🐱"),
        ("éva", "É"),
        ("ßen", "S"),
    ],
)
def test_a_chinese_name_shows_its_last_character_any_other_its_first_letter(name, shown):
    assert initial(name) == shown
