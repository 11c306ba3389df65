"""Addresses of the console. Who may open each is a table in the tests: an address missing there fails them."""

from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from tongzhou.console.views import cases, entry, law, ledger, orders, payouts, people, plans, products, system

urlpatterns = [
    path("", require_GET(entry.today)),
    path("find", require_GET(entry.find)),
    path("sign-in", entry.sign_in),
    path("setup", entry.setup),
    path("sign-out", require_POST(entry.sign_out)),
    path("products", products.listing),
    path("products/new", products.create),
    path("products/import", products.take_in),
    path("products/export", require_GET(products.export)),
    path("products/<str:identity>", products.edit),
    path("products/<str:identity>/status", require_POST(products.status)),
    path("products/<str:identity>/pictures", require_POST(products.pictures)),
    path("orders", require_GET(orders.listing)),
    path("orders/ship", orders.ship),
    path("orders/<str:no>", orders.detail),
    path("cases", require_GET(cases.listing)),
    path("cases/<str:no>", cases.detail),
    path("payouts", require_GET(payouts.listing)),
    path("payouts/release", payouts.release),
    path("payouts/<str:identity>", payouts.detail),
    path("plans", require_GET(plans.listing)),
    path("plans/new", plans.create),
    path("plans/file", plans.as_file),
    path("plans/law", law.law),
    path("plans/<str:identity>", plans.detail),
    path("plans/<str:identity>/download", require_GET(plans.download)),
    path("ledger", require_GET(ledger.listing)),
    path("ledger/balance", ledger.balance),
    path("ledger/reports", require_GET(ledger.reports)),
    path("ledger/export", require_GET(ledger.export)),
    path("ledger/accounts/<str:code>", require_GET(ledger.account)),
    path("ledger/<str:identity>", require_GET(ledger.posting)),
    path("members", require_GET(people.listing)),
    path("members/<str:identity>", people.member),
    path("audit", require_GET(people.audit)),
    path("system", system.system),
]
