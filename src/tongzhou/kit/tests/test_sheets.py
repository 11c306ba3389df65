"""Rows by columns: what goes in comes out, however few or many, on both engines."""

from datetime import UTC, datetime

import pytest

from tongzhou.kit import selects, sheets
from tongzhou.kit.ids import new_id, new_ids
from tongzhou.kit.models import Claim

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, 5, 6, 789, tzinfo=UTC)
ODD = ['a"b', "c\\d", "{e,f}", "NULL", "", " g ", "价\t格\n", "%s", "'"]


def rows(count):
    return {
        "value": [f"{ODD[n % len(ODD)]}:{n}" for n in range(count)],
        "owner_id": [None if n % 3 else new_id() for n in range(count)],
        "input_hash": [ODD[n % len(ODD)] for n in range(count)],
        "result": [None if n % 2 else {"说": ODD[n % len(ODD)], "n": n} for n in range(count)],
    }


@pytest.mark.parametrize("count", [0, 1, sheets.FEW, sheets.FEW + 1, 500])
def test_what_goes_in_comes_out(count):
    each = rows(count)
    assert sheets.insert(Claim, each, {"at": AT}) == count
    kept = {c.value: (c.owner_id, c.input_hash, c.result, c.at) for c in Claim.objects.all()}
    assert kept == {
        v: (o, h, r, AT)
        for v, o, h, r in zip(*(each[n] for n in ("value", "owner_id", "input_hash", "result")), strict=True)
    }
    assert sheets.insert(Claim, each, {"at": AT}, unless=("value",)) == 0
    each["value"] = [*each["value"][1:], "new"] if count else []
    assert sheets.insert(Claim, each, {"at": AT}, unless=("value",)) == min(count, 1)


@pytest.mark.parametrize("count", [0, 1, sheets.FEW, sheets.FEW + 1, 500])
def test_a_table_of_rows_keeps_its_order(count):
    ids = new_ids(count)
    want, params = sheets.table("w", {"id": ("uuid", ids), "n": ("bigint", list(range(count)))})
    found = selects.fetch(f"SELECT w.id, w.n FROM {want}", params)
    assert [(selects.id_of(i), n) for i, n in found] == list(zip(ids, range(count), strict=True))


def test_a_column_forgotten_is_told():
    with pytest.raises(TypeError, match="input_hash"):
        sheets.insert(Claim, {"value": ["a"], "owner_id": [None], "result": [None]}, {"at": AT})


def test_many_names_at_once_are_new_and_increasing():
    found = [new_id(), *new_ids(5000), new_id(), *new_ids(0), *new_ids(3)]
    assert found == sorted(set(found)) and {i.version for i in found} == {7}
