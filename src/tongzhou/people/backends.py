"""Sign-in by password, for members with a console role only; everybody else signs in by SMS code."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from tongzhou.people.models import Member, Role
from tongzhou.people.rules import normal_phone


class MemberBackend(BaseBackend):
    """Finds members for sessions, and checks passwords for the console."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Member | None:
        """The member whose login and password fit and who has a role; the work is the same when there is none."""
        login = normal_phone(username or "") or (username or "")
        member = Member.objects.filter(login=login, is_active=True).first()
        if member is None:
            Member().set_password(password or "")  # equal time for unknown logins
            return None
        if not member.check_password(password or "") or (settings.PRODUCTION and password == settings.DEMO_PASSWORD):
            return None
        return member if Role.objects.filter(member_id=member.id).exists() else None

    def get_user(self, user_id: UUID | str) -> Member | None:
        """The signed-in member of a session."""
        return Member.objects.filter(pk=user_id, is_active=True).first()
