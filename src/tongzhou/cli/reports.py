"""The ledger's reports: profit and loss, what is owed and how old it is, the rows behind a figure."""

from datetime import timedelta
from typing import Annotated

import typer

from tongzhou.cli.books import ledger
from tongzhou.cli.main import Json, boot, day, misused, say, show

From = Annotated[str, typer.Option("--from", help="First day (YYYY-MM-DD).")]
To = Annotated[str, typer.Option("--to", help="Last day (YYYY-MM-DD).")]


@ledger.command("profit")
def profit(since: From, until: To, as_json: Json = False) -> None:
    """Income and expense of a period by what happened in it: revenue is earned when goods arrive.

    Example: tongzhou ledger profit --from 2026-06-01 --to 2026-06-30
    """
    first, last = day("--from", since), day("--to", until)
    if last < first:
        raise misused(f"--to {last} lies before --from {first}")
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.money import plain
    from tongzhou.ledger import queries

    found = queries.profit_and_loss(clock.day_start(first), clock.day_start(last + timedelta(days=1)))
    if as_json:
        say({"from": since, "to": until, "income": dict(found.income), "expense": dict(found.expense),
             "income_minor": found.income_minor, "expense_minor": found.expense_minor,
             "profit_minor": found.profit_minor})  # fmt: skip
        return
    for account, amount in (*found.income, *[(a, -n) for a, n in found.expense], ("profit", found.profit_minor)):
        show(f"{account:32} {plain(amount, group=True):>18}")


@ledger.command("owed")
def owed(as_json: Json = False) -> None:
    """Every liability and receivable that stands now, by age, first in first out within each book.

    Example: tongzhou ledger owed --json
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.money import plain
    from tongzhou.ledger import queries

    rows = queries.owed_by_age(clock.now())
    names = [f"up to {d} days" for d in queries.AGES] + ["older"]
    if as_json:
        say({"ages": names, "accounts": [{"account": r.account, "total_minor": r.total_minor, "by_age_minor": r.by_age}
                                         for r in rows]})  # fmt: skip
        return
    show(f"{'':32} {'total':>14} " + " ".join(f"{n:>14}" for n in names))
    for r in rows:
        figures = " ".join(f"{plain(n, group=True):>14}" for n in (r.total_minor, *r.by_age))
        show(f"{r.account:32} {figures}")


@ledger.command("behind")
def behind(
    account: Annotated[str, typer.Argument(help="An account of the chart, e.g. reward.held")],
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Json = False,
) -> None:  # fmt: skip
    """The transfers behind an account's figure, newest first.

    Example: tongzhou ledger behind suspense.payments
    """
    boot()
    from tongzhou.kit.money import plain
    from tongzhou.ledger import chart, queries

    try:
        chart.entry(account)
    except KeyError:
        raise misused(
            f"the chart of accounts has no {account!r}; `tongzhou ledger trial-balance` names those in use"
        ) from None
    rows = queries.behind(account, limit=limit)
    if as_json:
        say({"account": account, "balance_minor": queries.total(account),
             "rows": [{"book": b, "posting": x.posting_id, "kind": x.kind, "reference": x.reference, "story": x.story_id,
                       "effective_at": x.effective_at.isoformat(), "debit": x.debit, "credit": x.credit,
                       "amount_minor": x.amount} for b, x in rows]})  # fmt: skip
        return
    for _book, x in rows:
        show(f"{x.effective_at:%Y-%m-%d} {x.kind:18} {x.debit} → {x.credit} {plain(x.amount, group=True):>14}")
