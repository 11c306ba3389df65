"""Claims: the same request twice is one request; another body under the same key is refused."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import selects
from tongzhou.kit.models import Claim
from tongzhou.kit.refusals import Kind, Refusal
from tongzhou.kit.transactions import command

_PLAIN = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False, separators=(",", ":"))


def digest(body: Any) -> str:
    """A stable hash of any JSON-like body."""
    return hashlib.sha256(_PLAIN.encode(body).encode()).hexdigest()


def take(value: str, *, at: datetime, owner_id: UUID | None = None, input_hash: str = "") -> bool:
    """Claim a globally unique value inside the caller's transaction; False when it is taken already."""
    return _insert(value, owner_id, input_hash, at)


def owner_of(value: str) -> UUID | None:
    """Who holds a claim, or None."""
    return Claim.objects.filter(value=value).values_list("owner_id", flat=True).first()


def once(
    scope: str, key: str, body: Any, *, at: datetime, run: Callable[[], dict[str, Any]], owner_id: UUID | None = None
) -> tuple[dict[str, Any], bool]:
    """Run ``run`` once per (scope, key) and keep its JSON answer; a repeat returns that answer.

    Returns (answer, repeated). The work and its claim commit together, so a crash in between leaves
    neither. The claim is written last, with the answer in it; a repeat's work meets it there and is
    rolled back, or was refused because the first did it already (a cart is empty, a thing is sold):
    either way the first answer is given. *Refuses:* ``idempotency_key_reused`` when the body differs
    from the first; what ``run`` refuses, when nobody had succeeded.
    """
    value, body_hash = f"{scope}:{key}"[:200], digest(body)
    try:
        with command():
            answer = run()
            if _insert(value, owner_id, body_hash, at, answer):
                return answer, False
            raise _Repeated
    except (Refusal, _Repeated):
        first = Claim.objects.filter(value=value).first()
        if first is None:
            raise
    if first.input_hash != body_hash or first.owner_id != owner_id:
        raise Refusal(
            "idempotency_key_reused",
            _("这个幂等键已经用于另一个请求。"),
            kind=Kind.CONFLICT,
            field="Idempotency-Key",
            value=key,
            rule=_("同一个键只能对应同一份内容"),
            fix=_("换一个新的键再提交。"),
        )
    return first.result or {}, True


class _Repeated(Exception):
    """Rolls a repeat's work back."""


def _insert(
    value: str, owner_id: UUID | None, body_hash: str, at: datetime, answer: dict[str, Any] | None = None
) -> bool:  # fmt: skip
    """INSERT … ON CONFLICT DO NOTHING and say whether the row is ours, by row count.

    A concurrent holder of the same key makes PostgreSQL wait here until it commits or rolls back,
    which is exactly the wish: the second caller then reads the first one's answer.
    """
    sql = (
        "INSERT INTO kit_claim (value, owner_id, input_hash, result, at) VALUES (%s, %s, %s, {result}, %s)"
        " ON CONFLICT (value) DO NOTHING"
    )
    pg = connection.vendor == "postgresql"
    kept = None if answer is None else json.dumps(answer, ensure_ascii=False)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.format(result="%s::jsonb" if pg else "%s"),
            [value, selects.value(owner_id), body_hash, kept, selects.value(at)],
        )
        return bool(cursor.rowcount == 1)
