"""Pages about the mall itself, and what machines ask."""

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import queries as goods
from tongzhou.kit import clock, worker
from tongzhou.storefront import http

STARTED = clock.now()
WORKER_PATIENCE = timedelta(minutes=5)
TOPICS = {
    "delivery": _("配送与运费"), "returns": _("退换与七日无理由"), "sharing": _("分享规则全文"), "rewards": _("每一笔怎么算"),
    "tax": _("税与提现"), "privacy": _("隐私与我的数据"), "terms": _("服务协议"), "about": _("同舟是什么"),
}  # fmt: skip


def help_page(request: HttpRequest, topic: str) -> HttpResponse:
    """Rules and rights in plain words."""
    if topic not in TOPICS:
        return http.page(request, "error", {"code": 404}, status=404)
    return http.page(request, "help", {
        "topic": topic, "topics": TOPICS.items(), "plan": http.plan(http.now()), "back": "/", "levels": http.levels(http.now()),
        "freight": settings.FREIGHT_MINOR, "free_from": settings.FREE_FREIGHT_FROM_MINOR,
    })  # fmt: skip


def alive(request: HttpRequest) -> HttpResponse:
    """``/healthz``: the process answers."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> HttpResponse:
    """``/readyz``: the database answers and a worker works; says how much waits for it and when it was last seen.

    503 once no worker took a periodic turn for five minutes, counted from this process' start at the earliest, so
    that a mall that just came up, or comes back after a night, has the time to.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        waiting = worker.backlog()
        last = worker.last_seen()
    except DatabaseError:
        return JsonResponse({"status": "database unavailable"}, status=503)
    at = clock.now()
    gone = worker.jobs() and at - max(last or STARTED, STARTED) > WORKER_PATIENCE
    return JsonResponse(
        {"status": "worker not seen" if gone else "ready", "backlog": waiting,
         "worker_seen_seconds_ago": None if last is None else int((at - last).total_seconds())},
        status=503 if gone else 200,
    )  # fmt: skip


def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may read."""
    lines = ["User-agent: *", "Disallow: /cart", "Disallow: /checkout", "Disallow: /orders", "Disallow: /earn", "Disallow: /me",
             "Disallow: /console/", "Disallow: /s/", f"Sitemap: {settings.SITE_URL}/sitemap.xml"]  # fmt: skip
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain")


def sitemap(request: HttpRequest) -> HttpResponse:
    """Published products for search engines."""
    rows = "".join(
        f"<url><loc>{settings.SITE_URL}/products/{slug}</loc><lastmod>{at:%Y-%m-%d}</lastmod></url>"
        for slug, at in goods.sitemap()
    )
    body = f'<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'
    return HttpResponse(body, content_type="application/xml")


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Uploaded pictures, which the catalog re-encoded itself; nothing else is ever served from there."""
    from django.views.static import serve

    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
