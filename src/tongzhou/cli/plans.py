"""Plans, rewards, tax."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tongzhou.cli.main import REFUSED, Json, app, boot, day, misused, out, progress, say, show

if TYPE_CHECKING:
    from tongzhou.rewards.simulation import Simulation

plan = typer.Typer(no_args_is_help=True, help="Reward plans: check, import, activate.")
rewards = typer.Typer(no_args_is_help=True, help="What sales led to.")
tax = typer.Typer(no_args_is_help=True, help="Withholding.")
app.add_typer(plan, name="plan")
app.add_typer(rewards, name="rewards")
app.add_typer(tax, name="tax")


@plan.command("check")
def check(file: Path, profile: str = "", as_json: Json = False) -> None:
    """What the law says of a plan, with citations. Exit 1 when it may not be activated as it is.

    Example: tongzhou plan check plan.toml --profile CN --json
    """
    boot()
    from django.utils.translation import get_language

    from tongzhou.compliance.values import verdict
    from tongzhou.kit.refusals import invalid
    from tongzhou.plans import commands
    from tongzhou.plans.document import load_document

    document = load_document(_read(file))
    if not document:
        raise invalid(
            "plan_empty", "The file says nothing.", field="file", value=str(file), rule="plan.toml: code, name, [[rewards]] …",
            fix="Start from `tongzhou plan export`, or from the example in the documentation.",
        )  # fmt: skip
    findings = commands.check(document, profile=profile)
    said = verdict(findings)
    language = get_language() or "en"
    rows = [f.as_dict(language) for f in findings]
    if as_json:
        say({"verdict": said, "profile": profile or document.get("profile", "CN"), "findings": rows})
    else:
        show(said)
        for once, places in _grouped(rows):
            show(f"  {once['severity']:6} {once['id']}  {once['message']}")
            show("         " + "\n         ".join(places))
            show(f"         {once['citation']}\n         → {once['fix']}")
    if said in ("BLOCK", "REVIEW"):
        raise typer.Exit(REFUSED)


def _grouped(rows: list[dict[str, str]]) -> list[tuple[dict[str, str], list[str]]]:
    """Findings that say the same are said once, with every place they were found at; in the order of the first."""
    groups: dict[tuple[str, ...], tuple[dict[str, str], list[str]]] = {}
    for row in rows:
        same = tuple(row[k] for k in ("severity", "id", "message", "citation", "fix"))
        groups.setdefault(same, (row, []))[1].append(f"{row['path']} = {row['seen']}")
    return list(groups.values())


def _read(file: Path) -> str:
    from tongzhou.kit.refusals import Refusal, invalid
    from tongzhou.kit.textfile import encoding_of

    try:
        encoding = encoding_of(file)
    except Refusal as refusal:
        if refusal.code not in ("file_binary", "encoding_unknown"):
            raise
        encoding = ""  # its advice is for spreadsheets
    if encoding != "utf-8-sig" or file.stat().st_size > 1_000_000:
        raise invalid(
            "not_toml", "This is not a text file with a plan in TOML.", field="file", value=file.name,
            rule="UTF-8 text of at most 1 MB", fix="Give a plan.toml; `tongzhou plan export` writes one.",
        )  # fmt: skip
    return file.read_text(encoding="utf-8-sig")


@plan.command("import")
def import_plan(file: Path, as_json: Json = False) -> None:
    """Keep a plan file as a draft. An unlawful one may be kept and looked at, not activated.

    Example: tongzhou plan import plan.toml
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.plans import commands

    kept = commands.import_plan(text=_read(file), by=Actor("operator", None, "cli"), at=clock.now())
    if as_json:
        say(commands.as_plain(kept))
    else:
        show(f"{kept.label} is a draft." if kept.status == "DRAFT" else f"{kept.label} is unchanged.")


@plan.command("activate")
def activate(code: str, as_json: Json = False) -> None:
    """Put the draft of a code into force; refused with citations when the law forbids it.

    Example: tongzhou plan activate share-10
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.plans import commands

    now = commands.activate(code=code, by=Actor("operator", None, "cli"), at=clock.now())
    if as_json:
        say(commands.as_plain(now))
    else:
        show(f"{now.label} is in force from {now.effective_at.isoformat()}.")


@plan.command("export")
def export(code: str) -> None:
    """The newest version of a code as TOML on stdout.

    Example: tongzhou plan export share-10 > plan.toml
    """
    boot()
    from tongzhou.kit.refusals import not_found
    from tongzhou.plans import queries

    row = queries.latest(code)
    if row is None:
        raise not_found(f"There is no plan {code}.", code="plan_not_found")
    typer.echo(row.toml, nl=False)


@plan.command("diff")
def compare(before: str, after: str, as_json: Json = False) -> None:
    """What two versions say differently; a version is CODE, CODE@NUMBER, or a plan.toml.

    Example: tongzhou plan diff share-10@1 share-10@2
    """
    boot()
    from tongzhou.plans.diff import diff

    changes = diff(_document(before), _document(after))
    if as_json:
        say([c.as_dict() for c in changes])
        return
    for c in changes:
        typer.echo(f"{c.path}: {'—' if c.before is None else c.before} → {'—' if c.after is None else c.after}")
    if not changes:
        show("They say the same.")


@plan.command("simulate")
def simulate(
    file: Path, since: Annotated[str, typer.Option("--from", help="First day.")],
    until: Annotated[str, typer.Option("--to", help="Last day, included.")], as_json: Json = False,
) -> None:  # fmt: skip
    """Replay the real orders of a period under a draft, beside what was in force: cost, who gains, who loses, the law.

    Example: tongzhou plan simulate plan.toml --from 2026-04-01 --to 2026-06-30 --json
    """
    first_day, last_day = day("--from", since), day("--to", until)
    boot()
    from django.utils.translation import get_language

    from tongzhou.kit import clock
    from tongzhou.plans.document import load_document
    from tongzhou.rewards import simulation

    first, last = clock.day_start(first_day), clock.day_start(last_day + timedelta(days=1))
    document = load_document(_read(file))
    with progress("replay") as bar:
        found = simulation.simulate(document, since=first, until=last, at=clock.now(), progress=lambda n: bar(n, n))
    if as_json:
        say(found.as_dict(get_language() or "en"))
        return
    _show(found)


def _show(found: "Simulation") -> None:
    """The two plans side by side, for people."""
    from rich.table import Table

    from tongzhou.kit.money import format_minor as money

    table = Table(title=f"{found.first} … {found.last}: {found.orders} orders, {money(found.revenue_minor)}")
    for name in ("", "in force", "draft"):
        table.add_column(name, justify="left" if not name else "right")
    both = (found.before, found.after)
    rows: list[tuple[str, list[str]]] = [
        ("cost", [money(s.cost_minor) for s in both]),
        ("after refunds", [money(s.net_minor) for s in both]),
        ("of revenue", [_percent(s.revenue_bp) for s in both]),
        ("of known margin", [_percent(s.margin_bp) for s in both]),
        ("beyond the sharer", [money(s.beyond_1_minor) for s in both]),
        ("for recruiting", [money(s.recruit_minor) for s in both]),
        ("people paid", [str(s.earners) for s in both]),
        ("Gini", [f"0.{s.gini_bp:04d}" if s.gini_bp < 10_000 else "1" for s in both]),
        ("cut by margin, order, month",
         [", ".join(money(c) for c in (s.cut_by_margin_minor, s.cut_by_order_minor, s.cut_by_month_minor)) for s in both]),
    ]  # fmt: skip
    for name, cells in rows:
        table.add_row(name, *cells)
    out.print(table)
    show(f"{found.gainers} gain {money(found.gained_minor)}, {found.losers} lose {money(found.lost_minor)}, "
         f"{found.unchanged} as before. Law: {found.verdict}.")  # fmt: skip
    for f in found.findings:
        show(f"  {f.severity:6} {f.id} {f.path} = {f.seen}: {f.message_en}")


def _percent(bp: int) -> str:
    return f"{bp // 100}.{bp % 100:02d} %"


def _document(name: str) -> "Mapping[str, Any]":
    from tongzhou.plans import queries
    from tongzhou.plans.document import load_document

    if name.endswith(".toml") or "/" in name:
        return load_document(_read(Path(name)))
    document: Mapping[str, Any] = queries.by_label(name).document
    return document


@plan.command("list")
def listing(as_json: Json = False) -> None:
    """All plan versions, newest first.

    Example: tongzhou plan list --json
    """
    boot()
    from tongzhou.plans import queries

    rows = [
        {"code": r.code, "version": r.version, "status": r.status, "name": r.name,
         "effective_at": r.effective_at.isoformat() if r.effective_at else None}
        for r in queries.listing()
    ]  # fmt: skip
    if as_json:
        say(rows)
    for r in rows if not as_json else []:
        show(f"{r['code']} v{r['version']}  {r['status']}  {r['effective_at'] or ''}")


@rewards.command("summary")
def summary(by: Annotated[str, typer.Option(help="sharer | day | plan")] = "", as_json: Json = False) -> None:
    """Earned, reversed, expected, held, available, paid: of the mall, or of each group.

    Example: tongzhou rewards summary --by sharer --json
    """
    if by not in ("", "sharer", "day", "plan"):
        raise misused(f"--by takes sharer, day or plan, not {by!r}")
    boot()
    from dataclasses import asdict

    from tongzhou.kit.money import plain
    from tongzhou.rewards import queries

    total, *groups = queries.summary(by=by)
    if as_json:
        body = {k: v for k, v in asdict(total).items() if k != "key"}
        if by:
            body["groups"] = [asdict(g) for g in groups]
        say(body)
        return
    names = [f.name for f in fields(total) if f.name.endswith("_minor")]
    show("  ".join([f"{by or 'all':36}", *(f"{n.removesuffix('_minor'):>12}" for n in names)]))
    for row in (total, *groups):
        show("  ".join([f"{row.key:36}", *(f"{plain(getattr(row, n)):>12}" for n in names)]))


@tax.command("withhold")
def withhold(
    method: Annotated[str, typer.Option(help="cumulative | one-off")], income: Annotated[str, typer.Option(help="Yuan, by comma.")],
    as_json: Json = False,
) -> None:  # fmt: skip
    """What is withheld from incomes in yuan: month by month (cumulative) or each by itself (one-off).

    Example: tongzhou tax withhold --method cumulative --income 60000,60000,60000,60000 --json
    """
    from tongzhou.payouts import tax as rules

    try:
        minor = [int((Decimal(x.strip()) * 100).to_integral_exact()) for x in income.split(",")]
        if any(m < 0 or m > 10**14 for m in minor) or any(
            Decimal(x.strip()) * 100 != m for x, m in zip(income.split(","), minor, strict=True)
        ):
            raise ValueError
    except (InvalidOperation, ValueError, OverflowError):
        raise misused(f"--income takes amounts of zero or more in yuan, separated by commas, not {income!r}") from None
    if method not in ("cumulative", "one-off"):
        raise misused(f"--method takes cumulative or one-off, not {method!r}")
    held = rules.cumulative(minor) if method == "cumulative" else [rules.one_off(m) for m in minor]
    if as_json:
        say({"method": method, "withheld_minor": held})
    else:
        show(", ".join(f"{h // 100}.{h % 100:02d}" for h in held))
