"""The ledger: verify, trial balance, seal, export."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from tongzhou.cli.goods import Json
from tongzhou.cli.main import REFUSED, USAGE, app, boot, err, say

ledger = typer.Typer(no_args_is_help=True, help="The books.")
app.add_typer(ledger, name="ledger")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        err.print(f"a date looks like 2026-07-14, not {text!r}")
        raise typer.Exit(USAGE) from None


@ledger.command("verify")
def verify(as_json: Json = False) -> None:
    """Prove the books: balances, constraints, reversals, stories, seals. Exit 1 when anything does not hold.

    Example: tongzhou ledger verify --json
    """
    boot()
    from tongzhou.ledger import queries

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("verify", total=None)
        found = queries.verify(lambda name, n, of: bar.update(task, description=name, completed=n, total=of))
    if as_json:
        say({"ok": found.ok, "transfers": found.transfers, "postings": found.postings, "books": found.books,
             "sealed_through": found.sealed_through, "checks": found.checks,
             "problems": [{"check": p.check, "subject": p.subject, "message": p.message} for p in found.problems]})  # fmt: skip
    else:
        err.print(f"{found.transfers} transfers in {found.postings} postings and {found.books} books: "
                  + ("every check holds." if found.ok else f"{len(found.problems)} problems."))  # fmt: skip
        for p in found.problems:
            err.print(f"  {p.check}: {p.subject}: {p.message}", markup=False)
    if not found.ok:
        raise typer.Exit(REFUSED)


@ledger.command("trial-balance")
def trial_balance(at: Annotated[str, typer.Option(help="As of the end of a day.")] = "", as_json: Json = False) -> None:
    """Every account's debits, credits and balance over all books.

    Example: tongzhou ledger trial-balance --at 2026-06-30
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.money import plain
    from tongzhou.ledger import queries

    moment: datetime | None = clock.day_start(_day(at) + timedelta(days=1)) - timedelta(microseconds=1) if at else None
    rows = queries.trial_balance(moment)
    if as_json:
        say({"at": at or None, "accounts": rows, "debits_minor": sum(r["debit_minor"] for r in rows),
             "credits_minor": sum(r["credit_minor"] for r in rows)})  # fmt: skip
        return
    for r in rows:
        err.print(f"{r['account']:32} {plain(r['balance_minor'], group=True):>18}", highlight=False)


@ledger.command("seal")
def seal(through: Annotated[str, typer.Option(help="The last day to seal.")] = "") -> None:
    """Seal days into the hash chain.

    Example: tongzhou ledger seal --through 2026-06-30
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.ledger import commands

    at = clock.now()
    day = _day(through) if through else clock.mall_day(at - timedelta(hours=3)) - timedelta(days=1)
    days = commands.seal(through=day, by=Actor("operator", None, "cli"), at=at)
    err.print(f"{len(days)} days sealed through {day}.")


@ledger.command("export")
def export(
    fmt: Annotated[str, typer.Option("--format", help="beancount | hledger | csv")], out: Annotated[Path, typer.Option("--out")]
) -> None:  # fmt: skip
    """All books as plain-text accounting.

    Example: tongzhou ledger export --format beancount --out books.beancount
    """
    boot()
    from tongzhou.ledger import export as writer

    if fmt not in writer.FORMATS:
        err.print(f"--format takes {', '.join(writer.FORMATS)}, not {fmt!r}")
        raise typer.Exit(USAGE)
    scratch = out.with_name(out.name + ".part")
    with scratch.open("w", encoding="utf-8", newline="") as file:
        count = writer.export(fmt, file)
    scratch.replace(out)
    err.print(f"{count} transfers written to {out}")
