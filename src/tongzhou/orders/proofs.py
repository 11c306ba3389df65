"""`ledger verify`, law 9: every order's money equals what its lines, payments and refunds say, computed again.

Nothing here uses the commands' arithmetic. Orders go by in batches, so memory stays small however many
there are. The mall goes on meanwhile: what looks wrong is looked at again, and only what stays wrong
is a problem.
"""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.db.models import Sum

from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Problem
from tongzhou.orders.models import Order, OrderLine, RefundRecord
from tongzhou.payments import queries as paid
from tongzhou.suppliers import queries as suppliers

BATCH = 500
LOOKS = 3
OURS = (
    "deposit.orders", "suspense.payments", "refund.in_transit", "revenue.goods", "revenue.freight", "receivable.dispute",
    "expense.dispute",
)  # fmt: skip
Money = dict[str, int]


def orders_recomputed() -> Iterable[Problem]:
    """Deposit, revenue, what is on its way back and what came in, order by order; and no such money elsewhere."""
    for ids in _batches():
        wrong = ids
        for _look in range(LOOKS):
            wrong = [i for i, have, want in _compare(wrong) if have != want]
            if not wrong:
                break
        for order_id, have, want in _compare(wrong):
            if have != want:
                yield Problem("orders_recomputed", str(order_id), f"the books say {have}, its facts say {want}")
    for story in books.stories_apart(OURS, Order.objects.values("id")):
        yield Problem("orders_recomputed", str(story), "money of an order that does not exist")


def _batches() -> Iterator[list[UUID]]:
    last: UUID | None = None
    while True:
        rows = Order.objects.order_by("id")
        ids = list((rows.filter(id__gt=last) if last else rows).values_list("id", flat=True)[:BATCH])
        if not ids:
            return
        yield ids
        last = ids[-1]


def _compare(ids: Sequence[UUID]) -> Iterator[tuple[UUID, Money, Money]]:
    """(order, what the books say, what its facts say), without what is zero."""
    if not ids:
        return
    orders = {o.id: o for o in Order.objects.filter(id__in=ids)}
    lines: dict[UUID, list[OrderLine]] = {i: [] for i in ids}
    for line in OrderLine.objects.filter(order_id__in=ids):
        lines[line.order_id].append(line)
    through = paid.sums_of(ids)
    records = RefundRecord.objects.filter(order_id__in=[i for i in ids if i not in through])
    given = dict(records.values_list("order_id").annotate(n=Sum("cash_minor")))
    told = books.standing_many([(o.buyer_id, o.id) for o in orders.values()])
    taken = _disputed(ids)
    for i, order in orders.items():
        # An order of an older shop came without payments: its total was paid and its refunds were.
        came, back, under_way = through.get(i) or ((order.total_minor if order.paid_at else 0), given.get(i, 0), 0)
        want = {"gateway": came - back, "refund.in_transit": under_way, **_of_lines(order, lines[i])}
        for account, n in taken.get(i, {}).items():
            want[account] = want.get(account, 0) + n
        have: Money = {}
        for account, n in told[order.buyer_id, i].items():
            name = "gateway" if account.startswith("gateway.") else account
            have[name] = have.get(name, 0) + n
        yield i, {a: n for a, n in have.items() if n}, {a: n for a, n in want.items() if n}


def _disputed(ids: Sequence[UUID]) -> dict[UUID, Money]:
    """order → what its chargebacks did: the bank took the money; it is owed to the mall, or it is lost.

    A loss is what the chargeback took and nothing had been kept for: not the refunds it answered for, not the
    deposits of lines that ended with it, not what a refund under way may still answer for.
    """
    facts = paid.dispute_facts(ids)
    ended = RefundRecord.objects.filter(order_id__in=list(facts), reference__startswith="dispute:")
    given = dict(ended.values_list("reference").annotate(n=Sum("cash_minor")))
    out: dict[UUID, Money] = {}
    for order_id, disputes in facts.items():
        money = out.setdefault(
            order_id, {"gateway": 0, "receivable.dispute": 0, "expense.dispute": 0, "refund.in_transit": 0}
        )
        for identity, status, amount, fee, unsettled, answered in disputes:
            money["gateway"] -= fee + (0 if status == "WON" else amount)
            money["expense.dispute"] += fee
            if status == "OPEN":
                money["receivable.dispute"] += amount
            elif status == "LOST":
                money["receivable.dispute"] += unsettled
                money["expense.dispute"] += amount - unsettled - answered - given.get(f"dispute:{identity.hex}", 0)
    return out


def _of_lines(order: Order, lines: Sequence[OrderLine]) -> Money:
    """What stands of each line, where it is: a deposit until it is delivered, revenue from then on."""
    out = dict.fromkeys(
        (
            "deposit.orders",
            "revenue.goods",
            "revenue.freight",
            "expense.campaign.coupon",
            "credit.points",
            "credit.store",
        ),
        0,
    )
    if order.paid_at is None:
        return out
    for line in lines:
        n, m = line.amount_minor, line.refunded_minor
        points = line.points_minor * m // n if n else 0
        credit = line.credit_minor * (m - points) // (n - line.points_minor) if n > line.points_minor else 0
        coupon = line.coupon_minor - (line.coupon_minor * m // n if n else 0)
        out["credit.points"] -= line.points_minor - points
        out["credit.store"] -= line.credit_minor - credit
        if line.delivered_at is None:
            out["deposit.orders"] += n - m
            continue
        out["revenue.freight" if line.kind == "freight" else "revenue.goods"] += n - m + coupon
        out["expense.campaign.coupon"] += coupon
    return out


def suppliers_owed() -> Iterable[Problem]:
    """What each supplier's book says of a line equals cost × units kept, where its newest snapshot has been heard."""
    for ids in _batches():
        heard = suppliers.snapshots_booked(OrderLine.objects.filter(order_id__in=ids).values("id"))
        wrong = list(heard)
        for look in range(LOOKS):
            found = {line.id: line for line in OrderLine.objects.filter(id__in=wrong)}
            told = books.standing_many([(heard[i][0], i) for i in wrong], ["expense.goods"])
            problems = []
            for i in wrong:
                line, have = found[i], told[heard[i][0], i].get("expense.goods", 0)
                kept = line.quantity - line.refunded_quantity if line.delivered_at else 0
                want = (line.cost_minor or 0) * kept // line.quantity
                if line.version == heard[i][1] and have != want:
                    problems.append(Problem("suppliers_owed", str(i), f"booked {have}, kept units cost {want}"))
            wrong = [UUID(p.subject) for p in problems]
            if not wrong or look == LOOKS - 1:
                yield from problems
                break
