"""Goods and members: import, export, search."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from tongzhou.cli.main import REFUSED, app, boot, err, say

imports = typer.Typer(no_args_is_help=True, help="Take files in.")
exports = typer.Typer(no_args_is_help=True, help="Write files.")
search = typer.Typer(no_args_is_help=True, help="Find things.")
app.add_typer(imports, name="import")
app.add_typer(exports, name="export")
app.add_typer(search, name="search")
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say the same, write nothing.")]


@imports.command("products")
def import_products(
    file: Path, fmt: Annotated[str, typer.Option("--format", help="shopify | woocommerce | tongzhou")], supplier: str = "import",
    dry_run: Dry = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Products from a file. Rows that cannot be taken are reported; the rest goes on; twice changes nothing.

    Example: tongzhou import products goods.csv --format shopify --supplier BEITIAN --dry-run
    """
    boot()
    from tongzhou.catalog import commands
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("products", total=None)
        done = commands.import_products(
            file, fmt, supplier, dry_run, by=Actor("import", None, "cli"), at=clock.now(),
            progress=lambda n, of: bar.update(task, completed=n, total=of),
        )  # fmt: skip
    report(done.as_dict(), as_json=as_json)


def report(summary: dict[str, object], *, as_json: bool) -> None:
    """A summary for machines or people; exit 1 when something was refused."""
    if as_json:
        say(summary)
    else:
        counts = ("read", "created", "updated", "unchanged", "refused")
        err.print("  ".join(f"{k} {summary.get(k, 0)}" for k in counts), highlight=False)
        rows = next((summary[k] for k in ("refusals", "notes", "problems") if summary.get(k)), [])
        for row in rows if isinstance(rows, list | tuple) else []:
            err.print(f"  line {row.get('line')}: {row.get('column', '')} = {row.get('value', '')!s}: {row.get('reason', '')} {row.get('fix', '')}",
                      highlight=False, markup=False)  # fmt: skip
    if summary.get("refused"):
        raise typer.Exit(REFUSED)


@exports.command("products")
def export_products(out: Annotated[Path, typer.Option("--out")]) -> None:
    """Every product in our own format; importing it again changes nothing.

    Example: tongzhou export products --out goods.csv
    """
    boot()
    from tongzhou.catalog import commands

    err.print(f"{commands.export_products(out)} rows written to {out}")


@search.command("products")
def search_products(query: str, limit: int = 24, as_json: Json = False) -> None:
    """Published products holding every word of the query, best first.

    Example: tongzhou search products 茶 --limit 5 --json
    """
    boot()
    from tongzhou.catalog import queries
    from tongzhou.kit import clock
    from tongzhou.kit.money import plain
    from tongzhou.plans import queries as plans

    force = plans.in_force(clock.now())
    found = queries.search(
        query, discount_bp=force.plan.member_price.discount_bp if force else 0, limit=max(1, min(limit, 1000))
    )
    items: list[dict[str, Any]] = [
        {"id": str(c.id), "slug": c.slug, "title": c.title, "price_minor": c.price_minor} for c in found.items
    ]
    if as_json:
        say({"query": query, "count": found.count, "items": items})
        return
    for item in items:
        err.print(f"{plain(item['price_minor']):>10}  {item['title']}  ({item['slug']})", highlight=False, markup=False)
    err.print(f"{found.count} found")
