"""Reads of compliance: findings still open, who signed what, and whose law the mall lives under."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tongzhou.compliance import profiles
from tongzhou.compliance.models import ProfileChange, SignOff
from tongzhou.compliance.rules import check_document, forced_profile
from tongzhou.compliance.values import Finding, Severity
from tongzhou.kit.idempotency import digest
from tongzhou.kit.refusals import invalid

# Which counterparties carry the mall's money; told by the wiring, because their rooms lie above.
_rails: list[Callable[[], Collection[str]]] = []


def tell_rails(names: Callable[[], Collection[str]]) -> None:
    """Say which payment providers and payout rails are in use; called when the application is wired."""
    _rails[:] = [names]


def forced() -> str:
    """The jurisdiction that money and rails force on the mall, or empty (domain.md §4)."""
    return forced_profile(settings.CURRENCY, [name for names in _rails for name in names()])


def mall_profile() -> str:
    """The jurisdiction of the mall's legal entity: forced, else the newest confirmed change, else as it was set up."""
    must = forced()
    if must:
        return must
    row = ProfileChange.objects.exclude(confirmed_at=None).order_by("-confirmed_at", "-id").first()
    return row.new if row else settings.PROFILE


def max_depth() -> int:
    """How many people of a chain may be paid for one sale in this mall."""
    return profiles.load(mall_profile()).max_depth


def profile_changes() -> "QuerySet[ProfileChange]":
    """Every change of jurisdiction, newest first; those without an answer wait for a second person."""
    return ProfileChange.objects.order_by("-proposed_at", "-id")


def check(
    document: Mapping[str, Any], *, profile: str = "", channels: Sequence[str] = (),
    previous: Mapping[str, Any] | None = None,
) -> tuple[Finding, ...]:  # fmt: skip
    """Findings of a document under a named profile (default: its own). *Refuses:* ``profile_unknown``."""
    code = profile or str(document.get("profile", "CN"))
    try:
        found = profiles.load(code)
    except KeyError:
        raise invalid(
            "profile_unknown", _("没有这个法域的规则。"), field="profile", value=code, rule=", ".join(profiles.CODES)
        ) from None
    return check_document(document, found, channels=channels, previous=previous)


def in_language(kept: Sequence[Mapping[str, str]], profile: str, language: str) -> list[dict[str, str]]:
    """Findings as they were kept, with the rules' words in the reader's language; unknown rules keep their own words."""
    rules = profiles.load(profile).rules if profile in profiles.CODES else {}
    out = []
    for found in kept:
        rule = rules.get(found.get("id", ""))
        words = (
            {n: getattr(rule, f"{n}_en") for n in ("message", "citation", "fix")}
            if rule and language.startswith("en")
            else {}
        )
        out.append({**found, **words})
    return out


def signatures(plan_code: str, version: int) -> "QuerySet[SignOff]":
    """Everything signed for one version."""
    return SignOff.objects.filter(plan_code=plan_code, version=version).order_by("at")


def signed_lately(most: int) -> "QuerySet[SignOff]":
    """The newest signatures of all plans."""
    return SignOff.objects.order_by("-at", "-id")[:most]


def unsigned(findings: Sequence[Finding], plan_code: str, version: int) -> list[Finding]:
    """The findings that still stand in the way: every BLOCK, and every REVIEW without a signature."""
    signed = {(s.finding_id, s.path, s.seen_hash) for s in signatures(plan_code, version)}
    return [
        f
        for f in findings
        if f.severity == Severity.BLOCK
        or (f.severity == Severity.REVIEW and (f.id, f.path, digest(f.seen)) not in signed)
    ]
