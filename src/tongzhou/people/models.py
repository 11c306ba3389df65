"""Members and what belongs to them."""

from enum import StrEnum
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac

from tongzhou.kit.ids import new_id


class MemberManager(BaseUserManager["Member"]):
    """Django asks for members by their natural key: the login."""

    def get_by_natural_key(self, username: str | None) -> "Member":
        """The member with this login."""
        return self.get(login=username)


class Member(AbstractBaseUser):
    """Anyone with an account: always both a shopper and a sharer. No level, fee or deposit has a column here.

    ``login`` is the phone in E.164, or an imported member's own key; it is claimed in ``kit_claim``.
    """

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    login = models.CharField(max_length=80, unique=True)
    phone = models.CharField(max_length=20, blank=True, default="")
    display_name = models.CharField(max_length=40)
    invite_code = models.CharField(max_length=12, unique=True)
    language = models.CharField(max_length=8, blank=True, default="")
    joined_at = models.DateTimeField()
    session_epoch = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    name_consent = models.BooleanField(default=False)

    objects = MemberManager()
    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "people_member"
        indexes = [models.Index(fields=["-joined_at"], name="people_member_joined")]

    def get_session_auth_hash(self) -> str:
        """Changes with the password and with the epoch, so that "sign out everywhere" works on signed cookies."""
        return salted_hmac("tongzhou.session", f"{self.password}{self.session_epoch}", algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Django's own admin is not installed; nobody is staff in its sense."""
        return False


class RoleName(StrEnum):
    """What somebody may do in the console."""

    OWNER = "owner"
    OPERATOR = "operator"
    FINANCE = "finance"
    SUPPORT = "support"


class Role(models.Model):
    """One role of one member."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member_id = models.UUIDField()
    role = models.CharField(max_length=12, choices=[(r, r) for r in RoleName])
    granted_at = models.DateTimeField()
    granted_by = models.CharField(max_length=80)

    class Meta:
        db_table = "people_role"
        constraints = [models.UniqueConstraint(fields=["member_id", "role"], name="people_role_once")]


class Binding(models.Model):
    """Who invited whom: one per invitee, first touch, written once. It pays nothing by itself."""

    placement: ClassVar[str] = "member"
    invitee_id = models.UUIDField(primary_key=True)
    inviter_id = models.UUIDField(db_index=True)
    source = models.CharField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        db_table = "people_binding"


class RebindProposal(models.Model):
    """A correction of a binding: one person proposes, another confirms."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invitee_id = models.UUIDField()
    old_inviter_id = models.UUIDField(null=True)
    new_inviter_id = models.UUIDField()
    reason = models.CharField(max_length=400)
    proposed_by = models.UUIDField()
    proposed_at = models.DateTimeField()
    confirmed_by = models.UUIDField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    declined_by = models.UUIDField(null=True)
    declined_at = models.DateTimeField(null=True)
    declined_why = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        db_table = "people_rebind"
        constraints = [
            models.UniqueConstraint(
                fields=["invitee_id"],
                name="people_rebind_one_open",
                condition=models.Q(confirmed_at=None, declined_at=None),
            )
        ]


class SignInChallenge(models.Model):
    """One code sent to one phone: hashed, short-lived, few tries, used once."""

    placement: ClassVar[str] = "local"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    phone = models.CharField(max_length=20)
    code_hash = models.CharField(max_length=64)
    ip = models.CharField(max_length=45, blank=True, default="")
    at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_challenge"
        indexes = [
            models.Index(fields=["phone", "-at"], name="people_challenge_phone"),
            models.Index(fields=["ip", "-at"], name="people_challenge_ip"),
        ]


class Address(models.Model):
    """Where parcels go. Names of places are kept as written, beside the division's code."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member_id = models.UUIDField(db_index=True)
    receiver = models.CharField(max_length=40)
    phone = models.CharField(max_length=20)
    code = models.CharField(max_length=12)
    province = models.CharField(max_length=40)
    city = models.CharField(max_length=40, blank=True, default="")
    county = models.CharField(max_length=40, blank=True, default="")
    street = models.CharField(max_length=60, blank=True, default="")
    detail = models.CharField(max_length=200)
    is_default = models.BooleanField(default=False)
    at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_address"


class Consent(models.Model):
    """One purpose a member agreed to, in which version, and when it was withdrawn."""

    placement: ClassVar[str] = "member"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member_id = models.UUIDField(db_index=True)
    purpose = models.CharField(max_length=32)
    version = models.CharField(max_length=16)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "people_consent"
