"""A member asks; finance may turn it down. The amount leaves "available" at once, so it cannot be asked for twice."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import format_minor
from tongzhou.kit.refusals import conflict, invalid
from tongzhou.kit.states import move
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Fill, Move
from tongzhou.payouts import queries
from tongzhou.payouts.commands.common import AVAILABLE, OWED_BACK, TRANSIT, get, moved_on, need_finance, need_reason
from tongzhou.payouts.models import MOVES, OPEN, Payee, Payout, Status


@transaction.atomic
def request(*, member_id: UUID, amount_minor: int, at: datetime) -> UUID:
    """Ask for a payout over the payee's rail, under a bill number that never changes.

    *Refuses:* ``payee_missing``, ``amount_too_small``, ``amount_too_large``, ``payout_open`` (one at a time),
    ``day_limit``, ``amount_exceeds_available`` (available less what is owed back).
    """
    payee = Payee.objects.filter(member_id=member_id).first()
    if payee is None:
        raise conflict("payee_missing", _("先填写收款人资料。"), field="payee")
    policy = queries.policy()
    least, most = policy.min_minor, policy.max_minor
    if amount_minor < least:
        raise invalid(
            "amount_too_small", _("提现金额太小。"), field="amount", value=amount_minor, rule=f"≥ {_money(least)}"
        )
    if most and amount_minor > most:
        raise invalid("amount_too_large", _("一次提得太多。"), field="amount", value=amount_minor, rule=f"≤ {_money(most)}",
                      fix=_("分几次提；税按全年累计算，分开不会多交也不会少交。"))  # fmt: skip
    identity = new_id()
    row = Payout(
        id=identity, member_id=member_id, bill_no=identity.hex, rail=payee.rail, gross_minor=amount_minor, requested_at=at
    )  # fmt: skip
    try:
        with transaction.atomic():
            Payout.objects.bulk_create([row])
    except IntegrityError:
        raise conflict("payout_open", _("还有一笔提现在处理。"), field="payout", fix=_("等它有了结果再提。")) from None
    _check_day(member_id, policy.member_day_minor, at)
    have = books.balances(member_id, [AVAILABLE, OWED_BACK])
    free = have.get(AVAILABLE, 0) - have.get(OWED_BACK, 0)
    if amount_minor > free:
        raise conflict(
            "amount_exceeds_available", _("可提现金额不够。"), field="amount", value=amount_minor, rule=f"≤ {_money(max(0, free))}",
        )  # fmt: skip
    ledger.post(
        book_id=member_id, kind="payout_requested", reference=f"payout:{identity}", story_id=identity,
        legs=[Move(AVAILABLE, TRANSIT, amount_minor)], by=Actor("member", member_id), at=at,
    )  # fmt: skip
    return identity


def _money(amount_minor: int) -> str:
    return format_minor(amount_minor, settings.CURRENCY)


def _check_day(member_id: UUID, limit: int, at: datetime) -> None:
    """Today's requests of one member, this one included; the unique open payout keeps a second from racing it."""
    if not limit:
        return
    start = clock.day_start(clock.mall_day(at))
    rows = Payout.objects.filter(
        member_id=member_id, requested_at__gte=start, requested_at__lt=start + timedelta(days=1),
        status__in=[*OPEN, Status.PAID],
    )  # fmt: skip
    asked = rows.aggregate(n=Sum("gross_minor"))["n"] or 0
    if asked > limit:
        raise conflict("day_limit", _("今天提的合计超过上限了。"), field="amount", value=asked, rule=f"≤ {_money(limit)}",
                       fix=_("明天再提，或少提一点。"))  # fmt: skip


@transaction.atomic
def reject(*, payout_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Turn a payout down before it is released; the amount is available again. Twice is once.

    *Refuses:* ``payout_not_found``, ``not_allowed``, ``reason_missing``, ``state_moved_on``.
    """
    row = get(payout_id)
    need_finance(by)
    why = need_reason(reason)
    if not move(Payout.objects.filter(id=row.id), Status.REJECTED, moves=MOVES, reason=why, ended_at=at):
        raise moved_on()
    give_back(row, by=by, at=at)
    audit.record(by=by, action="payout.reject", subject_kind="payout", subject_id=row.bill_no, at=at, reason=why)


def give_back(row: Payout, *, by: Actor, at: datetime) -> None:
    """What was in transit is available again, netting what is owed back; once per payout."""
    ledger.post(
        book_id=row.member_id, kind="payout_failed", reference=f"payout-failed:{row.id}", story_id=row.id, by=by, at=at,
        legs=[Fill(TRANSIT, AVAILABLE, row.gross_minor, nets=OWED_BACK)],
    )  # fmt: skip
