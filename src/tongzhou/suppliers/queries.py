"""Reads of suppliers."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import selects
from tongzhou.kit.refusals import not_found
from tongzhou.suppliers.models import Status, SuppliedSeen, Supplier
from tongzhou.suppliers.values import SupplierValue

_FIELDS = ("id", "code", "name", "name_en", "contact", "status")


def _value(row: tuple[Any, ...]) -> SupplierValue:
    id_, code, name, name_en, contact, status = row
    return SupplierValue(id_, code, name, name_en, contact, active=status == Status.ACTIVE)


def known(supplier_id: UUID) -> SupplierValue:
    """One supplier as it was within the last half minute: for pages that only name it. *Refuses:* ``supplier_not_found``."""
    found: SupplierValue | None = cache.get(f"supplier:{supplier_id}")
    if found is None:
        found = supplier(supplier_id)
        cache.set(f"supplier:{supplier_id}", found, 30)
    return found


def supplier(supplier_id: UUID) -> SupplierValue:
    """One supplier. *Refuses:* ``supplier_not_found``."""
    row = selects.one(Supplier, "t.id = %s", [supplier_id])
    if row is None:
        raise not_found(_("没有这个供应商。"), code="supplier_not_found")
    return _value(tuple(getattr(row, name) for name in _FIELDS))


def by_ids(ids: Iterable[UUID]) -> dict[UUID, SupplierValue]:
    """Several suppliers in one query; unknown ids are left out."""
    return {row[0]: _value(row) for row in Supplier.objects.filter(id__in=set(ids)).values_list(*_FIELDS)}


def by_code(code: str) -> SupplierValue | None:
    """The supplier with this code, or None."""
    row = Supplier.objects.filter(code=code.strip().lower()).values_list(*_FIELDS).first()
    return _value(row) if row else None


def snapshots_booked(line_ids: "QuerySet[Any, Any]") -> dict[UUID, tuple[UUID, int]]:
    """Of these order lines (a query of ids): whose supplier's book, and which snapshot it has heard."""
    rows = SuppliedSeen.objects.filter(line_id__in=line_ids).values_list("line_id", "supplier_id", "version")
    return {line: (supplier, version) for line, supplier, version in rows}


def suppliers(*, limit: int = 500) -> list[SupplierValue]:
    """Every supplier, by code."""
    return [_value(row) for row in Supplier.objects.order_by("code").values_list(*_FIELDS)[:limit]]
