"""Pictures: checked, re-encoded, sized; or drawn art of the project; or a URL an import names."""

import hashlib
import re
import warnings
from datetime import datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from tongzhou.catalog.commands import shelf
from tongzhou.catalog.models import Picture, PictureKind, Product
from tongzhou.catalog.rules import clean_text
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal, conflict, invalid, not_found

WIDTHS = (240, 480, 960)
MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
LEAST_SIDE = 32
MOST_PICTURES = 12
FORMATS = ("JPEG", "PNG", "WEBP")
_DRAWN = re.compile(r"tz/art/[a-z0-9/_-]+\.svg")


def add_picture(
    *, product_id: UUID, by: Actor, at: datetime, upload: bytes | None = None, drawn: str = "", source_url: str = "",
    alt: str = "", alt_en: str = "",
) -> UUID:  # fmt: skip
    """Add one picture at the end: exactly one of ``upload`` (bytes), ``drawn`` (static path), ``source_url``.

    An upload is decoded, turned upright, stripped of everything but its pixels and written as WebP in
    up to three widths below ``MEDIA_ROOT``, named by its content; files are written before the
    transaction begins, and the same picture twice is the same files.

    *Refuses:* ``product_not_found``, ``picture_too_large`` (bytes or pixels), ``picture_unreadable``,
    ``picture_too_small``, ``picture_source_invalid``, ``too_many_pictures`` (12).
    """
    made = _Made(PictureKind.REMOTE)
    if upload is not None:
        made = _encode(upload)
    elif drawn:
        if not _DRAWN.fullmatch(drawn):
            raise invalid("picture_source_invalid", _("没有这幅图画。"), field="drawn", value=drawn)
        made = _Made(PictureKind.DRAWN, path=drawn)
    elif not re.fullmatch(r"https?://[^\s<>\"']{1,980}", source_url):
        raise invalid("picture_source_invalid", _("图片地址不对。"), field="source_url", value=source_url)
    with transaction.atomic():
        if not Product.objects.select_for_update().filter(id=product_id).exists():
            raise not_found(_("没有这个商品。"), code="product_not_found")
        have = list(Picture.objects.filter(product_id=product_id).values_list("position", flat=True))
        if len(have) >= MOST_PICTURES:
            raise conflict(
                "too_many_pictures", _("每个商品最多 12 张图片。"), field="pictures", fix=_("先删掉不用的。")
            )
        row = Picture(
            id=new_id(), product_id=product_id, position=max(have, default=-1) + 1, kind=made.kind, path=made.path,
            widths=made.widths, width=made.width, height=made.height, alt=clean_text(alt)[:200],
            alt_en=clean_text(alt_en)[:200], source_url=source_url, at=at,
        )  # fmt: skip
        Picture.objects.bulk_create([row])
        shelf.refresh([product_id])
        audit.record(
            by=by, action="picture.added", subject_kind="product", subject_id=product_id, at=at, path=made.path
        )
        return row.id


@transaction.atomic
def remove_picture(*, product_id: UUID, picture_id: UUID, by: Actor, at: datetime) -> None:
    """Take a picture off a product; its files stay, because another product may show them.

    *Refuses:* ``picture_not_found``.
    """
    gone, _rows = Picture.objects.filter(id=picture_id, product_id=product_id).delete()
    if not gone:
        raise not_found(_("没有这张图片。"), code="picture_not_found")
    shelf.refresh([product_id])
    audit.record(by=by, action="picture.removed", subject_kind="product", subject_id=product_id, at=at)


@transaction.atomic
def order_pictures(*, product_id: UUID, picture_ids: list[UUID], by: Actor, at: datetime) -> None:
    """Put a product's pictures in this order; the first is its cover. *Refuses:* ``picture_not_found``."""
    rows = {p.id: p for p in Picture.objects.select_for_update().filter(product_id=product_id)}
    if set(picture_ids) != set(rows) or len(picture_ids) != len(rows):
        raise not_found(_("图片已经变了，请刷新后再排。"), code="picture_not_found")
    for position, picture_id in enumerate(picture_ids):
        rows[picture_id].position = position
    Picture.objects.bulk_update(rows.values(), ["position"])
    shelf.refresh([product_id])
    audit.record(by=by, action="picture.ordered", subject_kind="product", subject_id=product_id, at=at)


class _Made:
    """What became of an upload."""

    def __init__(
        self, kind: PictureKind, path: str = "", widths: list[int] | None = None, width: int = 0, height: int = 0
    ) -> None:
        self.kind, self.path, self.widths, self.width, self.height = kind, path, widths or [], width, height


def _encode(upload: bytes) -> _Made:
    if len(upload) > MOST_BYTES:
        raise invalid(
            "picture_too_large", _("图片太大。"), field="picture", value=len(upload), rule=_("最多 8 MB"),
            fix=_("压缩后再上传。"),
        )  # fmt: skip
    image = _decode(upload)
    if min(image.size) < LEAST_SIDE:
        raise invalid("picture_too_small", _("图片太小。"), field="picture", value="×".join(map(str, image.size)))
    digest = hashlib.sha256(upload).hexdigest()[:32]
    stem = f"goods/{digest[:2]}/{digest}"
    widths = [w for w in WIDTHS if w < image.width] or []
    if image.width <= WIDTHS[-1]:
        widths.append(image.width)
    else:
        widths = list(WIDTHS)
    for width in widths:
        _write(image, width, Path(settings.MEDIA_ROOT) / f"{stem}-{width}.webp")
    scale = widths[-1] / image.width
    return _Made(PictureKind.UPLOADED, stem, widths, widths[-1], max(1, round(image.height * scale)))


def _decode(upload: bytes) -> Image.Image:
    """The pixels, upright. The size is read from the header before anything is unpacked, so a small file that
    claims to be a huge picture is refused unopened."""
    unreadable = invalid(
        "picture_unreadable", _("这个文件不是能用的图片。"), field="picture", rule=_("JPEG、PNG 或 WebP"),
        fix=_("另存为 JPEG 再上传。"),
    )  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(upload), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise _too_many_pixels(opened.size)
                opened.load()
                upright = ImageOps.exif_transpose(opened) or opened
                has_alpha = "A" in upright.getbands() or "transparency" in upright.info
                return upright.convert("RGBA" if has_alpha else "RGB")
    except Refusal:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels((0, 0)) from error
    except Exception as error:  # the decoders raise whatever a broken file leads them to
        raise unreadable from error


def _too_many_pixels(size: tuple[int, int]) -> Refusal:
    return invalid(
        "picture_too_large",
        _("图片的像素太多。"),
        field="picture",
        value="×".join(map(str, size)),
        rule=_("最多 4000 万像素"),
    )


def _write(image: Image.Image, width: int, path: Path) -> None:
    """One size as WebP, put in place by a rename so that a reader never sees half of it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    height = max(1, round(image.height * width / image.width))
    sized = image if width == image.width else image.resize((width, height), Image.Resampling.LANCZOS)
    scratch = path.with_suffix(f".{new_id().hex}.tmp")
    try:
        sized.save(scratch, "WEBP", quality=82, method=4)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
