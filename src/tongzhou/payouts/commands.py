"""The verbs of payouts. Money leaves only after two people; a rail is called only outside transactions."""

import logging
from datetime import date, datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit, clock, outbox
from tongzhou.kit.actor import Actor, provider
from tongzhou.kit.ids import new_id
from tongzhou.kit.money import format_minor
from tongzhou.kit.refusals import Refusal, conflict, forbidden, invalid, not_found
from tongzhou.kit.states import move
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Fill, Leg, Move
from tongzhou.payouts import tax, vault
from tongzhou.payouts.events import PayoutReleased
from tongzhou.payouts.models import MOVES, OPEN, Payee, Payout, Release, Status
from tongzhou.payouts.rails import RAILS
from tongzhou.payouts.values import RailOutcome
from tongzhou.people import queries as people

log = logging.getLogger("tongzhou.payouts")
MAY_RELEASE = frozenset({"finance", "owner"})
TRANSIT = "payout.in_transit.reward"


@transaction.atomic
def register_payee(*, member_id: UUID, legal_name: str, account: str, born: str, by: Actor, at: datetime) -> None:
    """Keep where a member's money goes, encrypted. *Refuses:* ``payee_invalid`` fields, ``payee_under_18`` (CN-AGE)."""
    name, number = legal_name.strip(), account.replace(" ", "").strip()
    if not 2 <= len(name) <= 40:
        raise invalid("legal_name", _("请写真实姓名。"), field="legal_name", value=legal_name, rule=_("2 到 40 个字"))
    if not 6 <= len(number) <= 40 or not number.isalnum():
        raise invalid(
            "account", _("收款账号看起来不对。"), field="account", value=account, rule=_("6 到 40 位字母或数字")
        )
    try:
        adult = vault.is_adult(born, clock.mall_day(at))
        if date.fromisoformat(born) < date(1900, 1, 1):
            raise ValueError
    except ValueError:
        raise invalid("born", _("出生日期不对。"), field="born", value=born, rule="YYYY-MM-DD") from None
    if not adult:
        raise forbidden(
            "payee_under_18", _("未满 18 岁不能提现；金额会一直保留。"), field="born", value=born, rule="CN-AGE"
        )
    sealed = vault.seal(vault.Details(name, number, born))
    Payee.objects.bulk_create(
        [Payee(member_id=member_id, sealed=sealed, at=at)], update_conflicts=True, unique_fields=["member_id"],
        update_fields=["sealed", "at"],
    )  # fmt: skip
    audit.record(by=by, action="payee.set", subject_kind="member", subject_id=member_id, at=at)


@transaction.atomic
def request(*, member_id: UUID, amount_minor: int, at: datetime) -> UUID:
    """Ask for a payout: the amount leaves "available" at once, so it cannot be asked for twice.

    *Refuses:* ``payee_missing``, ``amount_too_small``, ``payout_open`` (one at a time),
    ``amount_exceeds_available`` (available less what is owed back).
    """
    if not Payee.objects.filter(member_id=member_id).exists():
        raise conflict("payee_missing", _("先填写收款人资料。"), field="payee")
    if amount_minor < settings.PAYOUT_MIN_MINOR:
        least = format_minor(settings.PAYOUT_MIN_MINOR, settings.CURRENCY)
        raise invalid("amount_too_small", _("提现金额太小。"), field="amount", value=amount_minor, rule=f"≥ {least}")
    identity = new_id()
    row = Payout(
        id=identity,
        member_id=member_id,
        bill_no=identity.hex,
        rail="sandbox",
        gross_minor=amount_minor,
        requested_at=at,
    )
    try:
        with transaction.atomic():
            Payout.objects.bulk_create([row])
    except IntegrityError:
        raise conflict("payout_open", _("还有一笔提现在处理。"), field="payout", fix=_("等它有了结果再提。")) from None
    have = books.balances(member_id, ["reward.available", "receivable.clawback.reward"])
    free = have.get("reward.available", 0) - have.get("receivable.clawback.reward", 0)
    if amount_minor > free:
        raise conflict(
            "amount_exceeds_available", _("可提现金额不够。"), field="amount", value=amount_minor, rule=max(0, free),
            fix=_("最多可提 %(most)s。") % {"most": format_minor(max(0, free), settings.CURRENCY)},
        )  # fmt: skip
    ledger.post(
        book_id=member_id, kind="payout_requested", reference=f"payout:{identity}", story_id=identity,
        legs=[Move("reward.available", TRANSIT, amount_minor)], by=Actor("member", member_id), at=at,
    )  # fmt: skip
    return identity


def _get(payout_id: UUID) -> Payout:
    row = Payout.objects.filter(id=payout_id).first()
    if row is None:
        raise not_found(_("没有这笔提现。"), code="payout_not_found")
    return row


@transaction.atomic
def release(*, payout_id: UUID, by: Actor, at: datetime) -> str:
    """One of two people lets a payout go; the second fixes its tax and sends it on its way.

    Returns the new status. *Refuses:* ``payout_not_found``, ``not_allowed`` (finance or owner),
    ``own_payout``, ``same_person``, ``state_moved_on``.
    """
    row = _get(payout_id)
    if by.id is None or not people.roles(by.id) & MAY_RELEASE:
        raise forbidden("not_allowed", _("只有财务或所有者可以放款。"))
    if by.id == row.member_id:
        raise forbidden("own_payout", _("不能给自己放款。"))
    step = 1 if row.status == Status.REQUESTED else 2
    try:
        with transaction.atomic():
            Release.objects.bulk_create(
                [Release(payout_id=row.id, step=step, by_id=by.id, by_name=by.name[:80], at=at)]
            )
    except IntegrityError:
        raise conflict("same_person", _("两次放款要由两个人来做，或这一步已经有人做了。")) from None
    if step == 1:
        moved = move(Payout.objects.filter(id=row.id), Status.CHECKED, moves=MOVES)
    else:
        moved = _second(row, at)
    if not moved:
        raise conflict("state_moved_on", _("这笔提现刚刚有了变化，请刷新后再看。"))
    audit.record(
        by=by, action=f"payout.release.{step}", subject_kind="payout", subject_id=row.bill_no, at=at,
        gross_minor=row.gross_minor,
    )  # fmt: skip
    return str(Status.CHECKED if step == 1 else Status.RELEASED)


def withholding(row: Payout, at: datetime) -> tuple[int, int]:
    """(tax, months of service) a payout released now would bear, by this year's cumulative method."""
    day = clock.mall_day(at)
    before = Payout.objects.filter(member_id=row.member_id, tax_year=day.year, status__in=[*OPEN, Status.PAID])
    sums = before.exclude(id=row.id).aggregate(gross=Sum("gross_minor"), tax=Sum("tax_minor"))
    first = before.exclude(id=row.id).order_by("released_at").first()
    months = day.month - clock.mall_day(first.released_at).month + 1 if first and first.released_at else 1
    return tax.due_now((sums["gross"] or 0) + row.gross_minor, months, sums["tax"] or 0), months


def _second(row: Payout, at: datetime) -> int:
    withhold, months = withholding(row, at)
    moved = move(
        Payout.objects.filter(id=row.id), Status.RELEASED, moves=MOVES, released_at=at, tax_minor=withhold,
        tax_year=clock.mall_day(at).year, tax_months=months,
    )  # fmt: skip
    if moved:
        outbox.publish(PayoutReleased(row.id), at=at)
    return moved


@transaction.atomic
def reject(*, payout_id: UUID, reason: str, by: Actor, at: datetime) -> None:
    """Turn a payout down before it is released; the amount is available again. Twice is once.

    *Refuses:* ``payout_not_found``, ``not_allowed``, ``reason_missing``, ``state_moved_on``.
    """
    row = _get(payout_id)
    if by.id is None or not people.roles(by.id) & MAY_RELEASE:
        raise forbidden("not_allowed", _("只有财务或所有者可以放款。"))
    if len(reason.strip()) < 4:
        raise invalid("reason_missing", _("请写明理由。"), field="reason", value=reason, rule=_("至少 4 个字"))
    if not move(
        Payout.objects.filter(id=row.id), Status.REJECTED, moves=MOVES, reason=reason.strip()[:200], ended_at=at
    ):
        raise conflict("state_moved_on", _("这笔提现刚刚有了变化，请刷新后再看。"))
    _give_back(row, by=by, at=at)
    audit.record(
        by=by, action="payout.reject", subject_kind="payout", subject_id=row.bill_no, at=at, reason=reason[:200]
    )


def _give_back(row: Payout, *, by: Actor, at: datetime) -> None:
    ledger.post(
        book_id=row.member_id, kind="payout_failed", reference=f"payout-failed:{row.id}", story_id=row.id, by=by, at=at,
        legs=[Fill(TRANSIT, "reward.available", row.gross_minor, nets="receivable.clawback.reward")],
    )  # fmt: skip


@transaction.atomic
def mark_sent(payout_id: UUID, *, at: datetime) -> int:
    """RELEASED → SENT, committed before a rail is called."""
    return move(Payout.objects.filter(id=payout_id, status=Status.RELEASED), Status.SENT, moves=MOVES, sent_at=at)


def has_open(member_id: UUID) -> bool:
    """Whether a payout of this member is under way."""
    return Payout.objects.filter(member_id=member_id, status__in=OPEN).exists()


def send(payout_id: UUID, at: datetime) -> None:
    """Carry one released payout over its rail, outside any transaction, and record the answer.

    The move to SENT is committed before the call; whoever finds a payout SENT asks the rail first and
    sends again only under the same number, and only when the rail never heard of it.
    """
    row = _get(payout_id)
    rail = RAILS[row.rail]
    if row.status == Status.RELEASED:
        mark_sent(row.id, at=at)
    elif row.status != Status.SENT:
        return
    known = rail.query(row.bill_no)
    if known is None:
        details = vault.unseal(Payee.objects.get(member_id=row.member_id).sealed)
        known = rail.pay(
            bill_no=row.bill_no, amount_minor=row.net_minor, name=details.legal_name, account=details.account
        )
    record(payout_id, known, at=at)


@transaction.atomic
def record(payout_id: UUID, outcome: RailOutcome, *, at: datetime) -> None:
    """Book a payout's end, once: paid (net to the bank, tax withheld) or failed (available again)."""
    row = _get(payout_id)
    by = provider(row.rail)
    if outcome.status == "paid":
        if move(Payout.objects.filter(id=row.id), Status.PAID, moves=MOVES, ended_at=at, rail_txn=outcome.txn[:64]):
            legs: list[Leg] = []
            if row.net_minor:
                legs.append(Move(TRANSIT, "bank", row.net_minor))
            if row.tax_minor:
                legs.append(Fill(TRANSIT, "tax.withheld", row.tax_minor, nets="receivable.tax"))
            ledger.post(
                book_id=row.member_id, kind="payout_paid", reference=f"payout-paid:{row.id}", story_id=row.id, legs=legs,
                by=by, at=at,
            )  # fmt: skip
    elif outcome.status == "failed":
        if move(Payout.objects.filter(id=row.id), Status.FAILED, moves=MOVES, ended_at=at, reason=outcome.reason[:200]):
            _give_back(row, by=by, at=at)


def query_sent(*, at: datetime, limit: int = 50) -> int:
    """Ask rails about payouts under way; returns how many reached an end."""
    done = 0
    rows = Payout.objects.filter(status=Status.SENT).order_by("sent_at")
    for payout_id in list(rows.values_list("id", flat=True)[:limit]):
        try:
            send(payout_id, at)
        except Refusal as refusal:  # one payout whose rail is silent holds up no other
            log.warning("payout not answered: %s", refusal.code, extra={"payout": str(payout_id)})
        done += Payout.objects.filter(id=payout_id, status__in=[Status.PAID, Status.FAILED]).count()
    return done
