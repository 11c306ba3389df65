"""Proving: every check of ``verify``, and the result kept for people to see."""

import time
from datetime import datetime, timedelta

from django.db import transaction

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.ledger.models import ProofRun
from tongzhou.ledger.values import VerifyReport
from tongzhou.ledger.verify import Progress, verify

KEEP = timedelta(days=400)


def prove(*, by: Actor, at: datetime, progress: Progress | None = None) -> VerifyReport:
    """Run every proof and keep what it said; runs older than 400 days that held are forgotten.

    The checks read outside any transaction of their own, so that a long proof holds up nobody.
    """
    start = time.monotonic()
    found = verify(progress)
    took = int((time.monotonic() - start) * 1000)
    with transaction.atomic():
        ProofRun.objects.bulk_create(
            [
                ProofRun(
                    at=at, actor=str(by)[:80], took_ms=took, transfers=found.transfers, postings=found.postings,
                    books=found.books, sealed_through=found.sealed_through, checks=list(found.checks),
                    problems=[[p.check, p.subject, p.message] for p in found.problems[:200]],
                )
            ]
        )  # fmt: skip
        ProofRun.objects.filter(at__lt=at - KEEP, problems=[]).delete()
        if not found.ok:
            audit.record(
                by=by, action="ledger.proof_failed", subject_kind="ledger", subject_id=at.isoformat(), at=at,
                problems=len(found.problems), first=found.problems[0].message,
            )  # fmt: skip
    return found
