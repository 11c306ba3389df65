"""The poster a sharer sends: a picture with a real QR code, or, without a Chinese font, a drawing with the same words."""

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import segno
from PIL import Image, ImageDraw, ImageFont

from tongzhou.kit.money import format_minor

WIDTH, HEIGHT = 750, 1334
PAPER, STAGE, INK, SOFT, PRICE, DEEP = "#fbf5ea", "#f0e0c6", "#231e1a", "#584e45", "#b52f16", "#14605b"
_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/PingFang.ttc",
)


@dataclass(frozen=True, slots=True)
class Poster:
    """A finished poster: its type, its bytes, and what it says for those who cannot see it."""

    content_type: str
    body: bytes
    alt: str


@cache
def font_path() -> str | None:
    """A font that has Chinese, or None."""
    return next((p for p in _FONTS if Path(p).exists()), None)


def _wrap(text: str, most: int) -> list[str]:
    """Lines of at most ``most`` half-widths, at most three."""
    lines, line, width = [], "", 0
    for char in text:
        step = 2 if ord(char) > 0x2E80 else 1
        if width + step > most:
            lines.append(line)
            line, width = "", 0
        line, width = line + char, width + step
    return [x.strip() for x in [*lines, line] if x.strip()][:3]


def render(
    *, title: str, price_minor: int, currency: str, sharer: str, url: str, art: str = "", english: bool = False
) -> Poster:  # fmt: skip
    """Draw the poster. ``art`` is a picture file of the mall (PNG, JPEG, WebP), or a drawing's address for the SVG form."""
    words = {
        "by": f"{sharer} shared this with you" if english else f"{sharer} 分享给你",
        "scan": "Scan to see it at the member price" if english else "扫码看看，人人都是会员价",
        "ad": "Ad" if english else "广告",
        "price": format_minor(price_minor, currency) if price_minor else "",
        "name": "Tongzhou" if english else "同舟",
    }
    alt = f"{words['name']}: {title} {words['price']}. {words['by']}. {url} ({words['ad']})"
    picture = Path(art) if art and Path(art).suffix.lower() in (".png", ".jpg", ".jpeg", ".webp") else None
    font = font_path()
    if font is None or (art and picture is None):
        return Poster("image/svg+xml", _svg(title, words, url, art).encode(), alt)
    return Poster("image/png", _png(title, words, url, picture, font), alt)


def _png(title: str, words: dict[str, str], url: str, picture: Path | None, font: str) -> bytes:
    canvas = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(canvas)

    def write(x: int, y: int, text: str, size: int, fill: str) -> None:
        draw.text((x, y), text, font=ImageFont.truetype(font, size), fill=fill)

    draw.rounded_rectangle((40, 40, WIDTH - 40, 710), 40, fill=STAGE)
    if picture and picture.exists():
        with Image.open(picture) as found:
            found.thumbnail((620, 620))
            canvas.paste(found.convert("RGB"), ((WIDTH - found.width) // 2, 65 + (620 - found.height) // 2))
    for i, line in enumerate(_wrap(title, 30)):
        write(60, 750 + i * 62, line, 44, INK)
    write(60, 950, words["price"], 64, PRICE)
    code = io.BytesIO()
    segno.make(url, error="m").save(code, kind="png", scale=8, border=2, light=PAPER, dark=INK)
    with Image.open(code) as qr:
        canvas.paste(qr.convert("RGB").resize((250, 250), Image.Resampling.NEAREST), (WIDTH - 310, 1040))
    write(60, 1080, words["by"], 30, INK)
    write(60, 1130, words["scan"], 24, SOFT)
    write(60, 1250, words["name"], 34, DEEP)
    write(WIDTH - 110, 60, words["ad"], 22, SOFT)
    out = io.BytesIO()
    canvas.save(out, "PNG", optimize=True)
    return out.getvalue()


def _svg(title: str, words: dict[str, str], url: str, art: str) -> str:
    code = segno.make(url, error="m")
    size = code.symbol_size(border=0)[0]
    cells = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(code.matrix) for x, dark in enumerate(row) if dark)
    lines = "".join(
        f'<text x="60" y="{790 + i * 62}" font-size="44" font-weight="700" fill="{INK}">{escape(line)}</text>'
        for i, line in enumerate(_wrap(title, 30))
    )
    inner = _inline(art)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"'
        f' font-family="PingFang SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif">'
        f"<title>{escape(title)}</title>"
        f'<rect width="100%" height="100%" fill="{PAPER}"/><rect x="40" y="40" width="670" height="670" rx="40" fill="{STAGE}"/>'
        f"{inner}{lines}"
        f'<text x="60" y="1005" font-size="64" font-weight="700" fill="{PRICE}">{escape(words["price"])}</text>'
        f'<g transform="translate({WIDTH - 310} 1040) scale({250 / size:.4f})"><path d="{cells}" fill="{INK}"/></g>'
        f'<text x="60" y="1110" font-size="30" fill="{INK}">{escape(words["by"])}</text>'
        f'<text x="60" y="1152" font-size="24" fill="{SOFT}">{escape(words["scan"])}</text>'
        f'<text x="60" y="1280" font-size="34" font-weight="700" fill="{DEEP}">{escape(words["name"])}</text>'
        f'<text x="680" y="82" font-size="22" text-anchor="end" fill="{SOFT}">{escape(words["ad"])}</text></svg>'
    )


def _inline(art: str) -> str:
    """A drawing of the mall's own art, put inside, so that the poster is one file that can be sent."""
    if not art:
        return ""
    from django.contrib.staticfiles import finders

    found = finders.find(art.split("/static/", 1)[-1]) if art.endswith(".svg") else None
    if not found:
        return f'<image href={quoteattr(art)} x="135" y="135" width="480" height="480"/>'
    text = Path(str(found)).read_text(encoding="utf-8")
    body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
    return f'<svg x="115" y="115" width="520" height="520" viewBox="0 0 240 240">{body}</svg>'
