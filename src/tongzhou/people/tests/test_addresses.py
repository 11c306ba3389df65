"""Addresses: a form sent twice adds nothing, and a place is its code, never its name alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.cast import ADDRESS

from tongzhou.kit.refusals import Refusal
from tongzhou.people import commands, divisions, queries

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


@pytest.fixture
def member():
    return commands.register_member(phone="+8613900000672", at=AT)


def save(member, address=ADDRESS, **more):
    return commands.save_address(member_id=member, address=address, at=AT, **more)


def test_the_same_address_again_is_the_same_one(member):
    first = save(member)
    assert save(member) == first and len(queries.addresses(member)) == 1
    other = save(member, replace(ADDRESS, detail="文三路 1 号"))
    assert other != first and len(queries.addresses(member)) == 2
    save(member, replace(ADDRESS, detail="文三路 1 号"), is_default=True)
    assert [a.id for a in queries.addresses(member) if a.is_default] == [other]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"receiver": " "}, "receiver"),
        ({"receiver": "\u202e\u200b"}, "receiver"),  # nothing that anybody could see
        ({"phone": "12345"}, "phone"),
        ({"code": "330106"}, "code"),  # a county that has streets: not the last level
        ({"code": "999999"}, "code"),
        ({"detail": "x"}, "detail"),
    ],
)
def test_each_faulty_field_is_named_and_nothing_is_kept(member, change, field):
    with pytest.raises(Refusal) as refused:
        save(member, replace(ADDRESS, **change))
    assert [e.field for e in refused.value.errors] == [field]
    assert not queries.addresses(member)


def test_places_nobody_speaks_of_are_walked_through():
    beijing = next(d for d in divisions.children() if d.name == "北京市")
    assert "市辖区" not in [d.name for d in divisions.children(beijing.code)]
    assert "东城区" in [d.name for d in divisions.children(beijing.code)]
    guangdong = divisions.find("广东省")
    dongguan = next(d for d in divisions.children(guangdong) if d.name == "东莞市")
    towns = divisions.children(dongguan.code)
    assert towns and all(d.leaf for d in towns), "no county level: straight to its towns"
    assert divisions.find("朝阳区") is None, "a county's name alone identifies nothing"


def test_every_place_can_be_reached_and_read_back():
    todo, leaves = list(divisions.children()), 0
    while todo:
        place = todo.pop()
        if place.leaf:
            leaves += 1
            assert divisions.path(place.code)[-1].code == place.code
        else:
            todo += divisions.children(place.code)
    assert leaves > 41_000
