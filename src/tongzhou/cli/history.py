"""History: members and orders of an older shop, in and out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tongzhou.cli.goods import Out, exports, imports, report
from tongzhou.cli.main import Dry, Json, boot, progress, tell


@imports.command("members")
def import_members(file: Path, dry_run: Dry = False, as_json: Json = False) -> None:
    """Members and who invited them: member,inviter,joined_at,name,phone. Twice changes nothing.

    Example: tongzhou import members members.csv --dry-run
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.people import imports as members

    with progress("members") as bar:
        done = members.run(file, by=Actor("import", None, "cli"), at=clock.now(), dry_run=dry_run, progress=bar)
    report(done.as_dict(), as_json=as_json)


@imports.command("orders")
def import_orders(
    file: Path, plan: Annotated[str, typer.Option(help="Replay under this plan; default: the one in force.")] = "",
    dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Orders of an older shop: sales, refunds, adjustments, through the same books, each at its own time.

    Each day commits whole: an import that was stopped goes on where it was, and twice changes nothing.

    Example: tongzhou import orders orders.csv --plan share-10
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.orders import history
    from tongzhou.orders import queries as orders
    from tongzhou.rewards import commands as rewards

    at = clock.now()
    above = history.Above(
        told=lambda when: rewards.apply(orders.facts_of(when), at=at),
        until=lambda moment: rewards.mature_due(at=at, until=moment),
    )
    with progress("orders") as bar:
        done = history.run(
            file, by=Actor("import", None, "cli"), at=at, plan=plan, dry_run=dry_run, above=above, progress=bar
        )
    if not dry_run:
        rewards.mature_due(at=at)
    body: dict[str, Any] = done.as_dict()
    for code, count in done.note_counts.items() if not as_json else ():
        tell(f"  {code}: {count}")
    report(body, as_json=as_json)


@exports.command("members")
def export_members(out: Out) -> None:
    """Every member with the inviter, as `import members` reads it. Whole phone numbers: keep the file safe.

    Example: tongzhou export members --out members.csv
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.people import exports as members

    tell(f"{members.write(out, by=Actor('operator', None, 'cli'), at=clock.now())} members written to {out}")


@exports.command("orders")
def export_orders(out: Out) -> None:
    """Every paid order and its refunds, line by line, as `import orders` reads it.

    Example: tongzhou export orders --out orders.csv
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.orders import history

    tell(f"{history.export(out, by=Actor('operator', None, 'cli'), at=clock.now())} rows written to {out}")
