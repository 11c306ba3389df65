"""Accounts: a code by SMS, one step to sign in or to sign up."""

import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, idempotency, senders
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import id_at, new_id
from tongzhou.kit.models import Claim
from tongzhou.kit.refusals import Kind, Refusal, invalid, not_found
from tongzhou.people.models import Consent, Member, SignInChallenge
from tongzhou.people.rules import default_name, new_code, normal_phone
from tongzhou.people.values import SignedIn

CODE_LIFE = timedelta(minutes=5)
PER_PHONE = (5, timedelta(hours=1))
PER_IP = (30, timedelta(hours=1))
PAUSE = timedelta(seconds=30)
TRIES = 5


def _phone(text: str) -> str:
    phone = normal_phone(text)
    if phone is None:
        raise invalid(
            "phone_invalid", _("这个手机号看起来不对。"), field="phone", value=text,
            rule=_("11 位大陆手机号，或带国家码的号码"), fix=_("例如 13812345678 或 +85261234567。"),
        )  # fmt: skip
    return phone


def _hash(phone: str, code: str) -> str:
    return salted_hmac("tongzhou.sms", f"{phone}|{code}", algorithm="sha256").hexdigest()


def _one_at_a_time(phone: str) -> None:
    """Whoever asks for the same phone waits here until the transaction ends; SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"people.code:{phone}"])


def request_code(*, phone: str, ip: str, at: datetime) -> None:
    """Send a six-digit code that signs in, or signs up, whoever holds the phone.

    Says the same whether or not the phone is known. The message leaves after the commit.
    *Refuses:* ``phone_invalid``, ``code_too_soon`` (30 s after one that was not used yet), ``too_many_codes`` (5 an hour per phone,
    30 per address).
    """
    number, code = _phone(phone), f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        _one_at_a_time(number)
        recent = SignInChallenge.objects.filter(phone=number)
        if recent.filter(at__gt=at - PAUSE, at__lte=at, used_at=None).exists():
            raise Refusal(
                "code_too_soon", _("验证码刚刚发过，请等 30 秒再要。"), kind=Kind.LIMIT, retryable=True, field="phone",
                rule=_("两次之间至少 30 秒"), fix=_("先看看刚收到的那条短信。"),
            )  # fmt: skip
        many = recent.filter(at__gt=at - PER_PHONE[1]).count() >= PER_PHONE[0]
        crowded = bool(ip) and SignInChallenge.objects.filter(ip=ip, at__gt=at - PER_IP[1]).count() >= PER_IP[0]
        if many or crowded:
            raise Refusal(
                "too_many_codes", _("这一小时里要的验证码太多了。"), kind=Kind.LIMIT, retryable=True, field="phone",
                rule=_("每个号码每小时 5 条"), fix=_("请一小时后再试，或联系客服。"),
            )  # fmt: skip
        SignInChallenge.objects.create(
            phone=number, code_hash=_hash(number, code), ip=ip, at=at, expires_at=at + CODE_LIFE
        )
    text = gettext("【同舟】验证码 %(code)s，五分钟内有效。请勿告诉他人。") % {"code": code}
    senders.sms().send(to=number, text=text, at=at)


def sign_in(
    *, phone: str, code: str, at: datetime, display_name: str = "", language: str = "", agreed: bool = True
) -> SignedIn:  # fmt: skip
    """Check the code and return the member of the phone, made now when there was none.

    A wrong code counts one try even though it is refused. ``agreed``: whoever is new has ticked terms and
    privacy; who has not can tick and send the same code again. *Refuses:* ``phone_invalid``,
    ``code_wrong``, ``code_expired``, ``code_used_up``, ``member_closed``, ``terms_needed``.
    """
    number = _phone(phone)
    challenge = SignInChallenge.objects.filter(phone=number, used_at=None).order_by("-at", "-id").first()
    if challenge is None or challenge.expires_at < at:
        raise invalid("code_expired", _("验证码已经过期。"), field="code", fix=_("请重新获取验证码。"))
    counted = SignInChallenge.objects.filter(id=challenge.id, tries__lt=TRIES, used_at=None).update(
        tries=F("tries") + 1
    )
    if not counted:
        raise invalid(
            "code_used_up", _("这条验证码已经试满 5 次。"), field="code", rule=_("每条验证码最多试 5 次"),
            fix=_("请重新获取验证码。"),
        )  # fmt: skip
    if not hmac.compare_digest(challenge.code_hash, _hash(number, code.strip())):
        raise invalid("code_wrong", _("验证码不对。"), field="code", fix=_("请核对短信里的六位数字。"))
    with transaction.atomic():
        used = SignInChallenge.objects.filter(id=challenge.id, used_at=None).update(used_at=at)
        if not used:
            raise invalid("code_used_up", _("这条验证码已经用过了。"), field="code", fix=_("请重新获取验证码。"))
        member = Member.objects.filter(login=number).first()
        if member is None and not agreed:
            raise invalid(
                "terms_needed", _("这个号码还没有账户，建账户前要先同意服务协议与隐私政策。"), field="agree",
                rule=_("要你亲自勾选"), fix=_("勾上再点登录，验证码不用重新获取。"),
            )  # fmt: skip
        if member is None:
            made = register_member(phone=number, display_name=display_name, language=language, at=at)
            return SignedIn(made, created=True)
    if not member.is_active:
        raise Refusal("member_closed", _("这个账号已经停用。"), kind=Kind.FORBIDDEN, fix=_("请联系客服。"))
    return SignedIn(member.id, created=False)


@transaction.atomic
def register_member(
    *, at: datetime, phone: str = "", login: str = "", display_name: str = "", language: str = "",
    member_id: UUID | None = None,
) -> UUID:  # fmt: skip
    """Make a member: free, with no condition of any kind.

    *Refuses:* ``login_taken`` when the phone or key belongs to somebody already, ``login_missing``.
    """
    name = login or phone
    if not name:
        raise invalid("login_missing", _("会员需要手机号或登录名。"), field="login")
    identity = member_id or id_at(at)
    if not idempotency.take(f"login:{name}", at=at, owner_id=identity):
        raise Refusal(
            "login_taken", _("这个手机号已经有账号了。"), kind=Kind.CONFLICT, field="phone", fix=_("请直接登录。")
        )
    Member.objects.bulk_create([_row(identity, name, phone, display_name, language, at, _free_code(identity, at))])
    return identity


def _free_code(identity: UUID, at: datetime) -> str:
    while True:
        code = new_code()
        if idempotency.take(f"invite:{code}", at=at, owner_id=identity):
            return code


def _row(
    identity: UUID, login: str, phone: str, display_name: str, language: str, at: datetime, code: str
) -> Member:  # fmt: skip
    return Member(
        id=identity, login=login, phone=phone, display_name=display_name.strip()[:40] or default_name(login),
        invite_code=code, language=language, joined_at=at, password=make_password(None),
    )  # fmt: skip


@transaction.atomic
def register_members(rows: Sequence[dict[str, Any]], *, at: datetime) -> list[UUID]:
    """Make many members at once (imports): each ``{login, phone, display_name, joined_at}``; logins must be free."""
    members = [
        _row(
            new_id(),
            r["login"],
            r.get("phone", ""),
            r.get("display_name", ""),
            "",
            r.get("joined_at") or at,
            new_code(10),
        )
        for r in rows
    ]
    claims = [Claim(value=f"login:{m.login}", owner_id=m.id, at=at) for m in members]
    claims += [Claim(value=f"invite:{m.invite_code}", owner_id=m.id, at=at) for m in members]
    Claim.objects.bulk_create(claims, batch_size=1000)
    Member.objects.bulk_create(members, batch_size=500)
    return [m.id for m in members]


def _change(member_id: UUID, **changes: Any) -> None:
    if not Member.objects.filter(id=member_id).update(**changes):
        raise not_found(_("没有这个会员。"), code="member_not_found")


@transaction.atomic
def rename(*, member_id: UUID, display_name: str, by: Actor, at: datetime) -> None:
    """Change the shown name. *Refuses:* ``name_invalid``, ``member_not_found``."""
    name = display_name.strip()
    if not 1 <= len(name) <= 20:
        raise invalid(
            "name_invalid",
            _("名字要有 1 到 20 个字。"),
            field="display_name",
            value=display_name,
            rule=_("1 到 20 个字"),
        )
    _change(member_id, display_name=name)
    audit.record(by=by, action="member.rename", subject_kind="member", subject_id=member_id, at=at)


@transaction.atomic
def set_language(*, member_id: UUID, language: str) -> None:
    """Keep the language somebody chose. *Refuses:* ``language_unknown``."""
    if language not in dict(settings.LANGUAGES):
        raise invalid("language_unknown", _("没有这种语言。"), field="language", value=language)
    _change(member_id, language=language)


@transaction.atomic
def give_consents(*, member_id: UUID, purposes: Iterable[str], at: datetime, version: str = "1") -> None:
    """Keep what a member ticked, by purpose and version; the same again is one row."""
    have = set(
        Consent.objects.filter(member_id=member_id, version=version, withdrawn_at=None).values_list(
            "purpose", flat=True
        )
    )
    rows = [Consent(member_id=member_id, purpose=p, version=version, given_at=at) for p in purposes if p not in have]
    Consent.objects.bulk_create(rows)


@transaction.atomic
def set_name_consent(*, member_id: UUID, given: bool, by: Actor, at: datetime) -> None:
    """Let sharers see one's name on what one bought, or take that back; both are one tap."""
    _change(member_id, name_consent=given)
    audit.record(
        by=by, action="consent.name", subject_kind="member", subject_id=member_id, at=at, given=given, version="1"
    )


@transaction.atomic
def sign_out_everywhere(*, member_id: UUID, by: Actor, at: datetime) -> None:
    """End every session of a member, on every device."""
    _change(member_id, session_epoch=F("session_epoch") + 1)
    audit.record(by=by, action="member.sign_out_everywhere", subject_kind="member", subject_id=member_id, at=at)
