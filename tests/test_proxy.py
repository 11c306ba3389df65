"""Limits count visitors, not the operator's proxy; and nobody chooses the own address."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from tongzhou.config.proxy import ProxyMiddleware


@pytest.mark.parametrize(
    ("hops", "header", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "127.0.0.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_the_address_is_what_the_operators_own_proxies_wrote(settings, hops, header, seen):
    settings.TRUSTED_PROXIES = hops
    found = []
    middleware = ProxyMiddleware(lambda request: found.append(request.META["REMOTE_ADDR"]) or HttpResponse())
    middleware(RequestFactory().get("/", headers={"X-Forwarded-For": header}))
    assert found == [seen]
