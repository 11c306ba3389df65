"""Sealing: a day's postings are hashed into a chain, and the book takes nothing more for it."""

import hashlib
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import conflict
from tongzhou.ledger.models import DaySeal, Posting, Transfer

HORIZON = timedelta(hours=1)  # far longer than the longest transaction


@transaction.atomic
def seal(*, through: date, by: Actor, at: datetime) -> list[date]:
    """Seal every day with postings up to ``through`` that is not sealed yet; returns the days sealed now.

    *Refuses:* ``day_not_over`` when ``through`` ended less than an hour ago, because a transaction
    that began on that day could still be under way.
    """
    if clock.day_start(through + timedelta(days=1)) + HORIZON > at:
        raise conflict(
            "day_not_over", _("这一天还没有结束满一小时，不能封账。"), field="through", value=through,
            rule=_("日终一小时之后才能封账"), fix=_("选更早的日期，或稍后再封。"),
        )  # fmt: skip
    last = DaySeal.objects.order_by("-day").first()
    start = last.day + timedelta(days=1) if last else _first_day()
    sealed: list[date] = []
    previous = last.digest if last else ""
    while start is not None and start <= through:
        row = day_digest(start, previous)
        row.sealed_at = at
        DaySeal.objects.bulk_create([row])
        previous = row.digest
        sealed.append(start)
        start += timedelta(days=1)
    if sealed:
        audit.record(
            by=by, action="ledger.seal", subject_kind="ledger", subject_id=through.isoformat(), at=at,
            days=len(sealed), digest=previous,
        )  # fmt: skip
    return sealed


def _first_day() -> date | None:
    first = Posting.objects.aggregate(first=Min("recorded_at"))["first"]
    return clock.mall_day(first) if first else None


def day_digest(day: date, previous: str) -> DaySeal:
    """The seal a day would get now, given the one before: hash over every posting and transfer, in id order."""
    begin, end = clock.day_start(day), clock.day_start(day + timedelta(days=1))
    hasher = hashlib.sha256(f"{day.isoformat()}|{previous}".encode())
    rows = Posting.objects.filter(recorded_at__gte=begin, recorded_at__lt=end).order_by("id")
    postings = 0
    for posting in rows.values_list(
        "id", "book_id", "kind", "reference", "input_hash", "story_id", "effective_at", "recorded_at"
    ).iterator(chunk_size=5000):
        hasher.update("|".join(_plain(v) for v in posting).encode())
        postings += 1
    transfers = amount = 0
    moves = Transfer.objects.filter(posting__recorded_at__gte=begin, posting__recorded_at__lt=end).order_by("id")
    for move in moves.values_list("id", "book_id", "posting_id", "debit", "credit", "amount", "cites").iterator(
        chunk_size=5000
    ):
        hasher.update("|".join(_plain(v) for v in move).encode())
        transfers += 1
        amount += move[5]
    return DaySeal(
        day=day, previous=previous, digest=hasher.hexdigest(), postings=postings, transfers=transfers, amount=amount
    )


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
