"""What is held because of risk and how to object; what is kept against fraud and how to say no; where it is seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.kit import clock
from tongzhou.kit.actor import member as actor
from tongzhou.kit.refusals import Kind as No
from tongzhou.kit.refusals import Refusal
from tongzhou.risk import commands, queries, texts
from tongzhou.risk.values import Kind, Sighting
from tongzhou.storefront import http

if TYPE_CHECKING:
    from tongzhou.people.models import Member
    from tongzhou.risk.models import Hold

SEEN = "seen"  # in the session cookie: what was kept today, so that it is kept once a day and not at each step


@dataclass(frozen=True, slots=True)
class Shown:
    """A hold as its sharer sees it: nobody else's name, account or address."""

    row: "Hold"
    reasons: list[texts.Said]
    steps: list[tuple[Any, Any]]
    can_appeal: bool
    appeal_until: datetime | None

    @property
    def refused(self) -> bool:
        """True while it is not paid."""
        return self.row.status in ("REFUSED", "APPEALED", "FINAL")


def shown(reward_id: UUID, sharer_id: UUID, at: datetime) -> Shown | None:
    """What keeps a reward, if anything ever did."""
    found = queries.of_reward(reward_id, sharer_id=sharer_id)
    if found is None:
        return None
    row, steps = found
    until = row.refused_at + timedelta(days=queries.value("appeal_days")) if row.refused_at else None
    may = (row.status in ("DELAYED", "OPEN") and row.appealed_at is None) or (
        row.status == "REFUSED" and until is not None and at <= until
    )
    said = [(s, texts.STEPS.get(s.kind, s.kind)) for s in steps]
    return Shown(row, texts.said(row.reasons), said, may, until if row.status == "REFUSED" else None)


def appeal(request: HttpRequest, reward_id: str) -> HttpResponse:
    """Object to a hold, in one's own words."""
    who, at = http.need_member(request), http.now()
    found = queries.of_reward(http.as_uuid(reward_id, "reward"), sharer_id=who.id)
    try:
        commands.appeal(
            hold_id=found[0].id if found else UUID(int=0), sharer_id=who.id, text=request.POST.get("text", ""), at=at
        )
    except Refusal as refusal:
        if refusal.kind == No.NOT_FOUND:
            raise
        messages.error(request, f"{refusal.message} {refusal.rule}", extra_tags="stop")
    else:
        messages.success(request, _("已收到你的申诉，由另一位同事核对。"), extra_tags="trust")
    return HttpResponseRedirect(f"/earn/why/{reward_id}")


def safety(request: HttpRequest) -> HttpResponse:
    """What is kept of oneself against fraud, for how long, and the switch for what may be switched off."""
    who, at = http.need_member(request), http.now()
    if request.method == "POST":
        given = request.POST.get("given") == "1"
        commands.forget_optional(member_id=who.id, given=given, by=actor(who.id, who.display_name), at=at)
        request.session.pop(SEEN, None)
        said = _("已打开。") if given else _("已关掉，之前记的设备和网络标识也删了。")
        messages.success(request, said, extra_tags="trust")
        return HttpResponseRedirect("/me/safety")
    rows = [(texts.KINDS[k.kind], k) for k in queries.kept_of(who.id)]
    return http.page(request, "safety", {"rows": rows, "kept": queries.may_keep_device(who.id), "back": "/me"})


def seen(request: HttpRequest, who: "Member", at: datetime) -> None:
    """Keep device, network and phone of whoever signs in or orders, as keyed hashes, once a day."""
    visitor, ip = http.visitor_id(request), request.META.get("REMOTE_ADDR", "")
    note = f"{clock.mall_day(at)}|{visitor}|{ip}|{who.id}"
    if request.session.get(SEEN) == note:
        return
    request.session[SEEN] = note
    commands.observe(
        [
            Sighting(who.id, Kind.DEVICE, str(visitor or "")),
            Sighting(who.id, Kind.IP, ip),
            Sighting(who.id, Kind.PHONE, who.phone),
            Sighting(who.id, Kind.CONTACT, who.phone),
        ],
        at=at,
    )


def paid_out_to(member_id: UUID, account: str, at: datetime) -> None:
    """Keep the hash of where somebody's payouts go."""
    commands.observe([Sighting(member_id, Kind.PAYEE, account)], at=at)
