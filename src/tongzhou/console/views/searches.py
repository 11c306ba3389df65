"""What people look for and do not find, and the words that mean the same."""

import re
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from tongzhou.catalog import commands as catalog
from tongzhou.catalog import queries as goods
from tongzhou.console import forms, http
from tongzhou.kit import clock
from tongzhou.kit.refusals import Refusal, invalid

DAYS = (7, 30, 90)


@http.door("search")
def listing(request: HttpRequest) -> HttpResponse:
    """Searches of the last days, most asked first: those that found nothing to begin with."""
    view, asked = request.GET.get("view", "nothing"), request.GET.get("days", "30")
    days = int(asked) if asked in {str(d) for d in DAYS} else 30
    since = clock.mall_day(clock.now()) - timedelta(days=days - 1)
    rows = goods.searched(since, nothing=view != "all", limit=200)
    context = {"rows": rows, "view": view, "days": days, "choices": DAYS, "groups": len(goods.synonym_groups())}
    return http.page(request, "searches", context)


@http.door("search")
def synonyms(request: HttpRequest) -> HttpResponse:
    """Groups of words that mean the same: add one, take one away; searches know it within seconds."""
    refusal = None
    if request.method == "POST":
        try:
            messages.success(request, _change(request), extra_tags="trust")
            return HttpResponseRedirect("/console/search/synonyms")
        except Refusal as caught:
            refusal = caught
    typed = request.POST.get("words", "") or request.GET.get("words", "")
    context = {
        "groups": goods.synonym_groups(),
        "refusal": refusal,
        "typed": typed,
        "current": catalog.index_is_current(),
    }
    return http.page(request, "synonyms", context, status=http.refused(refusal))


def _change(request: HttpRequest) -> str:
    act, by, at = request.POST.get("act", ""), http.actor(request), clock.now()
    if act == "add":
        catalog.add_synonyms(words=re.split(r"[,，、\n]", request.POST.get("words", "")), by=by, at=at)
        return _("已加上；几秒钟之内，搜其中一个词就等于搜每一个。")
    if act == "drop":
        catalog.drop_synonyms(group_id=forms.identity(request.POST.get("group", "")), by=by, at=at)
        return _("已移走这一组。")
    raise invalid("act_unknown", _("不认识这个动作。"), field="act", value=act)
