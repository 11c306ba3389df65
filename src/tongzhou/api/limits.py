"""What surrounds every call: a limit per caller, and problems instead of pages.

The counters live in the process's own cache: with two web workers a caller may get through up to twice as often.
A limit protects the mall from a runaway script; it is not a quota.
"""

import hashlib
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from tongzhou.api import problems

WINDOW = 60  # seconds
Handler = Callable[[HttpRequest], HttpResponse]


class ApiMiddleware:
    """For addresses below ``/api/`` only. Headers as in the IETF draft: ``RateLimit-Limit``, ``-Remaining``, ``-Reset``."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        most, now = settings.API_PER_MINUTE, int(time.time())
        used, reset = self._count(request, now), WINDOW - now % WINDOW
        if used > most:
            response: HttpResponse = problems.response(
                429, code="too_many_requests", title="Too many requests.", rule=f"{most} / {WINDOW} s", retryable=True
            )
            response["Retry-After"] = str(reset)
        else:
            response = self.get_response(request)
            if response.status_code >= 400 and not response.get("Content-Type", "").startswith(problems.TYPE):
                allow = response.get("Allow")
                response = problems.of_status(response.status_code)
                if allow:
                    response["Allow"] = allow
        response["RateLimit-Limit"] = str(most)
        response["RateLimit-Remaining"] = str(max(0, most - used))
        response["RateLimit-Reset"] = str(reset)
        return response

    def _count(self, request: HttpRequest, now: int) -> int:
        """How often this caller asked in this window: by token, else by address."""
        who = request.headers.get("Authorization") or request.META.get("REMOTE_ADDR", "")
        name = hashlib.sha256(who.encode()).hexdigest()[:32]
        key = f"api:{name}:{now // WINDOW}"
        cache.add(key, 0, WINDOW * 2)
        try:
            return cache.incr(key)
        except ValueError:  # the cache dropped it between the two
            return 1
