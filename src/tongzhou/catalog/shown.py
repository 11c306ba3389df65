"""How a stored picture becomes URLs."""

from typing import Any

from django.conf import settings
from django.templatetags.static import static

from tongzhou.catalog.models import Picture, PictureKind
from tongzhou.catalog.values import PictureValue

PLACEHOLDER = "tz/art/goods/placeholder.svg"


def record(picture: Picture) -> dict[str, Any]:
    """What a product keeps of its first picture, so that a card needs no other table."""
    return {
        "kind": picture.kind, "path": picture.path, "widths": picture.widths, "width": picture.width,
        "height": picture.height, "alt": picture.alt, "alt_en": picture.alt_en, "source_url": picture.source_url,
    }  # fmt: skip


def value(kept: dict[str, Any], *, title: str, title_en: str = "", id: Any = None) -> PictureValue:
    """A picture ready to show; without one of our own, the designed placeholder."""
    alt, alt_en = kept.get("alt") or title, kept.get("alt_en") or kept.get("alt") or title_en or title
    kind, path = kept.get("kind"), str(kept.get("path") or "")
    source = str(kept.get("source_url") or "")
    if kind == PictureKind.DRAWN and path:
        return PictureValue(static(path), alt, alt_en, width=240, height=240, id=id)
    if kind == PictureKind.UPLOADED and path:
        widths = [int(w) for w in kept.get("widths") or []]
        urls = {w: f"{settings.MEDIA_URL}{path}-{w}.webp" for w in widths}
        middle = next((w for w in widths if w >= 480), widths[-1])
        srcset = ", ".join(f"{url} {w}w" for w, url in urls.items())
        return PictureValue(
            urls[middle], alt, alt_en, srcset, int(kept.get("width") or 0), int(kept.get("height") or 0), source, id
        )
    return PictureValue(static(PLACEHOLDER), alt, alt_en, width=240, height=240, source_url=source, id=id)
