"""Chargebacks: what payers' banks have taken back, what waits for their word, and what it cost."""

from django.http import HttpRequest, HttpResponse

from tongzhou.console import http
from tongzhou.orders import queries as orders
from tongzhou.payments import queries as payments
from tongzhou.people import queries as members

VIEWS = {"open": "OPEN", "won": "WON", "lost": "LOST", "all": ""}
MOST = 100


@http.door("disputes")
def listing(request: HttpRequest) -> HttpResponse:
    """The newest hundred of a kind: those that wait for a decision first."""
    view = request.GET.get("view", "open")
    rows = payments.disputes(status=VIEWS.get(view, ""), limit=MOST)
    sold = orders.orders_by_id([r.order_id for r in rows])
    names = members.cards([o.buyer_id for o in sold.values()])
    context = {
        "rows": [(r, sold.get(r.order_id), names.get(sold[r.order_id].buyer_id) if r.order_id in sold else None) for r in rows],
        "view": view, "waiting": payments.open_disputes(), "taken": sum(r.amount_minor for r in rows if r.status == "OPEN"),
    }  # fmt: skip
    return http.page(request, "disputes", context)
