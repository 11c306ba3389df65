"""Facts of catalog, past tense."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProductPublished:
    """A product can be seen and bought from now on."""

    product_id: UUID
    slug: str
    happened_at: datetime
