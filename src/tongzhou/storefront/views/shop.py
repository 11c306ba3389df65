"""Finding: home, shelves, search, product."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import queries as goods
from tongzhou.catalog.values import ProductCard
from tongzhou.kit.refusals import not_found
from tongzhou.plans.rules import LineFacts, estimate
from tongzhou.plans.values import PlanVersionValue
from tongzhou.storefront import http
from tongzhou.storefront.views.share import vouch
from tongzhou.suppliers import queries as suppliers


def earns(force: PlanVersionValue | None, *, price: int, listed: int, cost: int | None = None, slug: str = "",
          sku: str = "", categories: tuple[str, ...] = ()) -> int:  # fmt: skip
    """分享赚: what one unit would earn a sharer under the plan in force."""
    if force is None:
        return 0
    return estimate(force.plan, LineFacts(sku, slug, categories, price, 0, listed, cost))


def shelf(
    items: tuple[ProductCard, ...] | list[ProductCard], force: PlanVersionValue | None
) -> list[tuple[ProductCard, int]]:
    """Cards with what each would earn."""
    return [(c, earns(force, price=c.price_minor, listed=c.list_from_minor, slug=c.slug)) for c in items]


def home(request: HttpRequest) -> HttpResponse:
    """The first page: the idea, the shelves, what is new."""
    at = http.now()
    force = http.plan(at)
    page = goods.cards(discount_bp=http.discount(at), limit=24)
    return http.page(
        request, "home", {"tab": "home", "kinds": goods.categories()[:9], "items": shelf(page.items, force), "at": at}
    )


def categories(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Two panes: the shelves at the left, what stands on the chosen one at the right."""
    at, tree = http.now(), goods.categories()
    chosen = goods.category(slug) if slug else (tree[0] if tree else None)
    if slug and chosen is None:
        raise not_found(_("没有这个分类。"), code="category_not_found")
    top = next((t for t in tree if chosen and chosen.id in t.descendants()), None)
    sort = request.GET.get("sort", "newest")
    page = goods.cards(
        discount_bp=http.discount(at), category_id=chosen.id if chosen else None,
        sort=sort if sort in ("newest", "price", "-price") else "newest", after=request.GET.get("after", ""),
    )  # fmt: skip
    context = {"tab": "kinds", "tree": tree, "chosen": chosen, "top": top, "sort": sort, "cursor": page.next_cursor,
               "items": shelf(page.items, http.plan(at))}  # fmt: skip
    return http.page(request, "category", context)


def search(request: HttpRequest) -> HttpResponse:
    """What was found, best first; or help when nothing was."""
    at, query = http.now(), request.GET.get("q", "").strip()[:100]
    offset = http.as_int(request.GET.get("from", "0"), "from", high=1000)
    found = goods.search(query, discount_bp=http.discount(at), offset=offset, sort=request.GET.get("sort", "relevance"))
    more = goods.cards(discount_bp=http.discount(at), limit=8).items if query and not found.items else ()
    return http.page(
        request, "search",
        {"q": query, "found": found, "items": shelf(found.items, http.plan(at)), "more": shelf(more, http.plan(at)),
         "next_from": offset + 24 if offset + 24 < found.count else 0, "sort": request.GET.get("sort", "relevance")},
    )  # fmt: skip


def product(request: HttpRequest, slug: str) -> HttpResponse:
    """One product, complete; names the sharer when a share link led here."""
    at = http.now()
    moved = goods.current_slug(slug)
    if moved and moved != slug:
        return HttpResponseRedirect(f"/products/{moved}", status=301)
    item = goods.product_page(slug, http.discount(at), at=at)
    force = http.plan(at)
    wanted = request.GET.get("sku", "")
    sku = next((s for s in item.skus if s.code == wanted), None)
    sku = sku or next((s for s in item.skus if s.available), item.skus[0] if item.skus else None)
    earning = earns(force, price=sku.price_minor, listed=sku.list_price_minor, slug=slug, sku=sku.code) if sku else 0
    context = {
        "item": item, "sku": sku, "earning": earning, "vouch": vouch(request, item.id, at), "at": at, "back": "/",
        "supplier": suppliers.supplier(item.supplier_id), "plan": force, "token": http.token(),
    }  # fmt: skip
    return http.page(request, "product", context)
