"""The plan simulator's page: a period's real orders under a version, beside what was in force."""

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from tongzhou.console import charts, forms, http
from tongzhou.kit import clock
from tongzhou.kit.money import plain
from tongzhou.kit.refusals import Refusal, invalid
from tongzhou.orders import queries as orders
from tongzhou.people import queries as people
from tongzhou.plans import queries as versions
from tongzhou.rewards.simulation import Simulation, simulate

if TYPE_CHECKING:
    from tongzhou.plans.models import PlanVersion

MOST = 20_000  # orders a page replays; the command line has no limit
DAYS = 90


@http.door("plans")
def page(request: HttpRequest) -> HttpResponse:
    """Choose a version and a period; below it what would have been different."""
    refusal, found, row = None, None, None
    at = clock.now()
    since, until = at - timedelta(days=DAYS), at
    try:
        if "plan" in request.GET:
            row, since, until = _asked(request, at)
            found = _run(row, since, until, at)
    except Refusal as caught:
        refusal = caught
    context: dict[str, Any] = {
        "row": row, "refusal": refusal, "found": found, "versions": versions.listing()[:50],
        "since": clock.mall_day(since), "until": clock.mall_day(until - timedelta(microseconds=1)),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    if found:
        top = found.top(20)
        context |= {
            "both": (found.before, found.after), "top": top, "names": people.cards([c.member_id for c in top]),
            "chart": charts.two([(d.day, d.before_minor, d.after_minor) for d in found.days]),
            "bars": charts.tenths(found.before.deciles, found.after.deciles),
            "verdict": found.verdict, "findings": [f.as_dict(get_language() or "zh-hans") for f in found.findings],
        }  # fmt: skip
    return http.page(request, "simulation", context, status=http.refused(refusal))


def _asked(request: HttpRequest, at: datetime) -> "tuple[PlanVersion, datetime, datetime]":
    row = versions.row(forms.identity(request.GET["plan"]))
    since, until = forms.days(request)
    return (
        row,
        since or at - timedelta(days=DAYS),
        min(until or at, clock.day_start(clock.mall_day(at) + timedelta(days=1))),
    )


def _run(row: "PlanVersion", since: datetime, until: datetime, at: datetime) -> Simulation:
    """*Refuses:* ``too_many_orders``."""
    if orders.paid_count(since, until, MOST + 1) > MOST:
        raise invalid(
            "too_many_orders", _("这段时间的订单太多，页面上一次最多重放两万单。"), field="from",
            value=clock.mall_day(since).isoformat(), rule=str(MOST),
            fix=_("缩短时间，或在命令行运行 tongzhou plan simulate。"),
        )  # fmt: skip
    return simulate(row.document, since=since, until=until, at=at)


@http.door("plans")
def members(request: HttpRequest) -> HttpResponse:
    """Everybody under both plans, as a file; people by their ids, so that it can be passed on."""
    at = clock.now()
    row, since, until = _asked(request, at) if "plan" in request.GET else (None, at, at)
    if row is None:
        raise invalid("plan_missing", _("请先选一个版本。"), field="plan")
    found = _run(row, since, until, at)
    answer = HttpResponse(_rows(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="simulation-{row.code}-v{row.version}.csv"'
    return answer


class _Echo:
    """What csv writes to, given back at once."""

    def write(self, value: str) -> str:
        """The line itself."""
        return value


def _rows(found: Simulation) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow(["member", "before", "after", "change"]))
    for c in found.changes:
        yield str(
            writer.writerow([_id(c.member_id), plain(c.before_minor), plain(c.after_minor), plain(c.delta_minor)])
        )


def _id(member: UUID) -> str:
    return str(member)
