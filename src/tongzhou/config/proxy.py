"""Who is really asking, when the mall stands behind a proxy of its own."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class ProxyMiddleware:
    """Puts the visitor's address where limits and records read it.

    With ``TONGZHOU_PROXIES=n`` the n-th address from the right of ``X-Forwarded-For`` counts: what the
    operator's own proxies wrote. Whatever stands left of it came from the visitor and is not believed.
    With 0 (the default) the header is ignored.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.hops = settings.TRUSTED_PROXIES

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self.hops:
            chain = [a.strip() for a in request.headers.get("X-Forwarded-For", "").split(",") if a.strip()]
            if len(chain) >= self.hops:
                request.META["REMOTE_ADDR"] = chain[-self.hops][:45]
        return self.get_response(request)
