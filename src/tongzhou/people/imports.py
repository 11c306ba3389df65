"""Members from a file: ``member,inviter,joined_at,name,phone``, with the caller's own keys.

1. Every row is read and checked; members that are new are made, five hundred to a transaction.
2. Then the bindings, in the order of the file: the first inviter stays. An inviter may stand further
   down than whom they invited, because everybody exists by then.

A member's key is claimed (``member:<key>``), so that the same file again finds everybody it made, and an
interrupted run goes on where it was. A row whose inviter is refused still leaves the account: the account
is the member's, only the binding is not written. Each row counts once, as what became of it.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock, idempotency
from tongzhou.kit.actor import Actor
from tongzhou.kit.models import Claim
from tongzhou.kit.refusals import invalid
from tongzhou.kit.textfile import encoding_of
from tongzhou.people.commands.accounts import register_members
from tongzhou.people.commands.bindings import _why_not, bind_many
from tongzhou.people.models import Binding
from tongzhou.people.queries import by_logins
from tongzhou.people.rules import normal_phone
from tongzhou.people.values import MemberImport, RowProblem

Progress = Callable[[int, int], None]
COLUMNS = ("member", "inviter", "joined_at", "name", "phone")
MEMBERS, BINDINGS = 500, 5000

WHY = {
    "key_missing": (_("没有会员编号。"), _("给每位会员一个自己的编号。")),
    "key_too_long": (_("会员编号超过 60 个字符。"), _("用短一些的编号。")),
    "name_too_long": (_("名字超过 40 个字。"), _("缩短名字。")),
    "date_invalid": (_("看不懂这个日期。"), _("写成 2026-07-14 或 2026-07-14T09:30:00+08:00。")),
    "date_in_future": (_("加入日期在将来。"), _("核对日期。")),
    "phone_invalid": (_("这个手机号看起来不对。"), _("11 位大陆手机号，或带国家码的号码。")),
    "phone_taken": (_("这个手机号已经属于另一位会员。"), _("核对手机号，或留空。")),
    "self_binding": (_("不能邀请自己。"), _("账号已建，邀请关系没有写。")),
    "unknown_inviter": (_("文件和商城里都没有这位邀请人。"), _("账号已建；补上邀请人再导入一次即可绑定。")),
    "already_bound": (_("这位会员已经有邀请人了。"), _("第一次邀请为准；更正要由两个人来做。")),
    "would_close_a_loop": (_("这样会绕成一个圈。"), _("账号已建，邀请关系没有写。")),
}


@dataclass(slots=True)
class _Row:
    """One line of the file on its way through."""

    line: int
    key: str
    inviter: str
    name: str
    phone: str
    joined_at: datetime
    outcome: str = "unchanged"


@dataclass(slots=True)
class _Report:
    """What is being found out."""

    problems: list[RowProblem]
    rows: list[_Row]
    read: int = 0

    def refuse(self, line: int, column: str, value: str, code: str) -> None:
        """Tell of one row that cannot be taken whole."""
        reason, fix = WHY[code]
        self.problems.append(RowProblem(line, column, value[:200], code, str(reason), str(fix)))


def run(
    path: Path | str, *, by: Actor, at: datetime, dry_run: bool = False, progress: Progress | None = None
) -> MemberImport:  # fmt: skip
    """Take members and who invited them from a file; ``dry_run`` says the same and writes nothing.

    Rows are refused singly, with a reason: ``already_bound``, ``would_close_a_loop``,
    ``unknown_inviter`` and what is wrong with a cell. *Refuses:* as
    :func:`tongzhou.kit.textfile.encoding_of`, ``columns_missing``, ``file_broken``.
    """
    report = _read(Path(path), at)
    if not dry_run:
        return _work(report, by=by, at=at, dry_run=False, progress=progress)
    with transaction.atomic():
        summary = _work(report, by=by, at=at, dry_run=True, progress=progress)
        transaction.set_rollback(True)
    return summary


def _work(report: _Report, *, by: Actor, at: datetime, dry_run: bool, progress: Progress | None) -> MemberImport:
    tell = progress or (lambda done, of: None)
    known = _known({r.key for r in report.rows} | {r.inviter for r in report.rows if r.inviter})
    _make(report, known, at, tell)
    _bind(report, known, tell)
    outcomes = [r.outcome for r in report.rows]
    summary = MemberImport(
        dry_run=dry_run, read=report.read, created=outcomes.count("created"), updated=outcomes.count("updated"),
        unchanged=outcomes.count("unchanged"), refused=len(report.problems),
        problems=tuple(sorted(report.problems, key=lambda p: p.line)),
    )  # fmt: skip
    audit.record(
        by=by, action="members.import", subject_kind="import", subject_id="members", at=at, read=summary.read,
        created=summary.created, updated=summary.updated, refused=summary.refused,
    )  # fmt: skip
    return summary


def _known(keys: set[str]) -> dict[str, UUID]:
    """key → member, for keys that somebody has already."""
    return by_logins(sorted(keys))


def _make(report: _Report, known: dict[str, UUID], at: datetime, tell: Progress) -> None:
    """Make whoever is new. A phone that has an account already gives that account the key."""
    fresh: list[_Row] = []
    phones = by_logins(sorted({r.phone for r in report.rows if r.phone}))
    keyed = set(Claim.objects.filter(value__startswith="member:").values_list("owner_id", flat=True))
    seen, asked = set(known), set()
    for row in list(report.rows):
        if row.key in seen:
            continue
        if row.phone and (row.phone in asked or phones.get(row.phone) in keyed):
            report.refuse(row.line, "phone", row.phone, "phone_taken")
            report.rows.remove(row)
            continue
        seen.add(row.key)
        asked.add(row.phone)
        owner = phones.get(row.phone) if row.phone else None
        if owner is None:
            fresh.append(row)
        elif idempotency.take(f"member:{row.key}", at=at, owner_id=owner):
            known[row.key], row.outcome = owner, "updated"
    for start in range(0, len(fresh), MEMBERS):
        part = fresh[start : start + MEMBERS]
        with transaction.atomic():
            made = register_members(
                [{"login": r.phone or r.key, "phone": r.phone, "display_name": r.name, "joined_at": r.joined_at} for r in part],
                at=at,
            )  # fmt: skip
            claims = [Claim(value=f"member:{r.key}", owner_id=m, at=at) for r, m in zip(part, made, strict=True)]
            Claim.objects.bulk_create(claims, batch_size=500)
        for row, member in zip(part, made, strict=True):
            known[row.key], row.outcome = member, "created"
        tell(start + len(part), len(fresh))


def _bind(report: _Report, known: dict[str, UUID], tell: Progress) -> None:
    """Write the bindings in the order of the file; who is refused is told, the rest goes on."""
    parents: dict[UUID, UUID] = dict(Binding.objects.values_list("invitee_id", "inviter_id"))
    pairs: list[tuple[UUID, UUID, datetime]] = []
    for row in report.rows:
        if not row.inviter:
            continue
        invitee, inviter = known[row.key], known.get(row.inviter)
        # A second inviter is "already bound" whether or not that inviter exists.
        if inviter is None:
            why = "already_bound" if invitee in parents else "unknown_inviter"
        else:
            why = _why_not(invitee, inviter, parents)
        if why == "same":
            continue
        if why or inviter is None:
            report.refuse(row.line, "inviter", row.inviter, why)
            row.outcome = "refused"
            continue
        parents[invitee] = inviter
        pairs.append((invitee, inviter, row.joined_at))
        row.outcome = "updated" if row.outcome == "unchanged" else row.outcome
    for start in range(0, len(pairs), BINDINGS):
        bind_many(pairs[start : start + BINDINGS], source="import")
        tell(min(start + BINDINGS, len(pairs)), len(pairs))


def _read(path: Path, at: datetime) -> _Report:
    """The rows that can be taken, and what is wrong with the others."""
    reader = csv.DictReader(io.StringIO(path.read_text(encoding=encoding_of(path), errors="strict"), newline=""))
    names = {(n or "").strip().lower(): n for n in reader.fieldnames or ()}
    if "member" not in names:
        raise invalid(
            "columns_missing", _("文件里没有 member 这一列。"), field="member", value=", ".join(names),
            rule=",".join(COLUMNS), fix=_("第一行写列名。"),
        )  # fmt: skip
    report = _Report([], [])
    try:
        for raw in reader:
            cells = {c: str(raw.get(names.get(c, c)) or "").strip() for c in COLUMNS}
            report.read += 1
            _take(report, reader.line_num, cells, at)
    except csv.Error as error:
        raise invalid(
            "file_broken", _("第 %(line)d 行之后读不下去了。") % {"line": reader.line_num}, rule=str(error)
        ) from None
    return report


def _take(report: _Report, line: int, cells: dict[str, str], at: datetime) -> None:
    key, phone, joined = cells["member"], cells["phone"], _moment(cells["joined_at"], at)
    number = normal_phone(phone) if phone else ""
    wrong = (
        ("member", key, "key_missing") if not key
        else ("member", key, "key_too_long") if len(key) > 60
        else ("name", cells["name"], "name_too_long") if len(cells["name"]) > 40
        else ("joined_at", cells["joined_at"], "date_invalid") if joined is None
        else ("joined_at", cells["joined_at"], "date_in_future") if joined > at
        else ("phone", phone, "phone_invalid") if number is None
        else None
    )  # fmt: skip
    if wrong or joined is None:
        report.refuse(line, *(wrong or ("joined_at", "", "date_invalid")))
        return
    report.rows.append(_Row(line, key, cells["inviter"], cells["name"], number or "", joined))


def _moment(text: str, at: datetime) -> datetime | None:
    """A day or a moment of the mall's clock; empty = now, None = unreadable."""
    if not text:
        return at
    try:
        if len(text) == 10:
            return clock.day_start(date.fromisoformat(text))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=clock.mall_zone())
