"""Members as members.csv (interfaces.md): what `import members` reads; the same file back changes nothing."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tongzhou.kit import audit, csvout
from tongzhou.kit.actor import Actor
from tongzhou.people.imports import COLUMNS
from tongzhou.people.models import Binding, Member

CHUNK = 1_000


def write(out: Path, *, by: Actor, at: datetime) -> int:
    """Write every member with the inviter; how many. Whole phone numbers leave the mall, so it is audited.

    *Refuses:* ``file_unwritable``.
    """
    count = csvout.write(out, COLUMNS, _rows())
    audit.record(
        by=by, action="members.export", subject_kind="export", subject_id="members", at=at, count=count, file=out.name
    )
    return count


def _rows() -> Iterator[tuple[str, ...]]:
    last = None
    while True:
        rows = Member.objects.order_by("id")
        found = list((rows.filter(id__gt=last) if last else rows)[:CHUNK])
        if not found:
            return
        above = dict(
            Binding.objects.filter(invitee_id__in=[m.id for m in found]).values_list("invitee_id", "inviter_id")
        )
        logins = dict(Member.objects.filter(id__in=set(above.values())).values_list("id", "login"))
        for m in found:
            inviter = logins.get(above[m.id], "") if m.id in above else ""
            yield m.login, inviter, m.joined_at.isoformat(), csvout.guarded(m.display_name), m.phone
        last = found[-1].id
