"""Payouts and tax on the command line: what rails lack, keys that change, statements, the reconciliation."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from tongzhou.cli.main import REFUSED, Json, app, boot, misused, progress, say, show, tell
from tongzhou.cli.plans import tax

payouts = typer.Typer(
    no_args_is_help=True, help="Rails and keys of payouts. Releasing takes two people, in the console."
)
app.add_typer(payouts, name="payouts")


@payouts.command("rails")
def rails(as_json: Json = False) -> None:
    """Which rails are open, and what of each is missing. Exit 1 when an open rail is not usable.

    Example: tongzhou payouts rails --json
    """
    boot()
    from tongzhou.payouts import queries
    from tongzhou.payouts.rails import RAILS

    now = queries.policy()
    found = [(name, name in now.rails, rail.missing()) for name, rail in RAILS.items()]
    if as_json:
        say({"default": now.rail, "rails": [{"rail": n, "open": o, "missing": m} for n, o, m in found]})
    for name, is_open, missing in found if not as_json else []:
        show(f"{name:10} {'open' if is_open else 'closed'}{' (default)' if name == now.rail else ''}")
        for line in missing:
            show(f"           {line}")
    if any(is_open and missing for _name, is_open, missing in found):
        raise typer.Exit(REFUSED)


@payouts.command("rotate-keys")
def rotate_keys(batch: Annotated[int, typer.Option(help="Rows in one go.", min=1, max=5_000)] = 500) -> None:
    """Re-encrypt payees and bank files with the first of TONGZHOU_DATA_KEYS; goes on where it was interrupted.

    Put the new key first and keep the old ones behind it; remove those once this says that nothing is left.

    Example: tongzhou payouts rotate-keys
    """
    boot()
    from tongzhou.payouts import commands

    total, done = commands.keys_left(), 0
    with progress("re-encrypting") as step:
        while seen := commands.rotate_keys(limit=batch):
            done += seen
            step(done, total)
    tell(f"{done} rows re-encrypted, {commands.keys_left()} left under older keys.")


@tax.command("tables")
def tables(as_json: Json = False) -> None:
    """The dated tables that withholding goes by, with their citations.

    Example: tongzhou tax tables
    """
    from tongzhou.payouts import tax as rules

    if as_json:
        say(rules.tables())
    for kind, rows in rules.tables().items() if not as_json else ():
        for row in rows:
            show(f"{kind:16} {row['valid_from']} to {row.get('valid_until', 'today')}: {row['citation_en']}")


@tax.command("statement")
def statement(
    member: Annotated[str, typer.Argument(help="The member's id.")], year: Annotated[int, typer.Option(help="Which year.")],
    out: Annotated[Path | None, typer.Option(help="Write it as CSV.")] = None, as_json: Json = False,
) -> None:  # fmt: skip
    """A member's year: each payout with its tax and the table it was taken from.

    Example: tongzhou tax statement 0198c6f2-1c3a-7d60-8e2f-6f5f1c1e2a3b --year 2026 --out statement.csv
    """
    boot()
    from dataclasses import asdict

    from tongzhou.kit.money import plain
    from tongzhou.payouts import statements

    try:
        key = UUID(member)
    except ValueError:
        raise misused(f"a member's id looks like 0198c6f2-1c3a-7d60-8e2f-6f5f1c1e2a3b, not {member!r}") from None
    found = statements.statement(key, year)
    if out:
        scratch = out.with_name(out.name + ".part")
        scratch.write_text(statements.statement_csv(found), encoding="utf-8", newline="")
        scratch.replace(out)
    if as_json:
        say(asdict(found))
    else:
        show(f"{year}: {len(found.rows)} payouts, before tax {plain(found.gross_minor)}, income tax "
             f"{plain(found.tax_minor)}, VAT {plain(found.vat_minor)}, received {plain(found.net_minor)}")  # fmt: skip


@tax.command("reconcile")
def reconcile(as_json: Json = False) -> None:
    """Whether every book's withheld tax equals what payouts and remittances recorded. Exit 1 when any does not.

    Example: tongzhou tax reconcile --json
    """
    boot()
    from tongzhou.payouts import proofs, statements

    wrong, standing = list(proofs.tax_reconciles()), statements.standing()
    if as_json:
        say({"ok": not wrong, **standing, "problems": [{"book": p.subject, "message": p.message} for p in wrong]})
    else:
        show("Every book agrees." if not wrong else f"{len(wrong)} books differ.")
        for p in wrong:
            show(f"  {p.subject}: {p.message}")
    if wrong:
        raise typer.Exit(REFUSED)
