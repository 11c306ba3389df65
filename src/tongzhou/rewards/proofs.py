"""`ledger verify`, law 9, for rewards: each stands where its frozen rule and its line say, computed again."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Problem
from tongzhou.orders import queries as sold
from tongzhou.rewards.commands import facts_of, rule_of
from tongzhou.rewards.models import Reward
from tongzhou.rewards.values import Outcome

BATCH = 500
LOOKS = 3
OURS = ("prepaid.rewards", "reward.expected", "reward.held")
BP = 10_000


def rewards_recomputed() -> Iterable[Problem]:
    """Amount and stage of every reward; the line it was taken from; and no such money elsewhere."""
    last: UUID | None = None
    while True:
        rows = Reward.objects.order_by("id")
        ids = list((rows.filter(id__gt=last) if last else rows).values_list("id", flat=True)[:BATCH])
        if not ids:
            break
        last = ids[-1]
        problems: list[Problem] = []
        for _look in range(LOOKS):  # the mall goes on meanwhile: only what stays wrong is a problem
            problems = list(_wrong(ids))
            ids = [UUID(p.subject) for p in problems]
            if not ids:
                break
        yield from problems
    for story in books.stories_apart(OURS, Reward.objects.values("story_id")):
        yield Problem("rewards_recomputed", str(story), "money of a reward that does not exist")


def _wrong(ids: Sequence[UUID]) -> Iterator[Problem]:
    rows = list(Reward.objects.filter(id__in=ids))
    told = books.standing_many([(r.sharer_id, r.story_id) for r in rows])
    lines = sold.lines_by_id([r.line_id for r in rows])
    for row in rows:
        have = {a: n for a, n in told[row.sharer_id, row.story_id].items() if n}
        if (
            row.matured_at and row.disputed == "open"
        ):  # a chargeback holds back what was still there: part of what matured
            have["reward.available"] = have.get("reward.available", 0) + have.pop("reward.held", 0)
        available, owed = have.pop("reward.available", 0), have.pop("receivable.clawback.reward", 0)
        if available != owed:  # a credit may have netted what other rewards owed: the two count as one
            have["reward.available"] = available - owed
        due = standing(row)
        stage = ("prepaid.rewards", "reward.expected") if row.delivered_at is None else (
            ("expense.rewards", "reward.held" if row.matured_at is None else "reward.available")
        )  # fmt: skip
        want = dict.fromkeys(stage, due) if due else {}
        if have != want:
            yield Problem("rewards_recomputed", str(row.id), f"the books say {have}, its rule says {want}")
            continue
        line = lines.get(row.line_id)
        if line and line.version == row.line_version and (
            line.refunded_minor != row.refunded_minor or bool(line.delivered_at) != bool(row.delivered_at)
            or line.disputed != row.disputed
        ):  # fmt: skip
            yield Problem("rewards_recomputed", str(row.id), "was not brought to where its line is")


def standing(row: Reward) -> int:
    """min(rule on what was really paid and kept, the frozen ceiling): the prose of money.md, written out again.

    Nothing stands of a reward that risk refused, nor of one whose payment a bank took back.
    """
    if row.verdict == Outcome.REFUSE or row.disputed == "lost":
        return 0
    rule, line, m = rule_of(row), facts_of(row), row.refunded_minor
    n, p = line.amount_minor, line.points_minor
    whole = n - p
    kept = whole - (m - (p * m // n if n else 0))
    if rule.base == "fixed" or rule.amount_minor:
        amount = rule.amount_minor * kept // whole if whole else 0
    elif rule.base == "list_price":
        amount = (line.list_minor * kept // whole if whole else 0) * rule.rate_bp // BP
    elif rule.base == "margin":
        margin = max(0, whole - line.cost_minor) if line.cost_minor is not None else 0
        amount = (margin * kept // whole if whole else 0) * rule.rate_bp // BP
    else:
        amount = kept * rule.rate_bp // BP
    return min(amount, row.cap_minor)
