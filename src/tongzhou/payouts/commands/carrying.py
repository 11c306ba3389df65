"""A released payout over its rail: asked before it is sent, sent under one number, booked once.

1. RELEASED → SENT is committed before the rail is called, so whoever finds a payout SENT knows that it may have left.
2. The rail is asked first. Only when it never heard of the number is it sent, under that same number; or when what
   the payee confirms with was in an answer that got lost: the same request again is the same bill and says it again.
3. An error, a silence, an answer with a wrong signature or another amount change nothing: the next round asks again.
4. A number first sent more than three days ago is never sent again: rails forget, and then "unknown" proves nothing.
   A person looks (``said`` tells what the rail said).
5. paid, failed and returned are conditional moves; each is booked in the same transaction, under one reference.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tongzhou.kit import audit
from tongzhou.kit.actor import Actor, provider
from tongzhou.kit.refusals import Kind, Refusal, conflict, not_found
from tongzhou.kit.states import move
from tongzhou.ledger import commands as ledger
from tongzhou.ledger.values import Draw, Fill, Leg, Move
from tongzhou.payouts import queries, vault
from tongzhou.payouts.commands.asking import give_back
from tongzhou.payouts.commands.common import AVAILABLE, OWED_BACK, TRANSIT, get, need_finance
from tongzhou.payouts.models import MOVES, Payee, Payout, Status
from tongzhou.payouts.rails import RAILS, Notifying, usable
from tongzhou.payouts.values import RailOutcome

log = logging.getLogger("tongzhou.payouts")
RESEND_WITHIN = timedelta(days=3)
PATIENCE = timedelta(minutes=10)
LOOK_BACK = timedelta(days=7)  # how long a rail that may send money back is asked about what it paid
LOOK_EVERY = timedelta(hours=6)


@transaction.atomic
def mark_sent(payout_id: UUID, *, at: datetime) -> int:
    """RELEASED → SENT, committed before a rail is called."""
    return move(Payout.objects.filter(id=payout_id, status=Status.RELEASED), Status.SENT, moves=MOVES, sent_at=at)


def send(payout_id: UUID, at: datetime) -> None:
    """Carry one released payout over its rail, outside any transaction, and record the answer.

    *Refuses:* ``rail_unreachable`` and what rails say (all retryable), ``rail_forgot``, ``rail_not_configured``.
    """
    row = get(payout_id)
    if RAILS[row.rail].by_file or row.status not in (Status.RELEASED, Status.SENT):
        return
    rail = usable(row.rail)
    if row.status == Status.RELEASED:
        mark_sent(row.id, at=at)
    try:
        known = rail.query(row.bill_no)
        if known is None or (known.needs_package and not row.package):
            if known is None and row.sent_at is not None and at - row.sent_at > RESEND_WITHIN:
                raise _forgotten()
            details = vault.unseal(Payee.objects.get(member_id=row.member_id).sealed)
            known = rail.pay(
                bill_no=row.bill_no, amount_minor=row.net_minor, name=details.legal_name, account=details.account
            )
    except Refusal as refusal:
        Payout.objects.filter(id=row.id).update(asked_at=at, said=f"{refusal.code} {refusal.value or ''}"[:200])
        raise
    record(payout_id, known, at=at)


def _forgotten() -> Refusal:
    return Refusal(
        "rail_forgot", _("这笔三天前已发出，通道却说没有。不会自动重发。"), kind=Kind.CONFLICT, field="bill_no",
        fix=_("用通道的对账单核实这个单号，再由人决定。"),
    )  # fmt: skip


@transaction.atomic
def record(payout_id: UUID, outcome: RailOutcome, *, at: datetime) -> bool:
    """Book a payout's end, once: paid (net to the bank, tax withheld), failed (available again), returned after paid.

    True when anything was booked. *Refuses:* ``rail_amount_differs`` (the rail carries another amount: a person looks).
    """
    row = get(payout_id)
    if outcome.amount_minor is not None and outcome.amount_minor != row.net_minor:
        raise conflict(
            "rail_amount_differs", _("通道说的金额与这笔不同，什么都没有记。"), field="amount",
            value=outcome.amount_minor, rule=row.net_minor, fix=_("立刻停用这个通道，按单号核实。"),
        )  # fmt: skip
    by = provider(row.rail)
    if outcome.status == "paid":
        return _paid(row, outcome, by=by, at=at)
    if outcome.status == "failed":
        moved = move(
            Payout.objects.filter(id=row.id), Status.FAILED, moves=MOVES, ended_at=at, reason=outcome.reason[:200],
            package="", said="",
        )  # fmt: skip
        if moved:
            give_back(row, by=by, at=at)
        return bool(moved)
    if outcome.status == "returned":
        _paid(row, outcome, by=by, at=at)  # it left before it came back, also when nobody saw it leave
        return _returned(row, outcome, by=by, at=at)
    changes: dict[str, str] = {"package": outcome.package} if outcome.package else {}
    Payout.objects.filter(id=row.id, status=Status.SENT).update(asked_at=at, said="", **changes)
    return False


def _paid(row: Payout, outcome: RailOutcome, *, by: Actor, at: datetime) -> bool:
    fee = row.fee_minor if outcome.fee_minor is None else outcome.fee_minor
    moved = move(
        Payout.objects.filter(id=row.id), Status.PAID, moves=MOVES, ended_at=at, rail_txn=outcome.txn[:64],
        fee_minor=fee, package="", said="",
    )  # fmt: skip
    if not moved:
        return False
    legs: list[Leg] = []
    if row.net_minor:
        legs.append(Move(TRANSIT, "bank", row.net_minor))
    if row.tax_minor + row.vat_minor:
        legs.append(Fill(TRANSIT, "tax.withheld", row.tax_minor + row.vat_minor, nets="receivable.tax"))
    if fee:
        legs.append(Move("expense.payout_fee", "bank", fee))
    ledger.post(
        book_id=row.member_id, kind="payout_paid", reference=f"payout-paid:{row.id}", story_id=row.id, legs=legs, by=by,
        at=at,
    )  # fmt: skip
    return True


def _returned(row: Payout, outcome: RailOutcome, *, by: Actor, at: datetime) -> bool:
    """Bank → available, and the tax with it: from tax.withheld, else (remitted already) receivable.tax. It comes back
    the way it went, through in-transit, in one posting."""
    moved = move(
        Payout.objects.filter(id=row.id), Status.RETURNED, moves=MOVES, returned_at=at, reason=outcome.reason[:200]
    )
    if not moved:
        return False
    legs: list[Leg] = []
    if row.net_minor:
        legs.append(Move("bank", TRANSIT, row.net_minor))
    if row.tax_minor + row.vat_minor:
        legs.append(Draw("tax.withheld", "receivable.tax", TRANSIT, row.tax_minor + row.vat_minor))
    legs.append(Fill(TRANSIT, AVAILABLE, row.gross_minor, nets=OWED_BACK))
    ledger.post(
        book_id=row.member_id, kind="payout_returned", reference=f"payout-returned:{row.id}", story_id=row.id, legs=legs,
        by=by, at=at,
    )  # fmt: skip
    return True


def query_sent(*, at: datetime, limit: int = 50) -> int:
    """Ask rails about payouts under way, longest unasked first; returns how many reached an end."""
    done = 0
    online = [name for name, rail in RAILS.items() if not rail.by_file]
    late = Q(status=Status.RELEASED, released_at__lt=at - PATIENCE)  # whose own delivery never came through
    rows = Payout.objects.filter(Q(status=Status.SENT) | late, rail__in=online)
    rows = rows.order_by(F("asked_at").asc(nulls_first=True), "id")
    for payout_id in list(rows.values_list("id", flat=True)[:limit]):
        try:
            send(payout_id, at)
        except Refusal as refusal:  # one payout whose rail is silent holds up no other
            log.warning("payout not answered: %s", refusal.code, extra={"payout": str(payout_id)})
        done += Payout.objects.filter(id=payout_id, status__in=[Status.PAID, Status.FAILED, Status.RETURNED]).count()
    return done


def query_paid(*, at: datetime, limit: int = 50) -> int:
    """Ask rails that may send money back about what they paid in the last week; returns how many came back."""
    back = 0
    names = [name for name, rail in RAILS.items() if rail.can_return and not rail.by_file]
    rows = Payout.objects.filter(status=Status.PAID, rail__in=names, ended_at__gt=at - LOOK_BACK)
    due = rows.filter(asked_at__isnull=True) | rows.filter(asked_at__lt=at - LOOK_EVERY)
    for payout_id in list(due.order_by("id").values_list("id", flat=True)[:limit]):
        try:
            back += ask(payout_id, at=at)
        except Refusal as refusal:
            log.warning("paid payout not answered: %s", refusal.code, extra={"payout": str(payout_id)})
    return back


def ask(payout_id: UUID, *, at: datetime) -> bool:
    """Ask the rail about one payout and record what it says; never sends. True when that changed something."""
    row = get(payout_id)
    Payout.objects.filter(id=row.id).update(asked_at=at)
    if RAILS[row.rail].by_file or row.status not in (Status.SENT, Status.PAID):
        return False
    known = usable(row.rail).query(row.bill_no)
    return record(payout_id, known, at=at) if known is not None else False


def ask_again(*, payout_id: UUID, by: Actor, at: datetime) -> bool:
    """A person asks the rail now. *Refuses:* ``not_allowed`` and what rails say."""
    need_finance(by)
    changed = ask(payout_id, at=at)
    audit.record(
        by=by, action="payout.ask", subject_kind="payout", subject_id=get(payout_id).bill_no, at=at, changed=changed
    )
    return changed


def notice(rail_name: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> bool:
    """Record a rail's own, verified word. *Refuses:* ``rail_unknown``, ``rail_answer_forged``, ``payout_not_found``."""
    rail = usable(rail_name)
    if not isinstance(rail, Notifying):
        raise not_found(_("这个通道不发通知。"), code="rail_unknown")
    bill_no, outcome = rail.notice(headers, body)
    row = queries.by_bill(bill_no)
    if row is None or row.rail != rail_name:
        raise not_found(_("没有这笔提现。"), code="payout_not_found")
    return record(row.id, outcome, at=at)
