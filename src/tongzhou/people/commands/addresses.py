"""Delivery addresses."""

import re
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Case, When
from django.utils.translation import gettext_lazy as _

from tongzhou.kit.refusals import Refusal, invalid, not_found
from tongzhou.people import divisions
from tongzhou.people.models import Address
from tongzhou.people.rules import normal_phone
from tongzhou.people.values import AddressValue

MOST = 30


def check_address(address: AddressValue) -> AddressValue:
    """The address with its places' names filled in from the division's code.

    *Refuses:* ``address_invalid`` listing each field: receiver, phone, code (must be the last level
    there is), detail.
    """
    errors = []
    receiver, detail = address.receiver.strip(), re.sub(r"\s+", " ", address.detail).strip()
    if not 1 <= len(receiver) <= 30 or not any(c.isalnum() for c in receiver):  # marks that nobody sees are no name
        errors.append(
            invalid("receiver", _("请写收货人的名字。"), field="receiver", value=receiver, rule=_("1 到 30 个字"))
        )
    phone = normal_phone(address.phone)
    if phone is None:
        errors.append(
            invalid(
                "phone",
                _("收货手机号看起来不对。"),
                field="phone",
                value=address.phone,
                rule=_("11 位大陆手机号，或带国家码的号码"),
            )
        )
    if not 2 <= len(detail) <= 120:
        errors.append(
            invalid("detail", _("请写详细地址，例如门牌号。"), field="detail", value=detail, rule=_("2 到 120 个字"))
        )
    path = divisions.path(address.code)
    if path is None or not path[-1].leaf:
        errors.append(invalid("code", _("请把省、市、区县、街道选完整。"), field="code", value=address.code))
    if errors or path is None or phone is None:
        raise Refusal("address_invalid", _("地址还差一点。"), field="address", errors=errors)
    n = divisions.named(path)
    return replace(
        address, receiver=receiver, detail=detail, phone=phone, province=n["province"], city=n["city"],
        county=n["county"], street=n["street"],
    )  # fmt: skip


@transaction.atomic
def save_address(*, member_id: UUID, address: AddressValue, at: datetime, is_default: bool = False) -> UUID:
    """Keep an address of a member; one that stands there already is the same one, so a form sent twice adds nothing.

    *Refuses:* ``address_invalid``, ``too_many_addresses`` (30).
    """
    kept = check_address(address)
    have = Address.objects.filter(member_id=member_id, deleted_at=None)
    same = have.filter(receiver=kept.receiver, phone=kept.phone, code=kept.code, detail=kept.detail)
    known = same.values_list("id", flat=True).first()
    if known is not None:
        if is_default:
            have.update(is_default=Case(When(id=known, then=True), default=False))
        return known
    if have.count() >= MOST:
        raise invalid("too_many_addresses", _("最多保存 30 个地址。"), field="address", fix=_("先删掉不用的。"))
    row = Address(
        member_id=member_id, receiver=kept.receiver, phone=kept.phone, code=kept.code, province=kept.province,
        city=kept.city, county=kept.county, street=kept.street, detail=kept.detail, at=at,
        is_default=is_default or not have.exists(),
    )  # fmt: skip
    if row.is_default:
        have.update(is_default=False)
    Address.objects.bulk_create([row])
    return row.id


@transaction.atomic
def delete_address(*, member_id: UUID, address_id: UUID, at: datetime) -> None:
    """Take an address out of the book; orders keep their own copy. *Refuses:* ``address_not_found``."""
    if not Address.objects.filter(id=address_id, member_id=member_id, deleted_at=None).update(deleted_at=at):
        raise not_found(_("没有这个地址。"), code="address_not_found")
