"""Pages rendered for a visitor with a session, a cart and a sharer; no page is cached as a whole."""

import gzip
import re
import urllib.request
from typing import Any

from benchmarks.figures import Figure, at_least, at_most, percentile
from benchmarks.mall import Mall, Stop, client, mall
from benchmarks.orders import Options, filled


def run(options: Options) -> list[Figure]:
    """Requests per second of a list of 24 and of a product page, on PostgreSQL."""
    with mall(options.database_url or "postgresql", keep=options.keep) as there:
        spec = filled(there, options, 20)
        there.start()
        body = _get(there, f"/categories/{spec['shelves'][0]}", spec["cookie"])
        cards = len(set(re.findall(r'href="/products/([\w-]+)"', body.decode())))
        if cards != 24:
            raise Stop(f"The list page shows {cards} goods, not 24.")
        if spec["sharer"] not in _get(there, f"/products/{spec['slugs'][1]}", spec["cookie"]).decode():
            raise Stop("The product page does not name the sharer: the visitor's cookies are not taken.")
        figures = []
        for name, paths in (
            ("list of 24", [f"/categories/{s}" for s in spec["shelves"]]),
            ("product", [f"/products/{s}" for s in spec["slugs"]]),
        ):
            figures += _page(there, spec, name, paths, options)
        return figures


def _page(there: Mall, spec: dict[str, Any], name: str, paths: list[str], options: Options) -> list[Figure]:
    load = {"kind": "pages", "port": there.port, "cookie": spec["cookie"], "paths": paths, "clients": options.clients}
    client({**load, "first": 0, "count": 400}, there.folder)
    before = there.cpu()
    done = client({**load, "first": 400, "count": max(1000, options.orders * 2)}, there.folder)
    if done["errors"]:
        raise Stop("\n".join(done["errors"]))
    after = there.cpu()
    cost = sum(after[k] - before[k] for k in after) / done["done"] * 1000
    parts = ", ".join(f"{k} {(after[k] - before[k]) / done['done'] * 1000:.2f}" for k in after)
    return [
        at_least("pages", f"{name}: requests per second", done["done"] / (done["ended"] - done["began"]), "", 400),
        Figure("pages", f"{name}: CPU per request", f"{cost:.2f} ms ({parts})"),
        Figure("pages", f"{name}: p50, p95", f"{_ms(done, 0.5)}, {_ms(done, 0.95)}", "ms"),
    ]


def _ms(done: dict[str, Any], part: float) -> float:
    return round(percentile(done["took"], part) * 1000, 1)


def _get(there: Mall, path: str, cookie: str = "") -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{there.port}{path}", headers={"Cookie": cookie, "Accept-Language": "zh-CN"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def first_page(options: Options) -> list[Figure]:
    """How much a first visit loads without pictures: the page, its styles and its scripts."""
    with mall("sqlite", web_workers=1, keep=options.keep) as there:
        spec = filled(there, options, 20)
        there.start()
        figures = []
        for name, path in (("home", "/"), ("product", f"/products/{spec['slugs'][0]}")):
            html = _get(there, path)
            parts = re.findall(r'<(?:link[^>]+rel="stylesheet"[^>]+|script[^>]+)(?:href|src)="([^"]+)"', html.decode())
            files = [html, *(_get(there, part) for part in dict.fromkeys(parts))]
            plain, packed = sum(map(len, files)), sum(len(gzip.compress(f, 6)) for f in files)
            figures += [
                at_most("first-page", f"{name} without pictures, as sent", plain / 1000, "KB", 100),
                Figure("first-page", f"{name} without pictures, if compressed", round(packed / 1000, 1), "KB"),
            ]
        return figures
