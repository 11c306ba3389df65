"""Where products live."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tongzhou.catalog.models import Product
from tongzhou.catalog.queries.sieves import published
from tongzhou.catalog.values import ProductStatus

SITEMAP_PART = 20_000  # addresses in one file; the protocol allows 50,000


def slug_of(product_id: UUID) -> str | None:
    """The address part of a published product; None when it is not shown."""
    rows = Product.objects.filter(id=product_id, status=ProductStatus.PUBLISHED)
    return rows.values_list("slug", flat=True).first()


def sitemap_parts() -> int:
    """How many files of a sitemap hold every published product."""
    return -(-published().count() // SITEMAP_PART)


def sitemap(part: int) -> Sequence[tuple[str, datetime]]:
    """(slug, changed at) of the published products of one file, from 1; by id, so that each is in one file."""
    start = (part - 1) * SITEMAP_PART
    return list(published().order_by("id").values_list("slug", "changed_at")[start : start + SITEMAP_PART])


def selling() -> set[UUID]:
    """The suppliers that have something on sale."""
    return set(published().order_by().values_list("supplier_id", flat=True).distinct())
