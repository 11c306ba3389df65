"""Posters: readable with and without a Chinese font, never boxes, always marked, with a code that leads to the link."""

import io
from xml.etree import ElementTree

import pytest
import segno
from django.contrib.staticfiles.finders import find
from PIL import Image

from tongzhou.sharing import poster

URL = "http://mall.example/s/7kq2mabc"
DRAWN = "/static/tz/art/goods/wok.svg"


def said(**more):
    words = {"title": "老铁炒锅 无涂层", "price_minor": 12800, "currency": "CNY", "sharer": "林小满", "sub": "越用越润"}
    return poster.say(**words | more)


@pytest.fixture
def no_font(monkeypatch):
    monkeypatch.setattr(poster, "font_path", lambda: None)


def test_the_words_are_all_in_the_text_alternative():
    alt = said(quote="第三泡最甜").alt
    for part in ("林小满", "第三泡最甜", "老铁炒锅", "¥128.00", "会员价", "广告"):
        assert part in alt
    assert said(more=True).price == "¥128.00 起" and said(more=True, english=True).price == "from ¥128.00"


def test_without_a_font_the_poster_is_a_drawing_with_real_text(no_font):
    made = poster.render(said(quote="越用越<润>"), url=URL, art=DRAWN)
    assert made.content_type == "image/svg+xml"
    root = ElementTree.fromstring(made.body)
    words = " ".join(root.itertext())
    for part in ("林小满 分享给你", "老铁炒锅 无涂层", "¥128.00", "广告", "越用越<润>"):
        assert part in words
    assert "http://mall" not in made.body.decode().replace("http://www.w3.org", ""), "nothing is fetched by a poster"


def test_without_a_font_an_uploaded_picture_lies_inside_the_file(no_font, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    Image.new("RGB", (300, 200), "#336699").save(tmp_path / "a.jpg")
    made = poster.render(said(), url=URL, art="/media/a.jpg")
    assert b'href="data:image/jpeg;base64,' in made.body


@pytest.mark.skipif(poster.font_path() is None, reason="no Chinese font on this machine")
@pytest.mark.parametrize("art", [DRAWN, ""])
def test_with_a_font_the_poster_is_a_picture_with_the_code_of_the_link(art):
    made = poster.render(said(quote="第三泡最甜，下午喝不涩"), url=URL, art=art)
    assert made.content_type == "image/png" and len(made.body) < 200_000
    with Image.open(io.BytesIO(made.body)) as drawn:
        assert drawn.size == (poster.WIDTH, poster.HEIGHT)
        seen = drawn.convert("L")
    code = segno.make(URL, error="m")
    modules = code.symbol_size(border=2)[0]
    scale = poster.CODE // modules
    rest = (poster.CODE - modules * scale) // 2
    left, top = poster.EDGE + rest, poster.FOOT_TOP + 22 + rest
    for y, row in enumerate(code.matrix_iter(border=2)):
        for x, dark in enumerate(row):
            pixel = seen.getpixel((left + x * scale + scale // 2, top + y * scale + scale // 2))
            assert (pixel < 128) == bool(dark), (x, y)


@pytest.mark.skipif(poster.font_path() is None, reason="no Chinese font on this machine")
def test_an_uploaded_picture_is_on_the_poster(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    Image.new("RGB", (400, 400), "#0000ff").save(tmp_path / "blue.png")
    made = poster.render(said(), url=URL, art="/media/blue.png")
    with Image.open(io.BytesIO(made.body)) as drawn:
        red, green, blue = drawn.convert("RGB").getpixel((poster.WIDTH // 2, poster.STAGE_TOP + poster.STAGE_SIDE // 2))
    assert blue > 200 > red + green


def test_a_picture_outside_the_mall_is_never_read(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "secret.png").write_bytes(b"x")
    for src in ("/media/../secret.png", "/etc/passwd", "http://evil.example/a.png", "/static/../../secret.png"):
        assert poster.picture_file(src) is None, src


def test_long_words_are_cut_with_a_mark():
    lines = poster.wrap("很长的名字" * 20, 44, 600, lambda t, s: len(t) * s)
    assert len(lines) == 2 and lines[1].endswith("…") and all(len(x) * 44 <= 600 for x in lines)
    assert poster.wrap("", 44, 600, lambda t, s: len(t) * s) == []


def test_each_drawing_has_its_pixels():
    assert find("tz/art/share.png") and poster.picture_file(DRAWN)
