"""The poster a sharer sends: a picture with a real QR code, or, without a Chinese font, a drawing with the same words.

750 × 1334, the size phones show whole. Both forms have one layout: who says what, the picture, the name, the price,
the code. "广告" stands on every one.
"""

import base64
import io
import mimetypes
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from xml.sax.saxutils import escape

import segno
from django.conf import settings
from django.contrib.staticfiles import finders
from PIL import Image, ImageDraw, ImageFont

from tongzhou.kit.money import format_minor
from tongzhou.kit.names import initial

WIDTH, HEIGHT, EDGE = 750, 1334, 48
PAPER, STAGE, INK, SOFT, FAINT, PRICE, DEEP, LINE, FACE = (
    "#fbf5ea", "#f0e0c6", "#231e1a", "#584e45", "#6e6257", "#b52f16", "#14605b", "#e2d5c0", "#d7e6df",
)  # fmt: skip
INSIDE = WIDTH - 2 * EDGE
STAGE_TOP, STAGE_SIDE, PICTURE = 152, 654, 480
NAME_TOP, FOOT_TOP, CODE = 832, 1094, 184
QUOTE_SIZE, NAME_SIZE = 40, 44
_SANS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/PingFang.ttc",
)
_SERIF = ("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc", "/System/Library/Fonts/Songti.ttc")
_PARTS = re.compile(r"[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*|\s+")  # Chinese breaks anywhere, the rest between words
Measure = Callable[[str, int], float]


@dataclass(frozen=True, slots=True)
class Poster:
    """A finished poster: its type, its bytes, and what it says for those who cannot see it."""

    content_type: str
    body: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Said:
    """Every word on a poster, in the reader's language."""

    by: str
    name: str
    quote: str
    title: str
    sub: str
    price: str
    member: str
    scan: str
    open: str
    mall: str
    ad: str

    @property
    def alt(self) -> str:
        """The poster in one sentence, for screen readers and for copying."""
        quote = f"“{self.quote}”" if self.quote else ""
        parts = (
            self.by + quote,
            self.title,
            self.sub,
            f"{self.price} {self.member}" if self.price else "",
            self.scan,
            self.ad,
        )
        return " · ".join(p for p in parts if p)


@cache
def font_path() -> str | None:
    """A font that has Chinese, or None."""
    return next((p for p in _SANS if Path(p).exists()), None)


@cache
def _serif_path() -> str | None:
    return next((p for p in _SERIF if Path(p).exists()), font_path())


def say(
    *, title: str, price_minor: int, currency: str, sharer: str, quote: str = "", sub: str = "", more: bool = False,
    english: bool = False,
) -> Said:  # fmt: skip
    """The words of a poster. ``more``: some variants cost more, so the price says "from"."""
    price = format_minor(price_minor, currency) if price_minor else ""
    if more and price:
        price = f"from {price}" if english else f"{price} 起"
    return Said(
        by=f"{sharer} shared this with you" if english else f"{sharer} 分享给你", name=sharer, quote=quote, title=title,
        sub=sub, price=price, member="member price" if english else "会员价",
        scan="Scan, have a look first" if english else "长按或扫一扫，看看再说",
        open="The price is the one shown when opened" if english else "价格以打开时为准",
        mall="Tongzhou" if english else "同舟", ad="Ad" if english else "广告",
    )  # fmt: skip


def picture_file(src: str) -> Path | None:
    """The pixels of one of the mall's pictures on this machine: uploaded, or drawn (then its PNG), or nothing."""
    if src.startswith(settings.MEDIA_URL):
        root = Path(settings.MEDIA_ROOT).resolve()
        found = (root / src.removeprefix(settings.MEDIA_URL)).resolve()
        return found if found.is_file() and root in found.parents else None
    if not src.startswith(settings.STATIC_URL) or ".." in src:
        return None
    inside = src.removeprefix(settings.STATIC_URL)
    name = finders.find(inside.removesuffix(".svg") + ".png" if inside.endswith(".svg") else inside)
    return Path(str(name)) if name else None


def render(said: Said, *, url: str, art: str = "") -> Poster:
    """Draw the poster. ``art`` is the address of a picture of the mall; without one the boat sails."""
    font, picture = font_path(), picture_file(art or f"{settings.STATIC_URL}tz/art/share.png")
    if font is None or (art and picture is None):
        return Poster("image/svg+xml", _svg(said, url, art, picture).encode(), said.alt)
    return Poster("image/png", _png(said, url, picture, font), said.alt)


def wrap(text: str, size: int, width: int, measure: Measure, most: int = 2) -> list[str]:
    """Lines no wider than ``width``; what does not fit in ``most`` lines ends in "…"."""
    lines: list[str] = []
    line = ""
    for part in _PARTS.findall(text.strip()):
        if line and measure(line + part.rstrip(), size) > width:
            lines.append(line.strip())
            line = ""
        line += part
    lines.append(line.strip())
    lines = [x for x in lines if x]
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and measure(last + "…", size) > width:
        last = last[:-1]
    return [*lines[: most - 1], last + "…"]


def _guess(text: str, size: int) -> float:
    """The width of a text in a font that is not here: Chinese is square, the rest is narrower."""
    return sum(size if ord(c) > 0x2E80 else size * 0.58 for c in text)


def _square(picture: Path, side: int) -> Image.Image:
    """A picture of any shape inside a square, on the stage's colour; the wide scene is cut to its boat."""
    with Image.open(picture) as found:
        shown = found.convert("RGBA")
    if shown.width > 1.6 * shown.height:
        left = min(shown.width - shown.height, int(shown.width * 0.73 - shown.height / 2))
        shown = shown.crop((left, 0, left + shown.height, shown.height))
    shown.thumbnail((side, side), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", (side, side), STAGE)
    ground.alpha_composite(shown, ((side - shown.width) // 2, (side - shown.height) // 2))
    return ground.convert("RGB")


def _png(said: Said, url: str, picture: Path | None, font: str) -> bytes:
    canvas = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(canvas)
    serif = _serif_path() or font

    def write(x: float, y: float, text: str, size: int, fill: str, *, face: str = font, anchor: str = "la") -> None:
        draw.text((x, y), text, font=ImageFont.truetype(face, size), fill=fill, anchor=anchor)

    measure = partial(_length, font=serif)
    draw.ellipse((EDGE, EDGE, EDGE + 80, EDGE + 80), fill=FACE)
    write(EDGE + 40, EDGE + 40, initial(said.name), 34, INK, anchor="mm")
    write(EDGE + 100, EDGE + 40, wrap(said.by, 28, 440, partial(_length, font=font), 1)[0], 28, SOFT, anchor="lm")
    draw.rounded_rectangle((WIDTH - EDGE - 72, EDGE + 22, WIDTH - EDGE, EDGE + 58), 6, outline=FAINT)
    write(WIDTH - EDGE - 36, EDGE + 40, said.ad, 20, FAINT, anchor="mm")
    draw.rounded_rectangle((EDGE, STAGE_TOP, WIDTH - EDGE, STAGE_TOP + STAGE_SIDE), 32, fill=STAGE)
    if picture:
        side = PICTURE if said.quote else 560
        top = STAGE_TOP + STAGE_SIDE - side - (24 if said.quote else (STAGE_SIDE - side) // 2)
        canvas.paste(_square(picture, side), ((WIDTH - side) // 2, top))
    for i, line in enumerate(wrap(said.quote, QUOTE_SIZE, STAGE_SIDE - 80, measure)):
        write(EDGE + 40, STAGE_TOP + 36 + i * 58, line, QUOTE_SIZE, INK, face=serif)
    names = wrap(said.title, NAME_SIZE, INSIDE, measure)
    for i, line in enumerate(names):
        write(EDGE, NAME_TOP + i * 60, line, NAME_SIZE, INK, face=serif)
    below = NAME_TOP + len(names) * 60 + 6
    write(EDGE, below, (wrap(said.sub, 24, INSIDE, partial(_length, font=font), 1) or [""])[0], 24, FAINT)
    if said.price:
        write(EDGE, FOOT_TOP - 36, said.price, 68, PRICE, anchor="ls")
        write(EDGE + _length(said.price, 68, font=font) + 20, FOOT_TOP - 40, said.member, 24, PRICE, anchor="ls")
    draw.line((EDGE, FOOT_TOP, WIDTH - EDGE, FOOT_TOP), fill=LINE, width=2)
    canvas.paste(code_picture(url), (EDGE, FOOT_TOP + 22))
    left = EDGE + CODE + 36
    write(left, FOOT_TOP + 40, said.mall, 36, DEEP, face=serif)
    write(left, FOOT_TOP + 104, said.scan, 26, INK)
    write(left, FOOT_TOP + 148, said.open, 22, FAINT)
    out = io.BytesIO()
    canvas.quantize(128).save(out, "PNG", optimize=True)
    return out.getvalue()


def _length(text: str, size: int, *, font: str) -> float:
    return ImageFont.truetype(font, size).getlength(text)


def code_picture(url: str) -> Image.Image:
    """The QR code, ``CODE`` pixels wide with its quiet zone; each module whole pixels, so that it scans."""
    code = segno.make(url, error="m")
    modules = code.symbol_size(border=2)[0]
    scale = max(1, CODE // modules)
    out = io.BytesIO()
    code.save(out, kind="png", scale=scale, border=2, light="#ffffff", dark=INK)
    ground = Image.new("RGB", (CODE, CODE), "#ffffff")
    with Image.open(out) as drawn:
        rest = (CODE - drawn.width) // 2
        ground.paste(drawn.convert("RGB"), (rest, rest))
    return ground


def _svg(said: Said, url: str, art: str, picture: Path | None) -> str:
    code = segno.make(url, error="m")
    size = code.symbol_size(border=2)[0]
    cells = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(code.matrix_iter(border=2)) for x, dark in enumerate(row) if dark
    )
    serif = 'font-family="Songti SC, Noto Serif CJK SC, SimSun, serif" font-weight="700"'

    def text(x: float, y: float, words: str, px: int, fill: str, more: str = "") -> str:
        return f'<text x="{x}" y="{y}" font-size="{px}" fill="{fill}" {more}>{escape(words)}</text>' if words else ""

    names = wrap(said.title, NAME_SIZE, INSIDE, _guess)
    below, left = NAME_TOP + len(names) * 60 + 28, EDGE + CODE + 36
    parts = [
        f'<circle cx="{EDGE + 40}" cy="{EDGE + 40}" r="40" fill="{FACE}"/>',
        text(EDGE + 40, EDGE + 52, initial(said.name), 34, INK, 'text-anchor="middle"'),
        text(EDGE + 100, EDGE + 50, wrap(said.by, 28, 440, _guess, 1)[0], 28, SOFT),
        f'<rect x="{WIDTH - EDGE - 72}" y="{EDGE + 22}" width="72" height="36" rx="6" fill="none" stroke="{FAINT}"/>',
        text(WIDTH - EDGE - 36, EDGE + 47, said.ad, 20, FAINT, 'text-anchor="middle"'),
        f'<rect x="{EDGE}" y="{STAGE_TOP}" width="{STAGE_SIDE}" height="{STAGE_SIDE}" rx="32" fill="{STAGE}"/>',
        _inline(art, picture, PICTURE if said.quote else 560, low=bool(said.quote)),
        *(text(EDGE + 40, STAGE_TOP + 76 + i * 58, line, QUOTE_SIZE, INK, serif)
          for i, line in enumerate(wrap(said.quote, QUOTE_SIZE, STAGE_SIDE - 80, _guess))),
        *(text(EDGE, NAME_TOP + 44 + i * 60, line, NAME_SIZE, INK, serif) for i, line in enumerate(names)),
        text(EDGE, below, (wrap(said.sub, 24, INSIDE, _guess, 1) or [""])[0], 24, FAINT),
        text(EDGE, FOOT_TOP - 36, said.price, 68, PRICE, 'font-weight="700"'),
        text(EDGE + _guess(said.price, 68) + 20, FOOT_TOP - 40, said.member if said.price else "", 24, PRICE),
        f'<path d="M{EDGE} {FOOT_TOP}H{WIDTH - EDGE}" stroke="{LINE}" stroke-width="2"/>',
        f'<g transform="translate({EDGE} {FOOT_TOP + 22}) scale({CODE / size:.4f})"><path d="M0 0h{size}v{size}H0z" fill="#fff"/>'
        f'<path d="{cells}" fill="{INK}"/></g>',
        text(left, FOOT_TOP + 72, said.mall, 36, DEEP, serif), text(left, FOOT_TOP + 128, said.scan, 26, INK),
        text(left, FOOT_TOP + 168, said.open, 22, FAINT),
    ]  # fmt: skip
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'font-family="PingFang SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif"><title>{escape(said.alt)}</title>'
        f'<rect width="100%" height="100%" fill="{PAPER}"/>{"".join(parts)}</svg>'
    )


def _inline(art: str, picture: Path | None, side: int, *, low: bool) -> str:
    """The picture put inside, so that the poster is one file that can be sent."""
    x, y = (WIDTH - side) // 2, STAGE_TOP + STAGE_SIDE - side - (24 if low else (STAGE_SIDE - side) // 2)
    drawn = finders.find(art.split(settings.STATIC_URL, 1)[-1]) if art.endswith(".svg") else None
    if drawn:
        text = Path(str(drawn)).read_text(encoding="utf-8")
        body = text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")]
        return f'<svg x="{x}" y="{y}" width="{side}" height="{side}" viewBox="0 0 240 240">{body}</svg>'
    if picture is None:
        return ""
    kind = mimetypes.guess_type(picture.name)[0] or "image/png"
    data = base64.b64encode(picture.read_bytes()).decode()
    return f'<image href="data:{kind};base64,{data}" x="{x}" y="{y}" width="{side}" height="{side}"/>'
