"""Finding: home, shelves, search, product."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache as once
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import CategoryNode, ProductCard, ProductPage
from tongzhou.design.templatetags.shop_tags import loc
from tongzhou.kit import clock
from tongzhou.kit.refusals import Refusal, not_found
from tongzhou.orders import queries as orders
from tongzhou.plans.values import PlanVersionValue
from tongzhou.rewards import queries as rewards
from tongzhou.storefront import http, searched, sieve
from tongzhou.storefront.promises import on_card, promised
from tongzhou.storefront.structured import choices_data, list_data, product_data, trail_data
from tongzhou.storefront.variants import axes, chosen_sku, costs_more
from tongzhou.storefront.views.share import vouch
from tongzhou.suppliers import queries as suppliers

Shelf = list[tuple[ProductCard, int]]
SORTS = ("newest", "price", "-price")
ON_HOME, IN_BLOCK, IN_SECTION = 40, 4, 4
KEPT_BESIDE = 120  # seconds
POPULAR_DAYS, POPULAR_KEPT, MOST_POPULAR = (
    30,
    600,
    48,
)  # days looked back; seconds the answer is kept; goods of the list
FOUND_SORTS = (("relevance", _("最相关")), ("newest", _("最新")), ("price", _("价格从低")), ("-price", _("价格从高")))
WANTED, WANTED_TIMES = 8, 3  # how many searches are shown; how often something must have been looked for


def shelf(items: Iterable[ProductCard], force: PlanVersionValue | None) -> Shelf:
    """Cards with what each would earn."""
    return [(c, on_card(force, c)) for c in items]


def popular(discount_bp: int, at: datetime, limit: int = 5) -> list[tuple[ProductCard, int]]:
    """What most different people bought in the last 30 days, from paid orders; asked once in ten minutes."""
    found: list[tuple[UUID, int]] | None = cache.get("home:popular")
    if found is None:
        found = orders.most_bought(at - timedelta(days=POPULAR_DAYS), limit=2 * MOST_POPULAR)
        cache.set("home:popular", found, POPULAR_KEPT)
    asked = [p for p, _n in found[: 2 * limit]]
    cards = goods.cards_by_ids(asked, discount_bp=discount_bp, shown_only=True) if asked else {}
    return [(cards[p], n) for p, n in found if p in cards and cards[p].in_stock][:limit]


def most_bought(request: HttpRequest) -> HttpResponse:
    """大家在买: the same figures as on the first page, all of them."""
    at = http.now()
    found = popular(http.discount(at), at, MOST_POPULAR)
    return http.page(request, "list", {
        "kind": "popular", "people": found, "data": list_data([c for c, _n in found], str(_("大家在买"))), "tab": "home",
    })  # fmt: skip


def newest(request: HttpRequest) -> HttpResponse:
    """新上: everything on sale by when it came, a page at a time."""
    at, after = http.now(), request.GET.get("after", "")
    page = goods.cards(discount_bp=http.discount(at), after=after)
    return http.page(request, "list", {
        "kind": "new", "items": shelf(page.items, http.plan(at)), "cursor": page.next_cursor, "tab": "home",
        "data": list_data(page.items, str(_("新上"))), "after": after,
    })  # fmt: skip


def blocks(items: Sequence[ProductCard], tree: Sequence[CategoryNode], most: int = 3) -> list[tuple[CategoryNode, list[ProductCard]]]:  # fmt: skip
    """Top categories that fill a row with what is on hand; the fullest ones, in the order of the shelves."""
    inside = {top.id: set(top.descendants()) for top in tree}
    found = [(top, [c for c in items if c.category_id in inside[top.id] and c.in_stock][:IN_BLOCK]) for top in tree]
    return [(top, cards) for top, cards in found if len(cards) == IN_BLOCK][:most]


def home(request: HttpRequest) -> HttpResponse:
    """The first page: the idea, the shelves, what people buy, what is new. Nothing on it is invented."""
    at, who = http.now(), http.member(request)
    force, bp, tree = http.plan(at), http.discount(at), goods.shelves().roots
    found = goods.cards(discount_bp=bp, limit=ON_HOME).items
    fresh = found[:8]
    rest = [c for c in found if c not in fresh]
    mine = None
    if who is not None:
        month = clock.day_start(clock.mall_day(at).replace(day=1))
        mine = {"saved": orders.saved_this_month(who.id, month), "purse": rewards.earnings(who.id)}
    context = {
        "tab": "home", "kinds": tree[:9], "items": shelf(fresh, force), "popular": popular(bp, at), "mine": mine,
        "blocks": [(top, shelf(cards, force)) for top, cards in blocks(rest, tree)], "vouch": vouch(request, None, at), "levels": http.levels(at),
    }  # fmt: skip
    return http.page(request, "home", context)


def categories(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Two panes: the shelves at the left, what stands on the chosen one at the right, by its parts when it has some."""
    at, shelves = http.now(), goods.shelves()
    tree = shelves.roots
    chosen = goods.category(slug) if slug else (tree[0] if tree else None)
    if slug and chosen is None:
        raise not_found(_("没有这个分类。"), code="category_not_found")
    top = next((t for t in tree if chosen and chosen.id in t.descendants()), None)
    way = request.GET.get("sort", "newest")
    sort, after = way if way in SORTS else "newest", request.GET.get("after", "")
    force, bp, asked = http.plan(at), http.discount(at), sieve.read(request.GET)
    page = goods.cards(
        discount_bp=bp, category_id=chosen.id if chosen else None, sort=sort, after=after, sieve=asked.sieve
    )
    whole = sort == "newest" and not after and not page.next_cursor and not asked.pairs
    parts = _parts(chosen, page.items, force) if chosen and whole else []
    trail = goods.trail(chosen) if chosen else []
    context = {"tab": "kinds", "tree": tree, "mark": shelves.mark, "chosen": chosen, "top": top, "sort": sort, "cursor": page.next_cursor,
               "items": shelf(page.items, force), "parts": parts, "trail": trail, "after": after,
               "data": partial(_shelf_data, trail, page.items), "asked": asked, "bp": bp,
               "sieve": once(partial(_sieve_of, request.path, chosen, sort, asked, bp))}  # fmt: skip
    return http.page(request, "category", context)


def _shelf_data(trail: Sequence[CategoryNode], items: Sequence[ProductCard]) -> str:
    """What machines read of a shelf; asked for by the page only when it has no kept copy."""
    return trail_data(trail) + list_data(items, loc(trail[-1], "name")) if trail else ""


def _sieve_of(path: str, chosen: CategoryNode | None, sort: str, asked: sieve.Asked, bp: int) -> sieve.Panel | None:
    """The filters of a category; asked for by the page only when it has no kept copy of them."""
    if chosen is None:
        return None
    rest = (("sort", sort),) if sort != "newest" else ()
    return sieve.panel(
        path, rest, asked, lambda s: goods.facets(discount_bp=bp, category_id=chosen.id, sieve=s), kinds=False
    )  # fmt: skip


def _parts(node: CategoryNode, items: Sequence[ProductCard], force: PlanVersionValue | None) -> list[tuple[CategoryNode, Shelf, int]]:  # fmt: skip
    """(part, its first goods, how many it has) of a category whose goods all fit on one page."""
    out = []
    for child in node.children:
        inside = set(child.descendants())
        mine = [c for c in items if c.category_id in inside]
        if mine:
            out.append((child, shelf(mine[:IN_SECTION], force), len(mine)))
    own = [c for c in items if c.category_id == node.id]
    return [*out, (node, shelf(own, force), len(own))] if out and own else out


def search(request: HttpRequest) -> HttpResponse:
    """What was found, best first, with what to narrow it by; or help when nothing was."""
    at, query = http.now(), request.GET.get("q", "").strip()[:100]
    bp, force, sort = http.discount(at), http.plan(at), request.GET.get("sort", "relevance")
    offset, exact = http.as_int(request.GET.get("from", "0"), "from", high=1000), bool(request.GET.get("exact"))
    asked = sieve.read(request.GET)
    found = goods.search(query, discount_bp=bp, offset=offset, sort=sort, sieve=asked.sieve, exact=exact)
    if (
        query and not offset and not asked.pairs and not {"sort", "exact"} & set(request.GET)
    ):  # counted once, not with each turn of it
        searched.note(query, found.count, at)
    context = {"q": query, "found": found, "items": shelf(found.items, force), "sort": sort, "asked": asked, "exact": exact, "sorts": FOUND_SORTS,
               "next_from": offset + 24 if offset + 24 < found.count else 0}  # fmt: skip
    if found.items or asked.pairs:
        rest = [
            (k, v)
            for k, v in (("q", query), ("sort", sort if sort != "relevance" else ""), ("exact", "1" if exact else ""))
            if v
        ]
        words = found.corrected or query
        context["panel"] = sieve.panel(
            request.path, rest, asked, lambda s: goods.facets(words, discount_bp=bp, sieve=s)
        )
    else:
        context |= _instead(query, bp, force, at, look=not offset)
    return http.page(request, "search", context)


def _instead(query: str, bp: int, force: PlanVersionValue | None, at: datetime, *, look: bool) -> dict[str, Any]:
    """Help when nothing was found: the nearest wording, what others look for, the shelves, the newest goods."""
    near = closest(query, bp) if query and look else None
    more = near[1].items[:8] if near else goods.cards(discount_bp=bp, limit=8).items
    return {"near": near, "more": shelf(more, force), "kinds": goods.shelves().roots, "wanted": wanted(at)}


def wanted(at: datetime) -> list[str]:
    """What was looked for most and found in the last 30 days; asked once in ten minutes. Nobody is named in it."""
    found: list[str] | None = cache.get("search:wanted")
    if found is None:
        rows = goods.popular_searches(clock.mall_day(at - timedelta(days=POPULAR_DAYS)), limit=WANTED)
        found = [words for words, times in rows if times >= WANTED_TIMES]
        cache.set("search:wanted", found, POPULAR_KEPT)
    return found


def suggest(request: HttpRequest) -> JsonResponse:
    """What one may be typing: shelves, words others looked for, goods. For the search field's script."""
    typed = request.GET.get("q", "").strip()[:60]
    at, plain = http.now(), " ".join(typed.lower().split())
    words = [w for w in wanted(at) if plain and w.startswith(plain) and w != plain][:3]
    kinds = goods.named(typed, limit=2) if typed else []
    rows: list[tuple[str, Any, str]] = [
        *((w, _("大家在搜"), f"/search?{urlencode({'q': w})}") for w in words),
        *((loc(k, "name"), _("分类"), f"/categories/{k.slug}") for k in kinds),
        *((loc(g, "title"), "", f"/products/{g.slug}") for g in goods.suggest(typed, limit=6)),
    ]
    items = [{"text": text, "note": str(note), "url": url} for text, note, url in rows[:8]]
    answer = JsonResponse({"q": typed, "items": items})
    answer["Cache-Control"] = "private, max-age=60"
    return answer


def closest(query: str, discount_bp: int) -> tuple[str, Any] | None:
    """The nearest shorter wording that finds something: one of its words, or all but its last character. Two tries."""
    words = sorted(query.split(), key=len, reverse=True)
    tries = [w for w in words if w != query] if len(words) > 1 else [query[:-1], query[1:]]
    for text in [t for t in tries if t.strip()][:2]:
        found = goods.search(text, discount_bp=discount_bp, limit=8)
        if found.items:
            return text, found
    return None


def supplier(request: HttpRequest, code: str) -> HttpResponse:
    """Everything one supplier has on sale, by when it came."""
    at, after = http.now(), request.GET.get("after", "")
    seller = suppliers.by_code(code)
    if seller is None:
        raise not_found(_("没有这个商家。"), code="supplier_not_found")
    page = goods.cards(discount_bp=http.discount(at), supplier_id=seller.id, after=after)
    return http.page(request, "list", {
        "kind": "supplier", "seller": seller, "items": shelf(page.items, http.plan(at)), "cursor": page.next_cursor, "tab": "home",
        "data": list_data(page.items, loc(seller, "name")) if page.items else "", "after": after or not page.items,
    })  # fmt: skip


def _newest_of(category_id: UUID, bp: int) -> Sequence[ProductCard]:
    """The newest goods of a shelf, asked once in two minutes: many product pages show some of them."""
    key = f"alike:{category_id}:{bp}"
    found: Sequence[ProductCard] | None = cache.get(key)
    if found is None:
        found = goods.cards(discount_bp=bp, category_id=category_id, limit=3 * IN_BLOCK).items
        cache.set(key, found, KEPT_BESIDE)
    return found


def _beside(item: ProductPage, bp: int) -> dict[str, Any]:
    """What is bought together with a product, then what else its shelf has; in stock only. Up to four queries."""
    pairs = orders.bought_with(item.id)
    cards = goods.cards_by_ids([p for p, _n in pairs], discount_bp=bp, shown_only=True) if pairs else {}
    together = [(cards[p], n) for p, n in pairs if p in cards and cards[p].in_stock][:IN_BLOCK]
    seen = {item.id, *(c.id for c, _n in together)}
    alike: list[ProductCard] = []
    for node in reversed(goods.trail(item.category)[-2:]):  # its own shelf, then the one above
        if len(alike) < IN_BLOCK:
            alike += [c for c in _newest_of(node.id, bp) if c.in_stock and c.id not in seen | {a.id for a in alike}]
    return {"together": together, "alike": alike[:IN_BLOCK]}


def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One product, complete; names the sharer when a share link led here."""
    at = http.now()
    try:
        item = goods.product_page(slug, http.discount(at), at=at)
    except Refusal:  # asked only when nothing lives here: an old address leads to the new one
        moved = goods.current_slug(slug)
        if not moved or moved == slug:
            raise
        return HttpResponseRedirect(f"/products/{moved}", status=301)
    force = http.plan(at)
    asked = request.GET.get("sku", "")
    sku = chosen_sku(item, asked)
    earning, trail = promised(force, item, sku) if sku else 0, goods.trail(item.category)
    context = {
        "item": item, "sku": sku, "more": not asked and costs_more(item, sku), "earning": earning, "vouch": vouch(request, item.id, at), "axes": axes(item, sku),
        "trail": trail, "supplier": suppliers.known(item.supplier_id), "plan": force,
        "data": product_data(item) + trail_data(trail, loc(item, "title"), item.slug), "combinations": choices_data(item) if len(item.options) > 1 else "",
        "freight": settings.FREIGHT_MINOR, "free_from": settings.FREE_FREIGHT_FROM_MINOR,
        "beside": partial(_beside, item, http.discount(at)), "bp": http.discount(at),
        "back": f"/categories/{item.category.slug}" if item.category.slug else "/",
    }  # fmt: skip
    return http.page(request, "product", context)
