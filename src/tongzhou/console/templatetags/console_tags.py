"""Tags of the console's pages: states in words, faults at their fields, addresses with one condition changed."""

from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tongzhou.console import forms, texts
from tongzhou.design.templatetags.shop_tags import icon, money
from tongzhou.kit import clock
from tongzhou.people.queries import mask_phone

register = template.Library()


@register.simple_tag
def state(family: str, code: str) -> SafeString:
    """A status as a tag, in words."""
    said, tone = texts.STATES[family].get(str(code), (code, ""))
    return format_html('<span class="tag{}">{}</span>', f" tag--{tone}" if tone else "", said)


@register.filter
def words(code: Any, family: str) -> str:
    """``"last_touch"|words:"won"``: what a code means to a person."""
    if family in texts.STATES:
        return str(texts.STATES[family].get(str(code), (code, ""))[0])
    return str(texts.words(family, str(code)))


@register.simple_tag(takes_context=True)
def invalid(context: dict[str, Any], anchor: str) -> SafeString:
    """The attributes of a field: its id, and when it is refused what says so."""
    faults: dict[str, forms.Fault] = context.get("faults") or {}
    if anchor in faults:
        return format_html('id="f-{0}" aria-invalid="true" aria-describedby="e-{0}"', anchor)
    return format_html('id="f-{}"', anchor)


@register.simple_tag(takes_context=True)
def fault(context: dict[str, Any], anchor: str) -> SafeString | str:
    """What is wrong with a field, beneath it."""
    found = (context.get("faults") or {}).get(anchor)
    if found is None:
        return ""
    return format_html(
        '<p class="field__error" id="e-{}">{}<span>{} {}</span></p>', anchor, icon("stop", "sm"), found.message,
        found.fix or found.rule,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], **changes: Any) -> str:
    """This page's address with some conditions changed; an empty one is taken off, and paging begins anew."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name in ("before", "after", *changes):
        query.pop(name, None)
    for name, value in changes.items():
        if value not in ("", None):
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def upto(count: int, most: int = 99) -> str:
    """A counter that is counted no further than it needs to be: ``99+``."""
    return f"{most}+" if count > most else str(count)


@register.filter
def isoday(moment: datetime) -> str:
    """The mall's day of a moment, as a date field wants it."""
    return clock.mall_day(moment).isoformat()


@register.filter
def plainly(value: Any) -> str:
    """A part of a document in one line: ``rate_bp 800, depth 2``; a dash where nothing is said."""
    if value is None:
        return "—"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value)


@register.filter
def masked(phone: str) -> str:
    """A phone with its middle hidden."""
    return mask_phone(phone or "")


@register.filter
def at(mapping: Any, key: Any) -> Any:
    """``mapping|at:key``."""
    return mapping.get(key, "") if mapping else ""


@register.simple_tag
def measured(monitor: Any, value: int, more: str = "") -> str:
    """A monitor's figure as people read it."""
    if monitor.key == "gini_bp":
        return f"{value // 10_000}.{value % 10_000 // 100:02d}"
    if monitor.key == "graph_people":
        return _("%(people)s 人 %(layers)s 层") % {"people": value, "layers": more or 0}
    if monitor.unit == "bp":
        return f"{value // 100}.{value % 100:02d}%"
    return money(value) if monitor.unit == "minor" else str(value)


@register.filter
def gini(value: int) -> str:
    """``6100`` → ``0.61``."""
    return f"{value // 10_000}.{value % 10_000 // 100:02d}"
