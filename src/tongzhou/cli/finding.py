"""Search from the command line: its synonyms, its index, what people look for."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from tongzhou.cli.goods import search
from tongzhou.cli.main import Json, boot, misused, progress, say, show


@search.command("reindex")
def reindex() -> None:
    """Write every product's search entry anew. May be interrupted and run again.

    Example: tongzhou search reindex
    """
    boot()
    from tongzhou.catalog import commands

    with progress("reindex") as bar:
        done = commands.reindex(tell=bar)
    show(f"{done} products indexed.")


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
        raise misused(f"{file} cannot be read as UTF-8 text: {type(error).__name__}") from None
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    groups = [[w.strip() for w in line.replace("，", ",").split(",")] for line in lines if line]
    boot()
    from tongzhou.catalog import commands
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor

    kept = commands.set_synonyms(groups=groups, by=Actor("operator", None, "cli"), at=clock.now())
    show(f"{kept} groups in force.")


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
        show(f"{times:>6} × {query}  ({found})")
