"""Where products live."""

from datetime import datetime
from uuid import UUID

from tongzhou.catalog.models import Product
from tongzhou.catalog.values import ProductStatus


def slug_of(product_id: UUID) -> str | None:
    """The address part of a published product; None when it is not shown."""
    rows = Product.objects.filter(id=product_id, status=ProductStatus.PUBLISHED)
    return rows.values_list("slug", flat=True).first()


def sitemap(limit: int = 5000) -> list[tuple[str, datetime]]:
    """Published products and since when, newest first."""
    rows = Product.objects.filter(status=ProductStatus.PUBLISHED).exclude(published_at=None).order_by("-published_at")
    return [(slug, at) for slug, at in rows.values_list("slug", "published_at")[:limit] if at]
