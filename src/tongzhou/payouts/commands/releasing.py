"""Two people let payouts go, one by one or many at once; the second fixes the tax and sends each on its way.

Many at once is many single releases, each conditional and in a transaction of its own: what cannot go stays where it
was with its reason, and a kill in between has released some and lost none. ``digest`` ties what a person saw to what
is done: if anything in it has changed, nothing is released.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock, outbox
from tongzhou.kit.actor import Actor
from tongzhou.kit.refusals import Refusal, conflict, forbidden, invalid
from tongzhou.kit.states import move
from tongzhou.payouts import queries
from tongzhou.payouts.batches import preview, why_not
from tongzhou.payouts.commands.asking import reject
from tongzhou.payouts.commands.common import get, moved_on, need_finance, need_reason
from tongzhou.payouts.events import PayoutReleased
from tongzhou.payouts.models import MOVES, DayTotal, Payout, Release, Status
from tongzhou.payouts.policy import fee_of
from tongzhou.payouts.values import BatchDone, LeftOut
from tongzhou.rewards import monitors

MOST = 200  # payouts in one batch: what a person can look through


def _nothing_stops() -> None:
    """Compliance monitors that crossed a line stop every payout until a later night finds it mended."""
    night = monitors.stop()
    if night:
        raise forbidden(
            "payouts_stopped", _("夜间的合规检查发现了必须停下来的事，暂停放款。"), field="monitors",
            value=", ".join(f["id"] for f in night.findings), rule=night.day.isoformat(),
            fix=_("到“合规与证据”看发现，处理后重新检查。"),
        )  # fmt: skip


@transaction.atomic
def release(*, payout_id: UUID, by: Actor, at: datetime, expect_tax: int | None = None) -> str:
    """One of two people lets a payout go; the second fixes its tax and sends it on its way.

    Returns the new status. *Refuses:* ``payout_not_found``, ``not_allowed`` (finance or owner), ``own_payout``,
    ``same_person``, ``state_moved_on``, ``rail_not_configured``, ``rail_limit``, ``tax_decision_missing``,
    ``tax_moved_on`` (``expect_tax`` is no longer what is due), ``mall_day_limit``, ``payouts_stopped`` (the
    night's monitors found what forbids paying).
    """
    row = get(payout_id)
    person = need_finance(by)
    if person == row.member_id:
        raise forbidden("own_payout", _("不能给自己放款。"))
    _nothing_stops()
    step = 1 if row.status == Status.REQUESTED else 2
    try:
        with transaction.atomic():
            Release.objects.bulk_create(
                [Release(payout_id=row.id, step=step, by_id=person, by_name=by.name[:80], at=at)]
            )
    except IntegrityError:
        raise conflict("same_person", _("两次放款要由两个人来做，或这一步已经有人做了。")) from None
    if step == 1:
        moved = move(Payout.objects.filter(id=row.id), Status.CHECKED, moves=MOVES)
    else:
        moved = _second(row, at, expect_tax)
    if not moved:
        raise moved_on()
    audit.record(
        by=by, action=f"payout.release.{step}", subject_kind="payout", subject_id=row.bill_no, at=at,
        gross_minor=row.gross_minor,
    )  # fmt: skip
    return str(Status.CHECKED if step == 1 else Status.RELEASED)


def _second(row: Payout, at: datetime, expect_tax: int | None) -> int:
    day = clock.mall_day(at)
    held = queries.withholding(row, at)
    policy = queries.policy()
    refusal = why_not(row, held, policy)
    if refusal is not None:
        raise refusal
    if expect_tax is not None and expect_tax != held.tax_minor + held.vat_minor:
        raise conflict("tax_moved_on", _("这笔的代扣税刚刚变了，请重新预览。"), field="tax", value=expect_tax)
    net = row.gross_minor - held.tax_minor - held.vat_minor
    moved = move(
        Payout.objects.filter(id=row.id), Status.RELEASED, moves=MOVES, released_at=at, tax_minor=held.tax_minor,
        vat_minor=held.vat_minor, tax_year=day.year, tax_months=held.months, tax_rule=held.rule,
        fee_minor=fee_of(policy, row.rail, net),
    )  # fmt: skip
    if moved:
        _count_day(row.gross_minor, policy.mall_day_minor, at)
        outbox.publish(PayoutReleased(row.id), at=at)
    return moved


def _count_day(gross_minor: int, limit: int, at: datetime) -> None:
    """Add to the mall's day, refusing what would pass its limit; what fails later is not given back to the day."""
    day = clock.mall_day(at)
    DayTotal.objects.bulk_create([DayTotal(day=day)], ignore_conflicts=True)
    rows = DayTotal.objects.filter(day=day)
    if limit:
        rows = rows.filter(released_minor__lte=limit - gross_minor)
    if not rows.update(released_minor=F("released_minor") + gross_minor):
        raise conflict(
            "mall_day_limit", _("今天全店放款已到上限。"), field="amount", value=gross_minor, rule=f"≤ {limit}",
            fix=_("明天再放，或由财务在设置里调高每天上限。"),
        )  # fmt: skip


def release_many(
    *,
    payout_ids: Sequence[UUID],
    by: Actor,
    at: datetime,
    typed_net_minor: int | None = None,
    digest: str | None = None,
) -> BatchDone:
    """Turn a key of each payout of a preview. Where any leaves now, the second person types their net from the bank's page.

    With ``digest`` given, nothing at all is done if what was previewed has changed.
    *Refuses:* ``not_allowed``, ``batch_too_large``, ``preview_changed``, ``nothing_chosen``, ``net_mistyped``; what cannot
    go by itself is returned in ``left`` with its reason.
    """
    need_finance(by)
    if len(payout_ids) > MOST:
        raise invalid(
            "batch_too_large", _("一批最多 %(most)s 笔。") % {"most": MOST}, field="payouts", value=len(payout_ids)
        )
    batch = preview(payout_ids, by=by, at=at)
    if digest is not None and digest != batch.digest:
        raise conflict("preview_changed", _("这一批在你看的时候有了变化，请重新看一遍。"), field="digest")
    if not batch.rows:
        raise invalid("nothing_chosen", _("没有你能放的。"), field="payout")
    if batch.second and typed_net_minor != batch.leaving_minor:
        raise invalid(
            "net_mistyped", _("净额不对。"), field="net", value=typed_net_minor, fix=_("照着银行页面再输一遍。")
        )
    left: list[LeftOut] = list(batch.left)
    done = net = 0
    for row in batch.rows:
        expect = row.tax_minor + row.vat_minor if row.step == 2 else None
        try:
            release(payout_id=row.payout_id, by=by, at=at, expect_tax=expect)
        except Refusal as refusal:  # one that was overtaken holds up no other
            left.append(LeftOut(row.payout_id, row.member_id, row.gross_minor, refusal.code, refusal.message))
            continue
        done, net = done + 1, net + (row.net_minor if row.step == 2 else 0)
    audit.record(
        by=by, action="payout.batch", subject_kind="batch", subject_id=batch.digest[:32], at=at, done=done, net_minor=net,
        left=len(left),
    )  # fmt: skip
    return BatchDone(done, net, tuple(left))


def reject_many(*, payout_ids: Sequence[UUID], reason: str, by: Actor, at: datetime) -> BatchDone:
    """Turn many down with one reason; each is conditional. *Refuses:* as ``reject`` for who and why."""
    need_finance(by)
    need_reason(reason)
    left: list[LeftOut] = []
    done = 0
    for payout_id in payout_ids[:MOST]:
        try:
            reject(payout_id=payout_id, reason=reason, by=by, at=at)
            done += 1
        except Refusal as refusal:
            left.append(LeftOut(payout_id, None, 0, refusal.code, refusal.message))
    return BatchDone(done, 0, tuple(left))
