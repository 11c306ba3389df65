"""``/metrics`` for Prometheus: what one asks of a mall at three in the morning. Not public.

Everything is read from the database when asked, so that it is the same whichever web process answers.
"""

from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tongzhou.kit import clock, worker
from tongzhou.ledger import queries as books
from tongzhou.orders import queries as orders
from tongzhou.payouts import queries as payouts

_FORWARDED = ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip")


class Mall:
    """Gauges of the whole mall, in few cheap queries."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family at a time."""
        yield GaugeMetricFamily("tongzhou_outbox_waiting", "Deliveries that wait.", worker.backlog())
        yield GaugeMetricFamily("tongzhou_outbox_dead", "Deliveries that gave up.", worker.dead_letters().count())
        seen = worker.last_seen()
        if seen:
            idle = (clock.now() - seen).total_seconds()
            yield GaugeMetricFamily("tongzhou_worker_idle_seconds", "Since a worker last took a turn.", idle)
        waiting = GaugeMetricFamily(
            "tongzhou_orders_waiting", "Orders in an open state, at most 1000.", labels=["status"]
        )
        for status in ("PLACED", "PAID", "SHIPPED"):
            waiting.add_metric([status], orders.waiting_count(status))
        yield waiting
        yield GaugeMetricFamily("tongzhou_payouts_waiting", "Payouts that wait for people.", payouts.waiting()["count"])
        flight = GaugeMetricFamily("tongzhou_money_in_flight_minor", "Neither here nor there.", labels=["account"])
        for account, amount in books.money_in_flight().items():
            flight.add_metric([account], amount)
        yield flight


def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has ``TONGZHOU_METRICS_TOKEN``; in the demo also for this machine itself. Others find nothing."""
    if not _may(request):
        return HttpResponse("not found\n", status=404, content_type="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Mall())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if settings.METRICS_TOKEN:
        return constant_time_compare(given, settings.METRICS_TOKEN)
    near = request.META.get("REMOTE_ADDR") in ("127.0.0.1", "::1")
    return not settings.PRODUCTION and near and not any(request.headers.get(h) for h in _FORWARDED)
