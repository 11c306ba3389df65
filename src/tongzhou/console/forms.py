"""What forms of the console share: reading amounts and numbers, and showing what is refused at its field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from tongzhou.console import texts
from tongzhou.kit import clock
from tongzhou.kit.money import parse_major, plain
from tongzhou.kit.refusals import Refusal, invalid

PAGE = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend: where, what was typed, which rule, how."""

    anchor: str
    label: str
    value: str
    message: str
    rule: str
    fix: str


def anchor(field: str) -> str:
    """``skus[3].code`` → ``skus-3-code``: the id a fault links to."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", field).strip("-")


def faults(refusal: Refusal | None) -> list[Fault]:
    """Every fault of a refusal, in the order they stand; one field may have several."""
    return [_fault(error) for error in _leaves(refusal)] if refusal else []


def by_field(found: list[Fault]) -> dict[str, Fault]:
    """The first fault of each field, by its anchor: what is said beneath it."""
    return {f.anchor: f for f in reversed(found)}


def _leaves(refusal: Refusal) -> Iterator[Refusal]:
    for error in refusal.errors or ():
        yield from _leaves(error)
    if not refusal.errors:
        yield refusal


def _fault(error: Refusal) -> Fault:
    last = error.field.rsplit(".", 1)[-1].split("[")[0]
    label = str(texts.FIELDS.get(last, last or _("这一步")))
    row = re.match(r"(?:skus|rewards|ranks|lines)\[(\d+)\]", error.field)
    if row:
        label = _("第 %(n)s 行，%(label)s") % {"n": int(row[1]) + 1, "label": label}
    value = "" if error.value is None else str(error.value)
    if last.endswith("_minor") and isinstance(error.value, int):
        value = plain(error.value, settings.CURRENCY)
    return Fault(anchor(error.field), label, value[:120], str(error.message), str(error.rule), str(error.fix))


def identity(text: str) -> UUID:
    """An id from an address or a field. *Refuses:* ``not_an_id``."""
    try:
        return UUID(text)
    except ValueError:
        raise invalid("not_an_id", _("这个编号不对。"), field="id", value=text) from None


def before(request: HttpRequest) -> UUID | None:
    """The key a page begins after; None on the first page."""
    return identity(request.GET["before"]) if request.GET.get("before") else None


def amount(text: str, field: str, errors: list[Refusal]) -> int | None:
    """``12.90`` → 1290; empty is None; what cannot be read is noted."""
    clean = text.strip().lstrip("¥$€£").replace(",", "").strip()
    if not clean:
        return None
    try:
        found = parse_major(clean)
        if found < 0:
            raise ValueError
    except ValueError:
        errors.append(
            invalid(
                "amount", _("金额看不懂。"), field=field, value=text, rule=_("不小于 0，最多两位小数"),
                fix=_("写成 12.90 这样。"),
            )
        )  # fmt: skip
        return None
    return found


def whole(text: str, field: str, errors: list[Refusal], *, most: int = 100_000_000) -> int | None:
    """A whole number ≥ 0; empty is None; what cannot be read is noted."""
    clean = text.strip().replace(",", "")
    if not clean:
        return None
    if not clean.isascii() or not clean.isdigit() or int(clean[:12]) > most:
        errors.append(
            invalid(
                "whole_number", _("要填整数。"), field=field, value=text,
                rule=_("0 到 %(most)s 之间的整数") % {"most": most}, fix=_("只写数字。"),
            )
        )  # fmt: skip
        return None
    return int(clean)


def percent(text: str, field: str, errors: list[Refusal]) -> int | None:
    """``8`` or ``8.25`` → 825 basis points; empty is None; what cannot be read is noted."""
    clean = text.strip().rstrip("%").strip()
    if not clean:
        return None
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", clean):
        errors.append(
            invalid("percent", _("比例看不懂。"), field=field, value=text, fix=_("写成 8 或 8.25 这样，最多两位小数。"))
        )
        return None
    units, _dot, cents = clean.partition(".")
    return int(units) * 100 + int((cents + "00")[:2])


def days(request: HttpRequest) -> tuple[datetime | None, datetime | None]:
    """The moments between ``from`` and ``to`` (days of the mall, both included). *Refuses:* ``day_invalid``."""
    found: list[datetime | None] = []
    for name, add in (("from", 0), ("to", 1)):
        text = request.GET.get(name, "").strip()
        try:
            found.append(clock.day_start(date.fromisoformat(text) + timedelta(days=add)) if text else None)
        except (ValueError, OverflowError):  # the last day there is has no next
            raise invalid(
                "day_invalid",
                _("日期看不懂。"),
                field=name,
                value=text,
                rule="YYYY-MM-DD",
                fix=_("写成 2026-07-14 这样。"),
            ) from None
    return found[0], found[1]
