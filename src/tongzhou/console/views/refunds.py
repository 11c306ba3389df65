"""Money back that nobody had to ask for: of one line, by units or by a free amount, with a reason the buyer reads."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.aftersale import commands as aftersale
from tongzhou.aftersale.rules import worth
from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import format_minor
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.people import queries as members
from tongzhou.rewards import queries as rewards

if TYPE_CHECKING:
    from tongzhou.orders.models import OrderLine


@http.door("orders", act=http.DESK)
def give_back(request: HttpRequest, no: str) -> HttpResponse:
    """Choose a line, units or an amount, a reason; look at what will happen; then do it, once."""
    row, refusal, will = orders.order(no), None, None
    lines = [x for x in orders.lines_of([row.id])[row.id] if x.kind == "goods"]
    if request.method == "POST":
        try:
            asked = _asked(request, lines)
            if "go" in request.POST:
                case = aftersale.grant(
                    key=request.POST.get("key", ""), order_id=row.id, by=http.actor(request), at=clock.now(), **asked
                )
                messages.success(request, _("已退，正在按原路退款。"), extra_tags="trust")
                return HttpResponseRedirect(f"/console/cases/{case}")
            will = _will(asked, lines)
        except Refusal as caught:
            refusal = caught
    context = {
        "order": row, "refusal": refusal, "form": request.POST, "will": will, "reasons": aftersale.REASONS,
        "key": request.POST.get("key") or str(new_id()), "can_act": http.may(request, http.DESK),
        "buyer": members.cards([row.buyer_id]).get(row.buyer_id),
        "lines": [(x, x.quantity - x.refunded_quantity, x.amount_minor - x.refunded_minor) for x in lines],
    }  # fmt: skip
    return http.page(request, "refund", context, status=http.refused(refusal))


def _asked(request: HttpRequest, lines: "list[OrderLine]") -> dict[str, Any]:
    """What the form says. *Refuses:* ``refund_invalid`` listing each field that cannot be read."""
    errors: list[Refusal] = []
    post = request.POST
    chosen = forms.identity(post["line"]) if post.get("line") else None
    if chosen is None or chosen not in {x.id for x in lines}:
        errors.append(invalid("line_missing", _("请选一件商品。"), field="line"))
    units = forms.whole(post.get("units", ""), "units", errors) or 0
    amount = forms.amount(post.get("amount", ""), "amount", errors)
    if not units and not amount and not errors:
        errors.append(invalid("nothing_chosen", _("请写件数或金额。"), field="amount"))
    if errors:
        raise Refusal("refund_invalid", _("退款还差一点。"), field="refund", errors=errors)
    return {"line_id": chosen, "units": units, "amount_minor": amount, "reason": post.get("reason", ""),
            "answer": post.get("answer", ""), "sound": "broken" not in post}  # fmt: skip


def _will(asked: dict[str, Any], lines: "list[OrderLine]") -> dict[str, Any]:
    """What it will do to the buyer, each sharer's reward and the goods; nothing has happened yet."""
    line = next(x for x in lines if x.id == asked["line_id"])
    left = line.amount_minor - line.refunded_minor
    amount = asked["amount_minor"] or worth(
        amount_minor=line.amount_minor, refunded_minor=line.refunded_minor, quantity=line.quantity,
        refunded_quantity=line.refunded_quantity, units=min(asked["units"], line.quantity - line.refunded_quantity),
    )  # fmt: skip
    if amount > left:
        raise invalid("refund_exceeds_line", _("要退的金额超过了剩下的。"), field="amount",
                      value=format_minor(amount, settings.CURRENCY), rule=f"≤ {format_minor(left, settings.CURRENCY)}")  # fmt: skip
    back = rewards.if_refunded({line.id: amount})
    people = members.cards([b.sharer_id for b in back])
    whole = amount == left and not line.shipped_quantity
    units = asked["units"]
    if amount == left and line.delivered_at is None:  # what was not sent stays on the shelf
        units = max(units, line.quantity - line.refunded_quantity - line.shipped_quantity)
    return {"amount": amount, "left": left - amount, "line": line, "units": units,
            "sound": asked["sound"], "cancels": whole,
            "rewards": [(b, people.get(b.sharer_id), b.standing_minor - b.back_minor) for b in back]}  # fmt: skip
