"""Compliance: what is open, what the monitors saw, who signed; and the evidence, fit to print."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language

from tongzhou.compliance import profiles
from tongzhou.compliance import queries as compliance
from tongzhou.console import charts, http
from tongzhou.console import evidence as bundle
from tongzhou.kit import clock
from tongzhou.plans import queries as versions
from tongzhou.rewards import monitors
from tongzhou.rewards.monitors.rules import WINDOW_DAYS, seen

NIGHTS = 14


@http.door("compliance", act=http.MONEY)
def page(request: HttpRequest) -> HttpResponse:
    """What must be changed, what waits for a signature, the figures of last night, the last signatures.

    A POST looks at the nights nobody has looked at.
    """
    if request.method == "POST":
        monitors.catch_up(clock.now())
        return HttpResponseRedirect("/console/compliance")
    law = profiles.load(compliance.mall_profile())
    kept = monitors.nights(NIGHTS)
    last = kept[-1] if kept else None
    context: dict[str, Any] = {
        "law": law, "last": last, "window": WINDOW_DAYS, "drafts": _drafts(),
        "night_findings": _said(last.findings, law.code) if last else [],
        "rows": _rows(kept, law.max_depth), "signed": compliance.signed_lately(8),
        "may_change": http.may(request, http.MONEY),
    }  # fmt: skip
    return http.page(request, "compliance", context)


def _said(found: list[dict[str, str]], code: str) -> list[dict[str, str]]:
    return compliance.in_language(found, code, get_language() or "")


def _drafts() -> list[tuple[Any, list[dict[str, str]]]]:
    """Drafts that may not begin as they are: each with what stands in the way."""
    out = []
    for row in versions.listing().filter(status="DRAFT")[:6]:
        heavy = [f for f in row.findings if f.get("severity") in ("BLOCK", "REVIEW")]
        if heavy:
            out.append((row, _said(heavy, row.document.get("profile", "CN"))))
    return out


def _rows(kept: list[Any], max_depth: int) -> list[dict[str, Any]]:
    if not kept:
        return []
    found = seen(kept[-1].figures, tuple(n.figures for n in kept), max_depth)
    out = []
    for s in found:
        line, limit = charts.spark(s.history, s.monitor.limit)
        out.append({"m": s.monitor, "value": s.value, "state": s.state, "line": line, "limit": limit, "more": s.more})
    return out


@http.door("compliance")
def evidence(request: HttpRequest) -> HttpResponse:
    """Everything counsel or an authority asks for, on one page that prints well, with its own fingerprint."""
    return render(request, "console/evidence.html", bundle.gather(get_language() or "zh-hans", clock.now()))
