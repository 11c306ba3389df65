"""History: members and orders of an older shop."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tongzhou.cli.goods import Dry, Json, imports, report
from tongzhou.cli.main import boot, err


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


@imports.command("members")
def import_members(file: Path, dry_run: Dry = False, as_json: Json = False) -> None:
    """Members and who invited them: member,inviter,joined_at,name,phone. Twice changes nothing.

    Example: tongzhou import members members.csv --dry-run
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.people import imports as members

    with _bar() as bar:
        task = bar.add_task("members", total=None)
        done = members.run(
            file, by=Actor("import", None, "cli"), at=clock.now(), dry_run=dry_run,
            progress=lambda n, of: bar.update(task, completed=n, total=of),
        )  # fmt: skip
    report(done.as_dict(), as_json=as_json)


@imports.command("orders")
def import_orders(file: Path, plan: str = "", dry_run: Dry = False, as_json: Json = False) -> None:
    """Orders of an older shop (interfaces.md): sales, refunds, adjustments; through the same books. Twice changes nothing.

    Example: tongzhou import orders orders.csv --plan share-10
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.orders import history
    from tongzhou.orders import queries as orders
    from tongzhou.rewards import commands as rewards

    def after(touched: Sequence[UUID], at: datetime) -> None:
        rewards.apply(orders.facts_of(touched, at), at=at)

    with _bar() as bar:
        task = bar.add_task("orders", total=None)
        done = history.run(
            file, by=Actor("import", None, "cli"), at=clock.now(), plan=plan, dry_run=dry_run, after=after,
            progress=lambda n, of: bar.update(task, completed=n, total=of),
        )  # fmt: skip
    if not dry_run:
        rewards.mature_due(at=clock.now())
    body: dict[str, Any] = done.as_dict()
    if not as_json:
        for code, count in done.note_counts.items():
            err.print(f"  {code}: {count}", highlight=False)
    report(body, as_json=as_json)
