"""Suppliers: made once, renamed, paused; refusals change nothing."""

from datetime import UTC, datetime

import pytest

from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.kit.models import AuditEntry, Claim
from tongzhou.kit.refusals import Refusal
from tongzhou.kit.states import reachable
from tongzhou.suppliers import commands, queries
from tongzhou.suppliers.models import MOVES, Status, Supplier

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)


def everything():
    return [list(t.objects.order_by("pk").values()) for t in (Supplier, Claim, AuditEntry)]


def refused(code, call):
    before = everything()
    with pytest.raises(Refusal, match=code):
        call()
    assert everything() == before


def test_the_same_code_is_the_same_supplier():
    first = commands.ensure_supplier("beitian", "北田粮仓", "Beitian Grain", AT)
    before = everything()
    assert commands.ensure_supplier("beitian", "另一个名字", "", AT) == first and everything() == before
    assert commands.ensure_supplier(" BEITIAN ", "x", "", AT) == first
    value = queries.supplier(first)
    assert (value.code, value.name, value.name_en, value.active) == ("beitian", "北田粮仓", "Beitian Grain", True)
    assert queries.by_code("beitian") == value and queries.suppliers() == [value]


@pytest.mark.parametrize(
    ("code", "name"), [("", "x"), ("Bei Tian", "x"), ("-a", "x"), ("a" * 41, "x"), ("a", ""), ("a", "x" * 81)]
)
def test_faulty_suppliers_are_refused(code, name):
    refused("supplier_invalid", lambda: commands.ensure_supplier(code, name, "", AT))


def test_rename_pause_resume():
    id_ = commands.ensure_supplier("beitian", "北田粮仓", "", AT)
    commands.update_supplier(supplier_id=id_, name="北田", name_en="Beitian", contact="138", by=SYSTEM, at=AT)
    assert queries.supplier(id_).name == "北田"
    commands.pause_supplier(supplier_id=id_, by=SYSTEM, at=AT)
    assert not queries.supplier(id_).active
    refused("state_moved_on", lambda: commands.pause_supplier(supplier_id=id_, by=SYSTEM, at=AT))
    commands.resume_supplier(supplier_id=id_, by=SYSTEM, at=AT)
    refused("state_moved_on", lambda: commands.resume_supplier(supplier_id=id_, by=SYSTEM, at=AT))
    change = {"name_en": "", "contact": "", "by": SYSTEM, "at": AT}
    refused("supplier_invalid", lambda: commands.update_supplier(supplier_id=id_, name="", **change))
    refused("supplier_not_found", lambda: commands.update_supplier(supplier_id=new_id(), name="x", **change))
    with pytest.raises(Refusal, match="supplier_not_found"):
        queries.supplier(new_id())


def test_every_status_can_be_reached():
    assert reachable(MOVES, Status.ACTIVE) == set(Status)
