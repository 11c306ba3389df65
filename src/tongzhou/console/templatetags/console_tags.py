"""Tags of the console's pages: states in words, faults at their fields, addresses with one condition changed."""

from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from tongzhou.console import actions, forms, jobs, planwords, texts
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
    if family == "action":
        return str(actions.said(str(code)))
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
def plan_place(path: str) -> str:
    """``rewards[depth=2].rate_bp`` in words."""
    return planwords.place(path)


@register.filter
def plan_seen(seen: str, path: str) -> str:
    """What a finding saw at a place of a plan: an amount as money, a share as per cent, the rest as it is."""
    number = seen.removeprefix("-")
    if not (number.isascii() and number.isdigit()):
        return seen
    return planwords.value(path.rsplit(".", 1)[-1], int(seen))


@register.filter
def plan_value(value: Any, path: str) -> str:
    """A value of a plan as people read it; ``path`` says what it is of."""
    return planwords.value(path.rpartition(".")[2].partition("[")[0], value)


@register.filter
def plan_word(code: str, family: str) -> str:
    """``"retail_sale"|plan_word:"trigger"``: a code of a plan in words."""
    return str(planwords.word(family, code))


@register.filter
def job_title(name: str) -> str:
    """What a periodic job is called."""
    return str(jobs.title(name))


@register.filter
def job_said(job: Any) -> str:
    """What a periodic job said of its last turn."""
    return jobs.answer(job.name, job.last_result)


@register.filter
def details(entry: Any) -> list[tuple[str, str, str]]:
    """An audit entry's details: what it is called, its code, its value; empty ones are left out."""
    return [
        (str(actions.DETAILS.get(k, k)), k, str(actions.detail(k, v)))
        for k, v in entry.detail.items()
        if v not in (None, "", [], {})
    ]


@register.filter
def dotted(account: str) -> SafeString:
    """An account's code that breaks at its dots only, on the narrowest phone."""
    return format_html_join(mark_safe(".<wbr>"), "{}", ((part,) for part in str(account).split(".")))


@register.filter
def doer(entry: Any) -> str:
    """Who did it: their name, or what kind of party it was."""
    return str(actions.doer(entry))


@register.filter
def subject(kind: str) -> str:
    """What something is called that something was done to."""
    return str(actions.SUBJECTS.get(kind, kind))


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
