"""Files for the bank: made by one person, let go by another who looked at its SHA-256; results read back row by row."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import parse_major
from tongzhou.kit.refusals import Refusal, conflict, forbidden
from tongzhou.kit.states import move
from tongzhou.payouts import queries, vault
from tongzhou.payouts.commands.carrying import record
from tongzhou.payouts.commands.common import need_finance
from tongzhou.payouts.models import FILE_MOVES, MOVES, BankFile, FileStatus, Payee, Payout, Status
from tongzhou.payouts.rails.bank import files
from tongzhou.payouts.values import ImportReport, RailOutcome, RefusedRow

MOST = 2_000
PURPOSE = "分享报酬"
RAIL = "bank"


@transaction.atomic
def make_file(*, by: Actor, at: datetime) -> UUID:
    """Put every released payout of the bank rail that is in no file into a new one; kept encrypted.

    *Refuses:* ``not_allowed``, ``nothing_to_export``, ``payee_unreadable``.
    """
    person, identity = need_finance(by), new_id()
    waiting = Payout.objects.filter(status=Status.RELEASED, rail=RAIL, file_id__isnull=True)
    ids = list(waiting.order_by("id").values_list("id", flat=True)[:MOST])
    taken = waiting.filter(id__in=ids).update(file_id=identity)
    if not taken:
        raise conflict("nothing_to_export", _("没有要交给银行的提现。"), field="rail", value=RAIL)
    rows = queries.of_file(identity)
    payees = {
        p.member_id: vault.unseal(p.sealed) for p in Payee.objects.filter(member_id__in=[r.member_id for r in rows])
    }
    data = files.write(
        [files.FileRow(r.bill_no, payees[r.member_id].legal_name, payees[r.member_id].account, r.net_minor) for r in rows],
        currency=settings.CURRENCY, purpose=PURPOSE,
    )  # fmt: skip
    net, digest = sum(r.net_minor for r in rows), files.sha256(data)
    BankFile.objects.bulk_create(
        [
            BankFile(
                id=identity, sha256=digest, sealed=vault.seal_bytes(data), key_tag=vault.key_tag(), count=len(rows),
                net_minor=net, made_by=person, made_by_name=by.name[:80], made_at=at,
            )
        ]
    )  # fmt: skip
    audit.record(by=by, action="bank_file.make", subject_kind="bank_file", subject_id=identity, at=at, sha256=digest,
                 count=len(rows), net_minor=net)  # fmt: skip
    return identity


@transaction.atomic
def release_file(*, file_id: UUID, sha256: str, by: Actor, at: datetime) -> None:
    """A second person lets the file go, naming what they saw; only now may it be taken to the bank.

    *Refuses:* ``bank_file_not_found``, ``not_allowed``, ``same_person``, ``own_payout`` (they are paid in it),
    ``sha256_differs``, ``state_moved_on``.
    """
    row, person = queries.bank_file(file_id), need_finance(by)
    if person == row.made_by:
        raise conflict("same_person", _("做文件和放文件要由两个人来做。"))
    if Payout.objects.filter(file_id=file_id, member_id=person).exists():
        raise forbidden("own_payout", _("文件里有你自己的提现，要别人来放。"))
    if sha256.replace(" ", "").lower() not in (row.sha256, row.sha256[:8]):
        raise conflict("sha256_differs", _("指纹不对，这不是你看到的那个文件。"), field="sha256", value=sha256[:16],
                       fix=_("照着页面输入 SHA-256 的前 8 位。"))  # fmt: skip
    if not move(BankFile.objects.filter(id=file_id), FileStatus.RELEASED, moves=FILE_MOVES, ended_at=at,
                released_by_name=by.name[:80]):  # fmt: skip
        raise conflict("state_moved_on", _("这个文件刚刚有了变化，请刷新后再看。"))
    moved = move(Payout.objects.filter(file_id=file_id, status=Status.RELEASED), Status.SENT, moves=MOVES, sent_at=at)
    if moved != row.count:
        raise conflict("state_moved_on", _("文件里的提现有了变化，什么都没有放。"))
    audit.record(
        by=by, action="bank_file.release", subject_kind="bank_file", subject_id=file_id, at=at, sha256=row.sha256
    )


@transaction.atomic
def cancel_file(*, file_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Take back a file nobody let go; its payouts wait for the next one. *Refuses:* ``state_moved_on``, ``not_allowed``."""
    queries.bank_file(file_id)
    need_finance(by)
    if not move(BankFile.objects.filter(id=file_id), FileStatus.CANCELLED, moves=FILE_MOVES, ended_at=at):
        raise conflict("state_moved_on", _("这个文件刚刚有了变化，请刷新后再看。"))
    Payout.objects.filter(file_id=file_id, status=Status.RELEASED).update(file_id=None)
    audit.record(
        by=by, action="bank_file.cancel", subject_kind="bank_file", subject_id=file_id, at=at, reason=reason[:200]
    )


@transaction.atomic
def download_file(*, file_id: UUID, by: Actor, at: datetime) -> bytes:
    """The file as it was made; each download is written down, because it shows names and accounts.

    *Refuses:* ``bank_file_not_found``, ``not_allowed``, ``file_not_released``, ``payee_unreadable``.
    """
    row = queries.bank_file(file_id)
    need_finance(by)
    if row.status != FileStatus.RELEASED:
        raise conflict("file_not_released", _("要第二个人放了，文件才能下载。"))
    audit.record(
        by=by, action="bank_file.download", subject_kind="bank_file", subject_id=file_id, at=at, sha256=row.sha256
    )
    return vault.unseal_bytes(row.sealed)


def import_results(*, data: bytes, by: Actor, at: datetime) -> ImportReport:
    """Record what the bank did. Each row is a transaction of its own; the same file again changes nothing.

    Rows that do not fit are told with line, column, value, reason and fix, and the rest goes on.
    *Refuses:* ``not_allowed``, ``results_unreadable`` (as a whole).
    """
    need_finance(by)
    good, bad = files.read(data)
    read = len(good) + len(bad)
    counts = {"paid": 0, "failed": 0, "returned": 0, "unchanged": 0}
    for row in good:
        refused = _take(row, counts, at)
        if refused is not None:
            bad.append(refused)
    report = ImportReport(
        files.sha256(data), read, counts["paid"], counts["failed"], counts["returned"], counts["unchanged"],
        tuple(sorted(bad, key=lambda b: b.line)),
    )  # fmt: skip
    audit.record(by=by, action="bank_results.import", subject_kind="bank_results", subject_id=report.sha256, at=at,
                 read=report.read, refused=len(report.refused), **counts)  # fmt: skip
    return report


def _take(row: files.ResultRow, counts: dict[str, int], at: datetime) -> RefusedRow | None:
    """One row: recorded, already so, or refused."""
    payout = queries.by_bill(row.bill_no)
    if payout is None or payout.rail != RAIL or payout.file_id is None:
        return RefusedRow(
            row.line, "bill_no", row.bill_no, _("没有这个单号，或它不在银行文件里。"), _("照导出文件的单号填写。")
        )
    try:
        amount = parse_major(row.amount, settings.CURRENCY)
    except ValueError:
        return RefusedRow(row.line, "amount", row.amount, _("金额看不懂。"), _("写成 12.90 这样。"))
    if amount != payout.net_minor:
        return RefusedRow(
            row.line, "amount", row.amount, _("金额与导出文件不同。"), _("向银行核实这一笔，先不要入账。")
        )
    ended = {"paid": Status.PAID, "failed": Status.FAILED, "returned": Status.RETURNED}[row.result]
    if payout.status == ended or (row.result == "paid" and payout.status == Status.RETURNED):
        counts["unchanged"] += 1
        return None
    if payout.status not in (Status.SENT, Status.PAID) or (payout.status == Status.PAID and row.result == "failed"):
        return RefusedRow(row.line, "result", row.result, _("与已经记下的结果矛盾：%(status)s。") % {"status": payout.status},
                          _("已到账又退回的写 退票；其他情况向银行核实。"))  # fmt: skip
    try:
        booked = record(payout.id, RailOutcome(row.result, row.txn, row.reason), at=at)
    except Refusal as refusal:
        return RefusedRow(row.line, "result", row.result, refusal.message, refusal.fix)
    counts[row.result if booked else "unchanged"] += 1
    return None
