"""Template tags every page uses: money, icons, pictures, language."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.cache import cache
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from tongzhou.kit import clock
from tongzhou.kit.money import format_minor, plain
from tongzhou.kit.names import initial
from tongzhou.kit.refusals import Refusal

register = template.Library()
EAGER = 7  # pictures of a list that a first screen may show: they are not loaded lazily
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


@register.simple_tag
def price_from(amount: int, size: str = "", *, more: bool = False) -> SafeString:
    """A price, and "from" beside it when other variants cost more."""
    cost = price(amount, size)
    if not more:
        return cost
    before, _sep, after = _("{} 起").partition("{}")
    words = '<small class="faint" data-from>{}</small>'
    return format_html(
        "{}{}{}", format_html(words, before) if before else "", cost, format_html(words, after) if after else ""
    )


@register.filter
def loc(thing: Any, field: str) -> str:
    """A field in the reader's language: ``title`` or ``title_en`` (falling back to the Chinese)."""
    if english():
        found = getattr(thing, f"{field}_en", "") or ""
        if found:
            return str(found)
    return str(getattr(thing, field, "") or "")


@register.filter
def beside(thing: Any, field: str) -> str:
    """The Chinese of a field, and for an English reader its English after it: 浙江省 Zhejiang."""
    kept, said = str(getattr(thing, field, "") or ""), loc(thing, field)
    return kept if said == kept else f"{kept} {said}"


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
def hour(at: datetime | None) -> str:
    """14:05 when it is today, else the day too; in the mall's time zone."""
    if at is None:
        return ""
    here = at.astimezone(clock.mall_zone())
    return f"{here:%H:%M}" if clock.mall_day(at) == clock.mall_day(clock.now()) else moment(at)


@register.filter
def when(kept: str) -> str:
    """A moment kept as text (ISO 8601) as people read it."""
    return moment(datetime.fromisoformat(kept))


@register.filter
def art(src: str) -> str:
    """Where a picture lies: an address as it is, or a static path; the placeholder when there is none."""
    if not src:
        return static("tz/art/state-empty.svg")
    return src if src.startswith(("/", "http")) else static(src)


@register.filter
def raster(src: str) -> str:
    """The same picture as pixels, for readers that draw no SVG: each drawing of the mall lies beside its PNG."""
    return _pixels(src) or src


@lru_cache(maxsize=4096)
def _pixels(src: str) -> str:
    if not src.endswith(".svg"):
        return ""
    beside = src.removesuffix(".svg") + ".png"
    return beside if finders.find(beside.split("/static/", 1)[-1]) else ""


@register.filter
def absolute(src: str) -> str:
    """The full address of a picture, for pages that show it elsewhere."""
    where = art(src)
    return where if where.startswith("http") else settings.SITE_URL + where


@register.filter
def phone(number: str) -> str:
    """``+8613900000672`` → ``139****0672``: enough to know one's own, too little for anybody else."""
    digits = number.removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 7 else "****"


@register.filter
def letter(name: str) -> str:
    """The one character an avatar shows."""
    return initial(name or "")


@register.filter
def tone(value: Any) -> str:
    """One of the four avatar colours, always the same for the same person."""
    return "abcd"[sum(str(value).encode()) % 4]


@register.simple_tag
def card(item: Any, earn_minor: int = 0, place: int = 99, shape: str = "card", note: str = "") -> SafeString:
    """A product in a list, remembered a few minutes as it is read now.

    ``place`` is its number in the list: the first pictures of a page are loaded at once, the others when
    they come near. ``shape``: ``card`` | ``rail`` (small, in a row) | ``row`` (thumb at the left).
    ``note`` stands where the subtitle would.
    """
    eager = place < EAGER
    key = f"good:{shape}:{item.id}:{item.version if hasattr(item, 'version') else ''}:{item.in_stock}:{english()}:{earn_minor}"
    key = f"{key}:{eager}:{item.price_minor}:{item.reference_minor}:{hash((item.title, item.subtitle, note))}"
    kept = cache.get(key)
    if kept is None:
        kept = _SHAPES[shape](item, earn_minor, note, eager=eager)
        cache.set(key, kept, 300)
    safe: SafeString = mark_safe(kept)  # noqa: S308 - made below by format_html
    return safe


def _shown(
    item: Any, earn_minor: int, note: str, *, size: str = ""
) -> tuple[SafeString | str, SafeString, SafeString | str]:
    """The line under the name, the price with "from" and the former one, and the earning."""
    said = note or loc(item, "subtitle")
    if not item.in_stock:
        said = _("暂时售完")
    cost = price(item.price_minor, size)
    if item.has_range:
        before, _sep, after = _("{} 起").partition("{}")
        words = '<span><small class="faint">{}</small>{}<small class="faint">{}</small></span>'
        cost = format_html(words, before, cost, after)
    elif item.reference_minor:
        cost = format_html('<span>{} <del class="price-was">{}</del></span>', cost, money(item.reference_minor))
    pill = format_html('<span class="earn">{}</span>', _("赚 %(amount)s") % {"amount": money(earn_minor)})
    return said, cost, pill if earn_minor else ""


def _picture(item: Any, side: int, *, eager: bool) -> SafeString:
    picture = item.picture
    src, srcset = getattr(picture, "src", picture), getattr(picture, "srcset", "")
    more = format_html(' srcset="{}" sizes="{}px"', srcset, side) if srcset else ""
    late = "" if eager else mark_safe(' loading="lazy" decoding="async"')
    return format_html('<img src="{}" alt="" width="{}" height="{}"{}{}>', art(src), side, side, more, late)


def _card(item: Any, earn_minor: int, note: str, *, eager: bool) -> str:
    said, cost, pill = _shown(item, earn_minor, note)
    return format_html(
        '<li class="good"><div class="stage stage--{}">{}</div>'
        '<div class="good__body"><h3 class="good__name"><a href="/products/{}">{}</a></h3>{}'
        '<div class="good__foot">{}{}</div></div></li>',
        item.stage, _picture(item, 240, eager=eager), item.slug, loc(item, "title"),
        format_html('<span class="good__friends">{}</span>', said) if said else "", cost, pill,
    )  # fmt: skip


def _rail(item: Any, earn_minor: int, note: str, *, eager: bool) -> str:
    said, cost, _pill = _shown(item, earn_minor, note, size="md")
    return format_html(
        '<li class="good"><div class="stage stage--{}">{}</div>'
        '<div class="good__body"><h3 class="good__name"><a href="/products/{}">{}</a></h3>'
        '<div class="good__foot">{}</div><span class="small faint">{}</span></div></li>',
        item.stage, _picture(item, 160, eager=eager), item.slug, loc(item, "title"), cost, said,
    )  # fmt: skip


def _row(item: Any, earn_minor: int, note: str, *, eager: bool) -> str:
    said, cost, pill = _shown(item, earn_minor, note, size="md")
    return format_html(
        '<li class="item"><div class="stage stage--thumb stage--{}">{}</div><div class="item__body">'
        '<h3 class="item__name"><a href="/products/{}">{}</a></h3><span class="small faint">{}</span>'
        '<div class="item__foot">{}{}</div></div></li>',
        item.stage, _picture(item, 72, eager=eager), item.slug, loc(item, "title"), said, cost, pill,
    )  # fmt: skip


_SHAPES = {"card": _card, "rail": _rail, "row": _row}


def _of_field(refusal: Refusal | None, field: str) -> Refusal | None:
    if refusal is None or not field:
        return None
    return refusal if refusal.field == field else next((e for e in refusal.errors if e.field == field), None)


@register.simple_tag
def invalid(refusal: Refusal | None, field: str) -> SafeString:
    """Marks a field that was refused, and names the sentence that says why."""
    return (
        format_html(' aria-invalid="true" aria-describedby="{}-e"', field)
        if _of_field(refusal, field)
        else SafeString()
    )


@register.filter
def stopped(rule: object) -> str:
    """A rule as a sentence, so that what follows it does not run into it."""
    said = str(rule or "")
    return said if not said or said[-1] in "。.！!？?" else said + ("." if english() else "。")


@register.simple_tag
def trouble(refusal: Refusal | None, field: str) -> SafeString:
    """The sentence beside a refused field: what is wrong, the rule, how to mend it."""
    found = _of_field(refusal, field)
    if found is None:
        return SafeString()
    words = " ".join(str(part) for part in (found.message, stopped(found.rule), found.fix) if part)
    return format_html('<p class="field__error" id="{}-e">{}<span>{}</span></p>', field, icon("alert", "sm"), words)


@register.simple_tag
def bar(part: int, whole: int) -> SafeString:
    """A bar of a funnel; the figure stands beside it."""
    whole, part = max(whole, 1), max(0, min(part, max(whole, 1)))
    return format_html(
        '<svg viewBox="0 0 {} 10" preserveAspectRatio="none" aria-hidden="true"><rect class="funnel__bed" width="{}" height="10"/>'
        '<rect class="funnel__bar" width="{}" height="10"/></svg>', whole, whole, part,
    )  # fmt: skip


_ACCOUNTS = {
    "prepaid.rewards": gettext_lazy("商城预备的报酬"), "expense.rewards": gettext_lazy("商城付出的报酬"), "reward.expected": gettext_lazy("预计"),
    "reward.held": gettext_lazy("待结"), "reward.available": gettext_lazy("可提"), "receivable.clawback.reward": gettext_lazy("以后抵扣"),
    "payout.in_transit.reward": gettext_lazy("打款中"),
}  # fmt: skip


@register.simple_tag
def account(code: str) -> SafeString:
    """An account of the ledger in a reader's words, its own name below; the name breaks at its dots only."""
    words = _ACCOUNTS.get(code)
    name = format_html_join(mark_safe(".<wbr>"), "{}", ((part,) for part in code.split(".")))
    if words is None:
        return format_html('<code class="acct">{}</code>', name)
    return format_html('{}<br><code class="acct tiny faint">{}</code>', words, name)


@register.simple_tag
def hidden(name: str, value: Any) -> SafeString:
    """A hidden field."""
    return format_html('<input type="hidden" name="{}" value="{}">', name, conditional_escape(value))


@register.filter
def major(amount: int | None) -> str:
    """``1290`` → ``12.90``: for the value of a field."""
    return plain(amount or 0, settings.CURRENCY)
