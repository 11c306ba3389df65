"""Addresses of the console."""

from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tongzhou.console.views import entry, money, selling

urlpatterns = [
    path("", require_GET(entry.today)),
    path("sign-in", entry.sign_in),
    path("setup", entry.setup),
    path("sign-out", require_POST(entry.sign_out)),
    path("products", selling.products),
    path("products/<str:identity>", selling.product),
    path("orders", require_GET(selling.order_list)),
    path("orders/<str:no>", selling.order),
    path("cases", require_GET(selling.case_list)),
    path("cases/<str:no>", selling.case),
    path("payouts", money.payout_list),
    path("plans", money.plan_list),
    path("plans/<str:identity>", money.plan),
    path("ledger", require_GET(money.ledger)),
    path("ledger/<str:identity>", require_GET(money.posting)),
    path("members", money.member_list),
    path("audit", require_GET(money.audit)),
    path("system", money.system),
]
