"""Search from the command line: its synonyms, its index, what people look for."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from tongzhou.cli.goods import Json, search
from tongzhou.cli.main import USAGE, boot, err, say


@search.command("reindex")
def reindex() -> None:
    """Write every product's search entry anew. May be interrupted and run again.

    Example: tongzhou search reindex
    """
    boot()
    from tongzhou.catalog import commands

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reindex", total=None)
        done = commands.reindex(tell=lambda n, of: bar.update(task, completed=n, total=of))
    err.print(f"{done} products indexed.", highlight=False)


@search.command("synonyms")
def synonyms(
    file: Annotated[Path, typer.Argument(help="One group a line, words by comma; # begins a comment.")],
) -> None:
    """Replace the synonyms by those of a file; nothing is written when a group is refused.

    Example: tongzhou search synonyms synonyms.txt
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        err.print(f"{file} cannot be read as UTF-8 text: {type(error).__name__}", markup=False)
        raise typer.Exit(USAGE) from None
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    groups = [[w.strip() for w in line.replace("，", ",").split(",")] for line in lines if line]
    boot()
    from tongzhou.catalog import commands
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor

    kept = commands.set_synonyms(groups=groups, by=Actor("operator", None, "cli"), at=clock.now())
    err.print(f"{kept} groups in force.", highlight=False)


@search.command("asked")
def asked(
    days: Annotated[int, typer.Option(help="How many days back.", min=1, max=366)] = 30,
    nothing: Annotated[bool, typer.Option("--nothing", help="Only what found nothing.")] = False,
    as_json: Json = False,
) -> None:
    """What people looked for, and how much it found; nobody is named.

    Example: tongzhou search asked --nothing --days 30
    """
    boot()
    from tongzhou.catalog import queries
    from tongzhou.kit import clock

    rows = queries.searches(clock.mall_day(clock.now()) - timedelta(days=days), nothing=nothing)
    if as_json:
        say({"days": days, "searches": [{"query": q, "times": n, "found": f} for q, n, f in rows]})
        return
    for query, times, found in rows:
        err.print(f"{times:>6} × {query}  ({found})", highlight=False, markup=False)
