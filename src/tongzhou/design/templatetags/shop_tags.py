"""Template tags every page uses: money, icons, pictures, language."""

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.core.cache import cache
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tongzhou.kit import clock
from tongzhou.kit.money import format_minor, plain

register = template.Library()
_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def english() -> bool:
    """True when the page is read in English."""
    return (get_language() or "").startswith("en")


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """One icon of the sprite, decorative: its meaning is written beside it."""
    extra = f" icon--{size}" if size else ""
    href = f"{_sprite()}#i-{name}"
    return format_html('<svg class="icon{}" aria-hidden="true"><use href="{}"/></svg>', extra, href)


def _sprite() -> str:
    return static("tz/icons.svg")


@register.filter
def money(amount: int | None) -> str:
    """``1290`` → ``¥12.90``."""
    return format_minor(amount or 0, settings.CURRENCY)


@register.simple_tag
def price(amount: int, size: str = "") -> SafeString:
    """A price with its small sign and cents."""
    whole, _dot, cents = plain(amount, settings.CURRENCY, group=True).partition(".")
    cls = f" price--{size}" if size else ""
    tail = format_html("<small>.{}</small>", cents) if cents else ""
    sign = _SIGNS.get(settings.CURRENCY, settings.CURRENCY)
    return format_html('<span class="price{}"><small>{}</small>{}{}</span>', cls, sign, whole, tail)


@register.filter
def loc(thing: Any, field: str) -> str:
    """A field in the reader's language: ``title`` or ``title_en`` (falling back to the Chinese)."""
    if english():
        found = getattr(thing, f"{field}_en", "") or ""
        if found:
            return str(found)
    return str(getattr(thing, field, "") or "")


@register.filter
def bp(rate: int) -> str:
    """``600`` basis points → ``6.00%``."""
    return f"{rate // 100}.{rate % 100:02d}%"


@register.filter
def day(at: datetime | None) -> str:
    """7 月 14 日 / 14 Jul, in the mall's time zone."""
    if at is None:
        return ""
    here = at.astimezone(clock.mall_zone())
    return f"{here.day} {here:%b}" if english() else f"{here.month}\u00a0月\u00a0{here.day}\u00a0日"


@register.filter
def moment(at: datetime | None) -> str:
    """7 月 14 日 09:41 / 14 Jul 09:41, in the mall's time zone."""
    if at is None:
        return ""
    return f"{day(at)} {at.astimezone(clock.mall_zone()):%H:%M}"


@register.filter
def art(src: str) -> str:
    """Where a picture lies: an address as it is, or a static path; the placeholder when there is none."""
    if not src:
        return static("tz/art/state-empty.svg")
    return src if src.startswith(("/", "http")) else static(src)


@register.filter
def letter(name: str) -> str:
    """The one character an avatar shows."""
    return (name or "舟")[-1:]


@register.filter
def tone(value: Any) -> str:
    """One of the four avatar colours, always the same for the same person."""
    return "abcd"[sum(str(value).encode()) % 4]


@register.simple_tag
def card(item: Any, earn_minor: int = 0, show_earn: bool = True) -> SafeString:
    """A product in a list; remembered per product version, language and earning."""
    key = f"card:{item.id}:{item.version if hasattr(item, 'version') else item.price_minor}:{item.in_stock}:{english()}:{earn_minor}:{show_earn}:{item.price_minor}"
    kept = cache.get(key)
    if kept is None:
        kept = _card(item, earn_minor if show_earn else 0)
        cache.set(key, kept, 300)
    safe: SafeString = mark_safe(kept)  # noqa: S308 - made below by format_html
    return safe


def _card(item: Any, earn_minor: int) -> str:
    picture = getattr(item.picture, "src", item.picture)
    sub = loc(item, "subtitle")
    note = format_html('<span class="good__friends">{}</span>', sub) if sub else ""
    if not item.in_stock:
        note = format_html('<span class="good__friends">{}</span>', _("暂时售完"))
    pill = (
        format_html('<span class="earn">{}</span>', _("赚 %(amount)s") % {"amount": money(earn_minor)})
        if earn_minor
        else ""
    )
    return format_html(
        '<li class="good"><div class="stage stage--{}"><img src="{}" alt="" width="240" height="240" loading="lazy"></div>'
        '<div class="good__body"><h3 class="good__name"><a href="/products/{}">{}</a></h3>{}'
        '<div class="good__foot">{}{}</div></div></li>',
        item.stage, art(picture), item.slug, loc(item, "title"), note, price(item.price_minor), pill,
    )  # fmt: skip


@register.simple_tag
def hidden(name: str, value: Any) -> SafeString:
    """A hidden field."""
    return format_html('<input type="hidden" name="{}" value="{}">', name, conditional_escape(value))


@register.filter
def major(amount: int | None) -> str:
    """``1290`` → ``12.90``: for the value of a field."""
    return plain(amount or 0, settings.CURRENCY)
