"""Console roles, and the first owner of a new mall."""

import hmac
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import SYSTEM, Actor
from tongzhou.kit.refusals import conflict, forbidden, invalid, not_found
from tongzhou.people.commands.accounts import _phone, register_member
from tongzhou.people.models import Member, Role, RoleName
from tongzhou.people.rules import new_code


def setup_code() -> str:
    """The one-time code that proves whoever makes the first owner can read this machine's files."""
    path = Path(settings.TONGZHOU_HOME) / "setup.code"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(new_code(12))
    return path.read_text().strip()


def _check_password(password: str, member: Member | None = None) -> None:
    if settings.PRODUCTION and password == settings.DEMO_PASSWORD:
        raise invalid(
            "password_published", _("这是演示用的公开密码。"), field="password", fix=_("换一个只有自己知道的。")
        )
    try:
        validate_password(password, member)
    except ValidationError as error:
        raise invalid(
            "password_weak", _("密码不够安全。"), field="password", rule=" ".join(error.messages),
            fix=_("至少 10 位，不要只用数字或常见密码。"),
        ) from None  # fmt: skip


@transaction.atomic
def create_operator(
    *, phone: str, name: str, password: str, roles: set[str], by: Actor, at: datetime
) -> UUID:  # fmt: skip
    """Give somebody a password and roles in the console; the member is made when the phone is new.

    *Refuses:* ``phone_invalid``, ``password_weak``, ``role_unknown``.
    """
    number = _phone(phone)
    _check_password(password)
    member = Member.objects.filter(login=number).first()
    identity = member.id if member else register_member(phone=number, display_name=name, at=at)
    row = Member.objects.get(id=identity)
    row.set_password(password)
    Member.objects.filter(id=identity).update(password=row.password)
    for role in sorted(roles):
        grant_role(member_id=identity, role=role, by=by, at=at)
    return identity


@transaction.atomic
def create_first_owner(*, phone: str, name: str, password: str, code: str, at: datetime) -> UUID:
    """Make the first owner of a new mall. *Refuses:* ``owner_exists``, ``setup_code_wrong`` and as create_operator."""
    if Role.objects.filter(role=RoleName.OWNER).exists():
        raise conflict("owner_exists", _("这个商城已经有所有者了。"))
    if not hmac.compare_digest(code.strip().upper().encode(), setup_code().encode()):
        raise invalid(
            "setup_code_wrong", _("安装码不对。"), field="code",
            fix=_("安装码写在数据目录的 setup.code 文件里，启动时也会显示。"),
        )  # fmt: skip
    identity = create_operator(phone=phone, name=name, password=password, roles={RoleName.OWNER}, by=SYSTEM, at=at)
    transaction.on_commit(lambda: (Path(settings.TONGZHOU_HOME) / "setup.code").unlink(missing_ok=True))
    return identity


@transaction.atomic
def grant_role(*, member_id: UUID, role: str, by: Actor, at: datetime) -> None:
    """Give a role. *Refuses:* ``role_unknown``, ``member_not_found``."""
    if role not in set(RoleName):
        raise invalid("role_unknown", _("没有这种角色。"), field="role", value=role, rule=", ".join(RoleName))
    if not Member.objects.filter(id=member_id).exists():
        raise not_found(_("没有这个会员。"), code="member_not_found")
    Role.objects.bulk_create(
        [Role(member_id=member_id, role=role, granted_at=at, granted_by=str(by)[:80])], ignore_conflicts=True
    )
    audit.record(by=by, action="role.grant", subject_kind="member", subject_id=member_id, at=at, role=str(role))


@transaction.atomic
def revoke_role(*, member_id: UUID, role: str, by: Actor, at: datetime) -> None:
    """Take a role away. *Refuses:* ``last_owner``, ``role_not_held``."""
    owners = Role.objects.filter(role=RoleName.OWNER).select_for_update()
    if role == RoleName.OWNER and len(list(owners)) == 1:
        raise forbidden("last_owner", _("最后一位所有者不能撤销。"), field="role", fix=_("先任命另一位所有者。"))
    if not Role.objects.filter(member_id=member_id, role=role).delete()[0]:
        raise not_found(_("这位会员没有这个角色。"), code="role_not_held")
    audit.record(by=by, action="role.revoke", subject_kind="member", subject_id=member_id, at=at, role=str(role))
