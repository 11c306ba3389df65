"""What releasing many payouts would do: who, how much, tax, over which rail, and what is left out and why. A read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import digest
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import format_minor
from tongzhou.kit.refusals import Refusal, conflict, invalid
from tongzhou.payouts import queries
from tongzhou.payouts.models import DayTotal, Payout, Release, Status
from tongzhou.payouts.policy import fee_of
from tongzhou.payouts.rails import RAILS, usable
from tongzhou.payouts.values import Batch, BatchRow, LeftOut, PayeeShown, Policy, Withholding


def why_not(row: Payout, held: Withholding, policy: Policy) -> Refusal | None:
    """What keeps a payout from leaving over its rail today, whoever releases it; None when nothing does."""
    if row.rail not in policy.rails:
        return conflict("rail_closed", _("这笔的打款通道已经停用。"), field="rail", value=row.rail,
                        fix=_("在设置里重新开通，或退回让会员换一个。"))  # fmt: skip
    try:
        rail = usable(row.rail)
    except Refusal as refusal:
        return refusal
    net = row.gross_minor - held.tax_minor - held.vat_minor
    if net < rail.low_minor or (rail.high_minor and net > rail.high_minor):
        top = format_minor(rail.high_minor, settings.CURRENCY) if rail.high_minor else "∞"
        low = format_minor(rail.low_minor, settings.CURRENCY)
        return invalid("rail_limit", _("净额不在通道的限额里。"), field="net", value=net, rule=f"{low} – {top}")
    if held.needs_decision:
        return conflict(
            "tax_decision_missing", _("这位会员本月超过增值税起征点，要财务先决定是否代扣增值税。"), field="vat_withholding",
            value="REVIEW", fix=_("在“财务与税”里签字决定，之后再放。"),
        )  # fmt: skip
    return None


def digest_of(rows: Iterable[BatchRow]) -> str:
    """The fingerprint of exactly these payouts, steps, amounts and taxes."""
    return digest([[r.bill_no, r.step, r.rail, r.gross_minor, r.tax_minor, r.vat_minor, r.payee.account] for r in rows])


def preview(payout_ids: Sequence[UUID], *, by: Actor, at: datetime) -> Batch:
    """What would happen if this person turned a key of each of these payouts now: the first of those nobody checked,
    the second of the others. What could not go is left out with its reason. *Refuses:* nothing."""
    rows = queries.payouts_by_id(payout_ids)
    mine = Release.objects.filter(payout_id__in=[r.id for r in rows], by_id=by.id or new_id())
    seen = set(mine.values_list("payout_id", flat=True))
    payees = queries.payees(r.member_id for r in rows)
    held, policy = queries.withholdings(rows, at), queries.policy()
    room = _room(policy, at)
    go: list[BatchRow] = []
    left = [
        LeftOut(missing, None, 0, "payout_not_found", _("没有这笔提现。"))
        for missing in sorted(set(payout_ids) - {r.id for r in rows})
    ]
    for row in rows:
        payee = payees.get(row.member_id)
        refusal = _keeps(row, payee, held[row.id], by=by, seen=row.id in seen, room=room, policy=policy)
        if refusal is not None or payee is None:
            why = refusal or conflict("payee_missing", _("没有收款人资料。"))
            left.append(LeftOut(row.id, row.member_id, row.gross_minor, why.code, why.message))
            continue
        if room is not None and row.status == Status.CHECKED:
            room -= row.gross_minor
        go.append(_row(row, payee, held[row.id], policy))
    return Batch(tuple(go), tuple(left), digest_of(go))


def _room(policy: Policy, at: datetime) -> int | None:
    """What the mall may still release today; None without a limit."""
    if not policy.mall_day_minor:
        return None
    gone = DayTotal.objects.filter(day=clock.mall_day(at)).values_list("released_minor", flat=True).first()
    return policy.mall_day_minor - (gone or 0)


def _keeps(
    row: Payout, payee: PayeeShown | None, held: Withholding, *, by: Actor, seen: bool, room: int | None, policy: Policy
) -> Refusal | None:
    if row.status not in (Status.REQUESTED, Status.CHECKED):
        return conflict("state_moved_on", _("不在等人放款。"))
    if row.member_id == by.id:
        return conflict("own_payout", _("收款人是你自己，要别人来放。"))
    if seen:
        return conflict("same_person", _("第一人就是你，要换一个人。"))
    if payee is None:
        return conflict("payee_missing", _("没有收款人资料。"))
    if row.status == Status.CHECKED and room is not None and row.gross_minor > room:
        return conflict("mall_day_limit", _("今天全店放款已到上限。"))
    return why_not(row, held, policy)


def _row(row: Payout, payee: PayeeShown, held: Withholding, policy: Policy) -> BatchRow:
    net = row.gross_minor - held.tax_minor - held.vat_minor
    notes = []
    if held.tax_minor:
        notes.append(gettext("代扣税，累计第 %(n)s 月") % {"n": held.months})
    if held.vat_minor:
        notes.append(gettext("代扣增值税"))
    if row.rail == "wechat":
        notes.append(gettext("要本人在微信里确认，24 小时内"))
    if not payee.has_id:
        notes.append(gettext("没有身份证号"))
    return BatchRow(
        row.id, 2 if row.status == Status.CHECKED else 1, row.bill_no, row.member_id, payee, row.rail, row.gross_minor, held.tax_minor, held.vat_minor, net,
        fee_of(policy, row.rail, net), held.rule, held.months, tuple(notes),
    )  # fmt: skip


def rail_titles() -> dict[str, str]:
    """What people call each rail."""
    return {name: str(rail.title) for name, rail in RAILS.items()}
