"""The evidence: plan versions, findings, sign-offs, monitors, payout depth, retail ratio; with a hash over all of it."""

from datetime import datetime
from typing import Any

from tongzhou.compliance import profiles
from tongzhou.compliance import queries as compliance
from tongzhou.kit.idempotency import digest
from tongzhou.ledger import queries as books
from tongzhou.plans import queries as versions
from tongzhou.rewards import monitors
from tongzhou.rewards import queries as rewards

NIGHTS = 92


def gather(language: str, at: datetime) -> dict[str, Any]:
    """What the page shows. The hash is over the facts, the same in every language."""
    law = profiles.load(compliance.mall_profile())
    rows = list(versions.listing()[:200])
    signed: dict[tuple[str, int], list[Any]] = {}
    for s in compliance.signed_lately(1000):
        signed.setdefault((s.plan_code, s.version), []).append(s)
    nights, depths = monitors.nights(NIGHTS)[::-1], rewards.by_depth()
    changes = [c for c in compliance.profile_changes() if c.confirmed_at]
    facts = {
        "profile": law.code, "valid_from": law.valid_from,
        "plans": [[r.code, r.version, r.status, r.toml, str(r.effective_at), str(r.retired_at), r.findings] for r in rows],
        "signatures": [[s.finding_id, s.path, s.by_name, s.reason, str(s.at)] for group in signed.values() for s in group],
        "nights": [[str(n.day), n.profile, n.figures, n.findings] for n in nights],
        "depths": [[d, str(n), str(m)] for d, n, m in depths], "profiles": [[c.old, c.new, str(c.confirmed_at)] for c in changes],
    }  # fmt: skip
    return {
        "at": at, "law": law, "nights": nights, "depths": depths, "changes": changes, "monitors": monitors.MONITORS,
        "plans": [
            (r, compliance.in_language(r.findings, r.document.get("profile", "CN"), language), signed.get((r.code, r.version), []))
            for r in rows
        ],
        "last": nights[0] if nights else None, "sealed": books.sealed_through(), "hash": digest(facts),
    }  # fmt: skip
