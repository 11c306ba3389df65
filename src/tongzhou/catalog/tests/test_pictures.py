"""Pictures: what is taken, what is made of it, and what is refused without a trace."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tongzhou.catalog import commands, queries
from tongzhou.catalog.commands import pictures
from tongzhou.catalog.models import Picture
from tongzhou.catalog.tests.making import AT, BY, a_product
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def drawing(width=1200, height=800, format="JPEG", mode="RGB", **more):
    out = BytesIO()
    Image.new(mode, (width, height), "red").save(out, format, **more)
    return out.getvalue()


def add(**more):
    more.setdefault("product_id", None)
    more["product_id"] = more["product_id"] or a_product().id
    return commands.add_picture(by=BY, at=AT, **more)


@pytest.mark.parametrize(
    ("format", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_three_sizes_are_made_and_the_card_shows_them(media, format, mode):
    add(upload=drawing(format=format, mode=mode), alt="茶罐")
    row = Picture.objects.get()
    assert row.widths == [240, 480, 960] and (row.width, row.height) == (960, 640)
    for width in row.widths:
        with Image.open(media / f"{row.path}-{width}.webp") as image:
            assert image.format == "WEBP" and image.width == width
    picture = queries.cards(discount_bp=0).items[0].picture
    assert picture.src == f"/media/{row.path}-480.webp" and "960w" in picture.srcset and picture.alt == "茶罐"


def test_a_small_picture_is_not_blown_up():
    add(upload=drawing(300, 200))
    assert Picture.objects.get().widths == [240, 300]


def test_what_a_camera_wrote_beside_the_pixels_is_gone_and_the_picture_upright(media):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "13812341234"
    add(upload=drawing(600, 300, exif=exif))
    row = Picture.objects.get()
    assert row.height > row.width
    data = (media / f"{row.path}-{row.widths[-1]}.webp").read_bytes()
    assert b"13812341234" not in data and b"EXIF" not in data


def test_the_same_picture_twice_is_the_same_files(media):
    product = a_product().id
    for _ in range(2):
        add(product_id=product, upload=drawing())
    assert len(list(media.rglob("*.webp"))) == 3 and not list(media.rglob("*.tmp"))


def bomb():
    """A PNG of a few bytes that claims 60,000 × 60,000 pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


SHELL = b"GIF89a<?php system($_GET['c']); ?>"


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (b"", "picture_unreadable"),
        (b"<svg onload=alert(1)>", "picture_unreadable"),
        (SHELL, "picture_unreadable"),
        (drawing(64, 64, "GIF"), "picture_unreadable"),
        (drawing()[:500], "picture_unreadable"),
        (drawing(20, 200), "picture_too_small"),
        (bomb(), "picture_too_large"),
        (b"\xff" * (pictures.MOST_BYTES + 1), "picture_too_large"),
    ],
)
def test_defect_17_an_upload_that_is_not_a_picture_is_refused_and_nothing_is_written(media, upload, code):
    product = a_product().id
    with pytest.raises(Refusal, match=code):
        add(product_id=product, upload=upload)
    assert not Picture.objects.exists() and not media.exists()


def test_code_hidden_in_a_real_picture_does_not_survive(media):
    add(upload=drawing() + b"<?php system('id'); ?>")
    assert all(f.suffix == ".webp" and b"<?php" not in f.read_bytes() for f in media.rglob("*.*"))


@pytest.mark.parametrize(
    "more",
    [
        {"drawn": "../../etc/passwd"},
        {"drawn": "tz/art/x.png"},
        {"source_url": "javascript:alert(1)"},
        {"source_url": 'https://x/"onerror='},
        {},
    ],
)
def test_odd_sources_are_refused(more):
    product = a_product().id
    with pytest.raises(Refusal, match="picture_source_invalid"):
        add(product_id=product, **more)
    assert not Picture.objects.exists()


def test_order_remove_and_limits():
    product = a_product().id
    ids = [add(product_id=product, drawn=f"tz/art/goods/a-{i}.svg") for i in range(12)]
    with pytest.raises(Refusal, match="too_many_pictures"):
        add(product_id=product, drawn="tz/art/goods/b.svg")
    commands.order_pictures(product_id=product, picture_ids=ids[::-1], by=BY, at=AT)
    assert queries.cards(discount_bp=0).items[0].picture.src.endswith("a-11.svg")
    commands.remove_picture(product_id=product, picture_id=ids[-1], by=BY, at=AT)
    assert queries.cards(discount_bp=0).items[0].picture.src.endswith("a-10.svg")
    for call in (
        lambda: commands.remove_picture(product_id=new_id(), picture_id=ids[0], by=BY, at=AT),
        lambda: commands.order_pictures(product_id=product, picture_ids=ids, by=BY, at=AT),
    ):
        before = list(Picture.objects.order_by("id").values())
        with pytest.raises(Refusal, match="picture_not_found"):
            call()
        assert list(Picture.objects.order_by("id").values()) == before
    with pytest.raises(Refusal, match="product_not_found"):
        add(product_id=new_id(), drawn="tz/art/goods/a.svg")


def test_the_placeholder_is_shipped():
    assert (Path(pictures.__file__).parents[1] / "static/tz/art/goods/placeholder.svg").read_text().startswith("<svg")
