"""What every view of the console needs: who acts, with which role, and when."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import clock
from tongzhou.kit.actor import Actor, operator
from tongzhou.kit.refusals import forbidden
from tongzhou.people import queries as people
from tongzhou.people.models import Member

MARK = "console_since"  # set by the password, so that a sign-in by SMS alone never opens the console
HOURS = 12
View = Callable[..., HttpResponse]
ALL = frozenset({"owner", "operator", "finance", "support"})
SECTIONS = (
    ("today", "/console/", "sun", _("今日"), ALL),
    ("products", "/console/products", "store", _("选品与供应商"), frozenset({"owner", "operator"})),
    ("orders", "/console/orders", "box", _("交易与履约"), frozenset({"owner", "operator", "support"})),
    ("cases", "/console/cases", "return", _("售后"), frozenset({"owner", "operator", "support"})),
    ("payouts", "/console/payouts", "wallet", _("佣金与结算"), frozenset({"owner", "finance"})),
    ("plans", "/console/plans", "scale", _("计划与合规"), frozenset({"owner", "operator"})),
    ("ledger", "/console/ledger", "invoice", _("账本"), frozenset({"owner", "finance"})),
    ("members", "/console/members", "users", _("会员"), frozenset({"owner", "operator", "support"})),
    ("audit", "/console/audit", "history", _("审计"), frozenset({"owner", "finance"})),
    ("system", "/console/system", "gear", _("系统"), frozenset({"owner"})),
)


def door(section: str) -> Callable[[View], View]:
    """Only for those whose role may enter the section; others are sent to sign in, or refused."""
    allowed = next(roles for name, _u, _i, _t, roles in SECTIONS if name == section)

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user, since = request.user, request.session.get(MARK, 0)
            if not isinstance(user, Member) or clock.now().timestamp() - since > HOURS * 3600:
                return HttpResponseRedirect(f"/console/sign-in?next={quote(request.path)}")
            roles = people.roles(user.id)
            if not roles & allowed:
                raise forbidden("role_missing", _("你的角色不能进这里。"), rule=", ".join(sorted(allowed)))
            request.console = {"actor": operator(user.id, user.display_name), "roles": roles, "section": section}  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        return inner

    return wrap


def actor(request: HttpRequest) -> Actor:
    """Who acts."""
    who: Actor = request.console["actor"]  # type: ignore[attr-defined]
    return who


def page(request: HttpRequest, name: str, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """One console page with its side list."""
    here: dict[str, Any] = getattr(request, "console", {"roles": frozenset(), "section": ""})
    side = [s for s in SECTIONS if here["roles"] & s[4]]
    return render(
        request,
        f"console/{name}.html",
        {"side": side, "here": here["section"], "who": here.get("actor"), **(context or {})},
        status=status,
    )
