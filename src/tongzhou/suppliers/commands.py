"""The verbs of suppliers."""

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, states
from tongzhou.kit.actor import SYSTEM, Actor
from tongzhou.kit.idempotency import owner_of, take
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal, conflict, invalid, not_found
from tongzhou.suppliers.models import MOVES, Status, Supplier

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")


def _checked(code: str, name: str, name_en: str, contact: str) -> None:
    errors = []
    if not _CODE.fullmatch(code):
        errors.append(
            invalid(
                "code", _("供应商代码不合规则。"), field="code", value=code,
                rule=_("1 到 40 个字母、数字，中间可用点、连字符或下划线"), fix=_("例如 beitian-grain。"),
            )
        )  # fmt: skip
    if not 1 <= len(name) <= 80:
        errors.append(invalid("name", _("请写供应商名称。"), field="name", value=name, rule=_("1 到 80 个字")))
    if len(name_en) > 80:
        errors.append(invalid("name_en", _("英文名称太长。"), field="name_en", value=name_en, rule=_("最多 80 个字")))
    if len(contact) > 200:
        errors.append(invalid("contact", _("联系方式太长。"), field="contact", value=contact, rule=_("最多 200 个字")))
    if errors:
        raise Refusal("supplier_invalid", _("供应商资料需要改正。"), field="supplier", errors=errors)


@transaction.atomic
def ensure_supplier(
    code: str, name: str, name_en: str = "", at: datetime | None = None, *, by: Actor = SYSTEM, contact: str = ""
) -> UUID:
    """The id of the supplier with this code, made on first sight; an existing one is left as it is. Case is ignored.

    *Refuses:* ``supplier_invalid`` listing each field.
    """
    code, name, name_en = code.strip().lower(), name.strip(), name_en.strip()
    found = Supplier.objects.filter(code=code).values_list("id", flat=True).first()
    if found:
        return found
    _checked(code, name, name_en, contact)
    if at is None:
        raise ValueError("a new supplier needs the moment it is made at")
    supplier_id = new_id()
    if not take(f"supplier:{code}", at=at, owner_id=supplier_id):
        holder = owner_of(f"supplier:{code}")
        if holder is None:
            raise conflict("supplier_code_taken", _("这个供应商代码已被占用。"), field="code", value=code)
        return holder
    Supplier.objects.bulk_create(
        [Supplier(id=supplier_id, code=code, name=name, name_en=name_en, contact=contact, created_at=at)]
    )
    audit.record(by=by, action="supplier.created", subject_kind="supplier", subject_id=supplier_id, at=at, code=code)
    return supplier_id


@transaction.atomic
def update_supplier(*, supplier_id: UUID, name: str, name_en: str, contact: str, by: Actor, at: datetime) -> None:
    """Rename a supplier or change its contact. *Refuses:* ``supplier_not_found``, ``supplier_invalid``."""
    name, name_en, contact = name.strip(), name_en.strip(), contact.strip()
    row = Supplier.objects.filter(id=supplier_id).values_list("code", "name").first()
    if row is None:
        raise not_found(_("没有这个供应商。"), code="supplier_not_found")
    _checked(row[0], name, name_en, contact)
    Supplier.objects.filter(id=supplier_id).update(name=name, name_en=name_en, contact=contact)
    audit.record(
        by=by, action="supplier.changed", subject_kind="supplier", subject_id=supplier_id, at=at, was=row[1], now=name
    )


@transaction.atomic
def pause_supplier(*, supplier_id: UUID, by: Actor, at: datetime) -> None:
    """Stop publishing a supplier's goods. *Refuses:* ``state_moved_on``."""
    _moved(supplier_id, Status.PAUSED, by=by, at=at)


@transaction.atomic
def resume_supplier(*, supplier_id: UUID, by: Actor, at: datetime) -> None:
    """Take a paused supplier back. *Refuses:* ``state_moved_on``."""
    _moved(supplier_id, Status.ACTIVE, by=by, at=at)


def _moved(supplier_id: UUID, to: Status, *, by: Actor, at: datetime) -> None:
    rows = Supplier.objects.filter(id=supplier_id)
    states.move(rows, to, moves=MOVES, refusal=states.moved_on(str(supplier_id)))
    action = f"supplier.{to.lower()}"
    audit.record(by=by, action=action, subject_kind="supplier", subject_id=supplier_id, at=at)
