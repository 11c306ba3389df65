"""What every view of the console needs: who acts, with which role, and when."""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tongzhou.aftersale import queries as cases
from tongzhou.console import forms
from tongzhou.kit import clock
from tongzhou.kit.actor import Actor, operator
from tongzhou.kit.refusals import Kind, Refusal, forbidden
from tongzhou.orders import queries as orders
from tongzhou.payouts import queries as payouts
from tongzhou.people import queries as people
from tongzhou.risk import queries as risk

if TYPE_CHECKING:
    from tongzhou.people.models import Member

MARK = "console_since"  # set by the password, so that a sign-in by SMS alone never opens the console
HOURS = 12
COUNTED = 100  # the side list counts no further
View = Callable[..., HttpResponse]
Roles = frozenset[str]
ALL: Roles = frozenset({"owner", "operator", "finance", "support"})
DESK: Roles = frozenset({"owner", "operator"})
CARE: Roles = DESK | {"support"}
MONEY: Roles = frozenset({"owner", "finance"})
OWNER: Roles = frozenset({"owner"})
SECTIONS = (
    ("today", "/console/", "sun", _("今日"), ALL),
    ("products", "/console/products", "store", _("选品与供应商"), DESK),
    ("search", "/console/search", "search", _("搜索"), DESK),
    ("orders", "/console/orders", "box", _("交易与履约"), CARE),
    ("cases", "/console/cases", "return", _("售后"), CARE),
    ("disputes", "/console/disputes", "stop", _("银行拒付"), CARE | MONEY),
    ("sharing", "/console/sharing", "share", _("分享与归因"), DESK),
    ("payouts", "/console/payouts", "wallet", _("佣金与结算"), MONEY),
    ("tax", "/console/tax", "file", _("财务与税"), MONEY),
    ("plans", "/console/plans", "scale", _("计划与合规"), DESK),
    ("compliance", "/console/compliance", "shield", _("合规与证据"), DESK | MONEY),
    ("risk", "/console/risk", "alert", _("风控"), DESK | MONEY),
    ("ledger", "/console/ledger", "invoice", _("账本"), MONEY),
    ("members", "/console/members", "users", pgettext_lazy("section", "会员"), CARE),
    ("audit", "/console/audit", "history", _("审计"), MONEY),
    ("system", "/console/system", "gear", _("系统"), OWNER),
)
STATUS = {Kind.INVALID: 422, Kind.NOT_FOUND: 404, Kind.FORBIDDEN: 403, Kind.SIGN_IN: 401, Kind.CONFLICT: 409,
          Kind.LIMIT: 429, Kind.UNAVAILABLE: 503}  # fmt: skip


def door(section: str, *, act: Roles | None = None) -> Callable[[View], View]:
    """Only for those whose role may enter the section; others are sent to sign in, or refused.

    ``act`` = the roles that may change something there, where they are fewer than those who may look.
    """
    allowed = next(roles for name, _u, _i, _t, roles in SECTIONS if name == section)

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user, since = cast("Member", request.user), request.session.get(MARK, 0)
            if not user.is_authenticated or clock.now().timestamp() - since > HOURS * 3600:
                return HttpResponseRedirect(f"/console/sign-in?next={quote(request.get_full_path())}")
            roles = people.roles(user.id)
            request.console = {"actor": operator(user.id, user.display_name), "roles": roles, "section": section}  # type: ignore[attr-defined]
            needed = act if act is not None and request.method == "POST" else allowed
            try:
                if not roles & needed:
                    raise forbidden("role_missing", _("你的角色不能做这件事。"), field="role",
                                    value=", ".join(sorted(roles)), rule=", ".join(sorted(needed)))  # fmt: skip
                return view(request, *args, **kwargs)
            except Refusal as refusal:
                return page(request, "refused", {"refusal": refusal}, status=STATUS[refusal.kind])

        return inner

    return wrap


def actor(request: HttpRequest) -> Actor:
    """Who acts."""
    who: Actor = request.console["actor"]  # type: ignore[attr-defined]
    return who


def may(request: HttpRequest, roles: Roles) -> bool:
    """Whether whoever looks may also do what these roles do; decides which buttons are shown."""
    mine: Roles = request.console["roles"]  # type: ignore[attr-defined]
    return bool(mine & roles)


def refused(refusal: Refusal | None) -> int:
    """The status of a page that shows a refusal."""
    return STATUS[refusal.kind] if refusal else 200


def _counts(roles: Roles) -> dict[str, int]:
    """What waits, for the side list: four short counts that stop at a hundred, of what one may see."""
    out = {}
    if roles & CARE:
        out["orders"] = orders.waiting_count("PAID", COUNTED)
        out["cases"] = cases.waiting_count(COUNTED)
    if roles & DESK:
        out["risk"] = risk.waiting_count(COUNTED)
    if roles & MONEY:
        out["payouts"] = payouts.waiting_count(COUNTED)
    return out


def page(request: HttpRequest, name: str, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
    """One console page with its side list."""
    shown: dict[str, Any] = getattr(request, "console", {"roles": frozenset(), "section": ""})
    roles: Roles = shown["roles"]
    counts = _counts(roles)
    side = [(n, url, icon, text, counts.get(n, 0)) for n, url, icon, text, who in SECTIONS if roles & who]
    given = context or {}
    listed = forms.faults(given.get("refusal"))
    frame = {"side": side, "section": shown["section"], "who": shown.get("actor"), "roles": sorted(roles),
             "listed": listed, "faults": forms.by_field(listed)}  # fmt: skip
    answer = render(request, f"console/{name}.html", {**frame, **given}, status=status)
    if roles and not roles & OWNER:
        answer.content = _closed(roles).sub(rb"<a\1", answer.content)
    return answer


@lru_cache(maxsize=16)
def _closed(roles: Roles) -> re.Pattern[bytes]:
    """Links into sections these roles may not enter: on the page they are words, not a way to a refusal."""
    doors = [(url, who) for _n, url, _i, _t, who in SECTIONS] + [("/console/simulation", DESK)]
    shut = "|".join(re.escape(url) for url, who in doors if not roles & who)
    return re.compile(rf'<a((?:\s[^>]*?)?)\shref="(?:{shut or "$^"})(?=[/?"#])[^"]*"'.encode())
