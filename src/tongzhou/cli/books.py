"""The ledger: verify, trial balance, seal, export."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from tongzhou.cli.goods import Out
from tongzhou.cli.main import REFUSED, Json, app, boot, day, misused, progress, say, show, tell

ledger = typer.Typer(no_args_is_help=True, help="The books.")
app.add_typer(ledger, name="ledger")


@ledger.command("verify")
def verify(as_json: Json = False) -> None:
    """Prove the books: balances, constraints, reversals, stories, seals. Exit 1 when anything does not hold.

    Example: tongzhou ledger verify --json
    """
    boot()
    from tongzhou.ledger import queries

    with progress("verify") as bar:
        found = queries.verify(lambda name, n, of: bar(n, of))
    if as_json:
        say({"ok": found.ok, "transfers": found.transfers, "postings": found.postings, "books": found.books,
             "sealed_through": found.sealed_through, "checks": found.checks,
             "problems": [{"check": p.check, "subject": p.subject, "message": p.message} for p in found.problems]})  # fmt: skip
    else:
        show(f"{found.transfers} transfers in {found.postings} postings and {found.books} books: "
             + ("every check holds." if found.ok else f"{len(found.problems)} problems."))  # fmt: skip
        for p in found.problems:
            show(f"  {p.check}: {p.subject}: {p.message}")
    if not found.ok:
        raise typer.Exit(REFUSED)


@ledger.command("trial-balance")
def trial_balance(at: Annotated[str, typer.Option(help="As of the end of a day.")] = "", as_json: Json = False) -> None:
    """Every account's debits, credits and balance over all books.

    Example: tongzhou ledger trial-balance --at 2026-06-30
    """
    until = day("--at", at) if at else None
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.money import plain
    from tongzhou.ledger import queries

    moment: datetime | None = clock.day_start(until + timedelta(days=1)) - timedelta(microseconds=1) if until else None
    rows = queries.trial_balance(moment)
    if as_json:
        say({"at": at or None, "accounts": rows, "debits_minor": sum(r["debit_minor"] for r in rows),
             "credits_minor": sum(r["credit_minor"] for r in rows)})  # fmt: skip
        return
    for r in rows:
        show(f"{r['account']:32} {plain(r['balance_minor'], group=True):>18}")


@ledger.command("seal")
def seal(through: Annotated[str, typer.Option(help="The last day to seal.")] = "", as_json: Json = False) -> None:
    """Seal days into the hash chain.

    Example: tongzhou ledger seal --through 2026-06-30
    """
    wanted = day("--through", through) if through else None
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.ledger import commands

    at = clock.now()
    last = wanted or clock.mall_day(at - timedelta(hours=3)) - timedelta(days=1)
    days = commands.seal(through=last, by=Actor("operator", None, "cli"), at=at)
    if as_json:
        say({"sealed": len(days), "through": last.isoformat()})
    else:
        show(f"{len(days)} days sealed through {last}.")


@ledger.command("export")
def export(
    fmt: Annotated[str, typer.Option("--format", help="beancount | hledger | csv")], out: Out, as_json: Json = False
) -> None:
    """All books as plain-text accounting.

    Example: tongzhou ledger export --format beancount --out books.beancount
    """
    boot()
    from tongzhou.kit.refusals import invalid
    from tongzhou.ledger import export as writer

    if fmt not in writer.FORMATS:
        raise misused(f"--format takes {', '.join(writer.FORMATS)}, not {fmt!r}")
    scratch: Path = out.with_name(f".{out.name}.part")
    try:
        with scratch.open("w", encoding="utf-8", newline="") as file:
            count = writer.export(fmt, file)
        scratch.replace(out)
    except OSError as error:
        raise invalid(
            "file_unwritable", "The file cannot be written.", field="out", value=out, rule=error.strerror or ""
        ) from None
    finally:
        if scratch.parent.is_dir():
            scratch.unlink(missing_ok=True)
    if as_json:
        say({"format": fmt, "transfers": count, "out": str(out)})
    else:
        tell(f"{count} transfers written to {out}")
