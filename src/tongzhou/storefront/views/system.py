"""Pages about the mall itself, and what machines ask."""

import re
from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import queries as goods
from tongzhou.kit import clock, worker
from tongzhou.storefront import feeds, http
from tongzhou.suppliers import queries as suppliers

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


def sitemap(request: HttpRequest, part: str = "") -> HttpResponse:
    """The index, or one of its files: ``pages`` (lists, shelves, help), or a number of the files of products."""
    if not part:
        names = ["pages", *map(str, range(1, goods.sitemap_parts() + 1))]
        rows = "".join(f"<sitemap><loc>{settings.SITE_URL}/sitemap-{name}.xml</loc></sitemap>" for name in names)
        return _sitemap("sitemapindex", rows)
    if part == "pages":
        shelves, places = list(goods.shelves().roots), ["/", "/categories", "/new", "/popular"]
        while shelves:
            node = shelves.pop()
            places.append(f"/categories/{node.slug}")
            shelves += node.children
        places += [f"/suppliers/{s.code}" for s in suppliers.by_ids(goods.selling()).values()]
        places += [f"/help/{topic}" for topic in TOPICS]
        return _sitemap(
            "urlset", "".join(f"<url><loc>{settings.SITE_URL}{quote(place)}</loc></url>" for place in places)
        )
    found = goods.sitemap(int(part)) if re.fullmatch(r"[1-9][0-9]{0,4}", part) else ()
    if not found:
        return http.page(request, "error", {"code": 404}, status=404)
    urls = [
        f"<url><loc>{settings.SITE_URL}/products/{quote(slug)}</loc><lastmod>{at:%Y-%m-%d}</lastmod></url>"
        for slug, at in found
    ]
    return _sitemap("urlset", "".join(urls))


def _sitemap(root: str, rows: str) -> HttpResponse:
    head = f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return HttpResponse(f"{head}{rows}</{root}>", content_type="application/xml")


def feed(request: HttpRequest, form: str) -> HttpResponseBase:
    """The goods as Google Merchant reads them, ``tsv`` or ``xml``; Chinese, or English with ``?language=en``."""
    if form not in feeds.TYPES:
        return http.page(request, "error", {"code": 404}, status=404)
    language = "en" if request.GET.get("language") == "en" else "zh"
    response = FileResponse(feeds.written(form, language, http.now()).open("rb"), content_type=feeds.TYPES[form])
    response["Cache-Control"] = f"public, max-age={feeds.KEPT}"
    return response


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Uploaded pictures, which the catalog re-encoded itself; nothing else is ever served from there."""
    from django.views.static import serve

    response = serve(request, path, document_root=str(settings.MEDIA_ROOT))
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
