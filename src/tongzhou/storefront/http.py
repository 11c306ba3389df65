"""What every view of the storefront needs: who asks, when, under which plan, and what they sent."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import clock
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Kind, Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.plans import queries as plans
from tongzhou.plans.values import PlanVersionValue
from tongzhou.rewards import deciding

if TYPE_CHECKING:
    from tongzhou.people.models import Member

VISITOR = "tz_visitor"
_SALT = "tongzhou.visitor"


def now() -> datetime:
    """The moment of this request."""
    return clock.now()


def plan(at: datetime) -> PlanVersionValue | None:
    """The plan in force."""
    return plans.in_force(at)


def discount(at: datetime) -> int:
    """The member price rule of the plan in force, basis points."""
    force = plan(at)
    return force.plan.member_price.discount_bp if force else 0


def levels(at: datetime) -> int:
    """How many people of a chain one sale pays under the plan in force: what the pages say about a second level."""
    force = plan(at)
    return deciding.levels([force]) if force else 1


def member(request: HttpRequest) -> "Member | None":
    """Who is signed in, if anybody."""
    user = request.user
    return user if user.is_authenticated else None


def need_member(request: HttpRequest) -> "Member":
    """Who is signed in. *Refuses:* ``sign_in_needed`` (the middleware leads to the sign-in page and back)."""
    found = member(request)
    if found is None:
        raise Refusal("sign_in_needed", _("请先登录。"), kind=Kind.SIGN_IN)
    return found


def visitor_id(request: HttpRequest) -> UUID | None:
    """The browser's id from its signed cookie, if it has one."""
    try:
        return UUID(signing.loads(request.COOKIES[VISITOR], salt=_SALT))
    except (KeyError, ValueError, signing.BadSignature):
        return None


def ensure_visitor(request: HttpRequest) -> tuple[UUID, bool]:
    """The browser's id, made now when there is none; whether the response must set the cookie."""
    found = visitor_id(request)
    return (found, False) if found else (new_id(), True)


def set_visitor(request: HttpRequest, response: HttpResponse, visitor: UUID) -> None:
    """Write the first-party cookie."""
    response.set_cookie(
        VISITOR, signing.dumps(str(visitor), salt=_SALT), max_age=int(timedelta(days=90).total_seconds()),
        httponly=True, samesite="Lax", secure=request.is_secure(),
    )  # fmt: skip


def cart_owner(request: HttpRequest) -> UUID | None:
    """Whose cart this is: the member's, or the browser's."""
    found = member(request)
    return found.id if found else visitor_id(request)


def recount(request: HttpRequest, owner: UUID | None = None) -> None:
    """Keep the cart's count in the session cookie, so that no page asks the database for it."""
    who = owner or cart_owner(request)
    request.session["cart"] = orders.cart_count(who) if who else 0


def token() -> str:
    """An idempotency key for a form."""
    return secrets.token_urlsafe(16)


def as_uuid(text: str, field: str) -> UUID:
    """A UUID from a form. *Refuses:* ``not_an_id``."""
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        raise invalid("not_an_id", _("这个编号不对。"), field=field, value=text) from None


def as_int(text: str, field: str, *, low: int = 0, high: int = 10**9) -> int:
    """A whole number from a form. *Refuses:* ``not_a_number``."""
    try:
        number = int((text or "").strip())
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise invalid("not_a_number", _("这里要填一个数字。"), field=field, value=text, rule=f"{low}–{high}")
    return number


def safe_next(request: HttpRequest, fallback: str = "/") -> str:
    """Where to go on: only to a page of this mall."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    good = asked.startswith("/") and not asked.startswith(("//", "/\\")) and "\\" not in asked
    return asked if good else fallback


def came_from(request: HttpRequest) -> str:
    """The page of this mall that led here, or nothing."""
    there = urlsplit(request.headers.get("Referer", ""))
    if there.netloc != request.get_host() or there.path == request.path:
        return ""
    return there.path + (f"?{there.query}" if there.query else "")


def sign_in_url(request: HttpRequest) -> str:
    """The sign-in page that comes back here."""
    return f"/sign-in?next={quote(request.get_full_path() if request.method == 'GET' else came_from(request) or '/')}"


def page(request: HttpRequest, name: str, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """Render one page of the storefront."""
    return render(request, f"storefront/{name}.html", context or {}, status=status)
