"""Goods: import, export, search."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tongzhou.cli.main import REFUSED, Dry, Json, app, boot, misused, progress, say, show, tell

imports = typer.Typer(no_args_is_help=True, help="Take files in.")
exports = typer.Typer(no_args_is_help=True, help="Write files.")
search = typer.Typer(no_args_is_help=True, help="Find things.")
app.add_typer(imports, name="import")
app.add_typer(exports, name="export")
app.add_typer(search, name="search")
Out = Annotated[Path, typer.Option("--out", help="The file to write; it appears whole or not at all.")]


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
    from tongzhou.kit.refusals import Refusal

    try:
        with progress("products") as bar:
            done = commands.import_products(
                file, fmt, supplier, dry_run, by=Actor("import", None, "cli"), at=clock.now(), progress=bar
            )
    except Refusal as refusal:
        if refusal.code == "format_unknown":
            raise misused(f"--format takes {refusal.rule}, not {fmt!r}") from None
        raise
    told = () if as_json else _next(done.created, fmt, supplier, dry_run=dry_run)
    report(done.as_dict(), as_json=as_json, told=told)


def _next(created: int, fmt: str, supplier: str, *, dry_run: bool) -> tuple[str, ...]:
    """Where new products are and what comes next; our own format says itself what is published."""
    if not created or fmt == "tongzhou":
        return ()
    from django.conf import settings

    arrive = "would arrive" if dry_run else "arrived"
    return (
        f"{created} new products {arrive} as drafts under supplier {supplier}; shoppers do not see drafts.",
        f"  Price and publish them: {settings.SITE_URL}/console/products?view=draft",
        "  Or by file: tongzhou export products --out goods.csv, fill in prices and status PUBLISHED, then",
        "              tongzhou import products goods.csv --format tongzhou",
    )


def report(summary: dict[str, object], *, as_json: bool, told: tuple[str, ...] = ()) -> None:
    """A summary for machines or people; exit 1 when something was refused."""
    if as_json:
        say(summary)
    else:
        rows = [r for k in ("refusals", "notes", "problems") for r in _rows(summary.get(k))]
        for row in rows[:50]:
            tell(f"  line {row.get('line')}: {row.get('column', '')} = {row.get('value', '')!s}: "
                 f"{row.get('reason', '')} {row.get('fix', '')}")  # fmt: skip
        if len(rows) > 50:
            tell(f"  … and {len(rows) - 50} more; --json lists them")
        if summary.get("dry_run"):
            tell("Dry run: nothing was written.")
        show("  ".join(f"{k} {summary.get(k, 0)}" for k in ("read", "created", "updated", "unchanged", "refused")))
        for line in told:
            tell(line)
    if summary.get("refused"):
        raise typer.Exit(REFUSED)


def _rows(value: object) -> list[dict[str, Any]]:
    return [r for r in value if isinstance(r, dict)] if isinstance(value, list | tuple) else []


@exports.command("products")
def export_products(out: Out) -> None:
    """Every product in our own format; importing it again changes nothing.

    Example: tongzhou export products --out goods.csv
    """
    boot()
    from tongzhou.catalog import commands

    tell(f"{commands.export_products(out)} products written to {out}")


@search.command("products")
def search_products(
    query: str, limit: Annotated[int, typer.Option(min=1, max=1000)] = 24, as_json: Json = False
) -> None:  # fmt: skip
    """Published products holding every word of the query, best first.

    Example: tongzhou search products 茶 --limit 5 --json
    """
    boot()
    from tongzhou.catalog import queries
    from tongzhou.kit import clock
    from tongzhou.kit.money import plain
    from tongzhou.plans import queries as plans

    force = plans.in_force(clock.now())
    found = queries.search(query, discount_bp=force.plan.member_price.discount_bp if force else 0, limit=limit)
    items: list[dict[str, Any]] = [
        {"id": str(c.id), "slug": c.slug, "title": c.title, "price_minor": c.price_minor} for c in found.items
    ]
    if as_json:
        say({"query": query, "count": found.count, "items": items})
        return
    for item in items:
        show(f"{plain(item['price_minor']):>10}  {item['title']}  ({item['slug']})")
    tell(f"{found.count} found")
