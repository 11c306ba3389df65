"""The `tongzhou` command: `tongzhou <noun> <verb>`, `--help` with an example everywhere, `--json` for machines.

Results go to stdout, messages and progress to stderr; with ``--json`` stdout is exactly one JSON document, also of a
failure: ``{"error": code, "message", "field", "value", "rule", "fix", "errors": […]}``.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Tongzhou (同舟): an honest social commerce mall.")
err = Console(stderr=True)
out = Console()
DONE, REFUSED, USAGE, STOPPED = 0, 1, 2, 130
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Say the same, write nothing.")]


def boot() -> None:
    """Load Django; every verb but `--help` needs it. What the environment gets wrong is said in one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
    import django
    from django.utils import translation

    try:
        django.setup()
    except (ValueError, OSError, ImportError) as error:  # a setting that cannot be read
        tell(f"The environment cannot be used: {error}")
        tell("docs/operating/environment.md says what each variable takes.")
        _answer_json("environment_unusable", f"The environment cannot be used: {error}")
        raise typer.Exit(REFUSED) from None
    lang = os.environ.get("LC_ALL") or os.environ.get("LANG", "")
    translation.activate("zh-hans" if lang.lower().startswith("zh") else "en")


def say(value: Any) -> None:
    """Exactly one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def tell(text: str) -> None:
    """A message for people, on stderr, as it stands."""
    err.print(text, highlight=False, markup=False, soft_wrap=True)


def show(text: str) -> None:
    """A line of a result for people, on stdout, as it stands."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def misused(text: str) -> typer.Exit:
    """Wrong usage: say so and end with 2."""
    tell(text)
    return typer.Exit(USAGE)


def day(option: str, text: str) -> date:
    """A calendar day of the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise misused(f"{option} takes a date like 2026-07-14, not {text!r}") from None


@contextmanager
def progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for long work; nothing at all where stderr is not a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def main() -> None:
    """Entry point: refusals become one clear message and exit 1; a stack trace never reaches a person."""
    from tongzhou.cli import (  # noqa: F401 - each adds its verbs
        books,
        doctor,
        finding,
        goods,
        history,
        machines,
        payouts,
        plans,
        reports,
        run,
    )

    try:
        code = app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        tell("Stopped; nothing half-done was left.")
        sys.exit(STOPPED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(STOPPED)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except Exception as error:
        sys.exit(_failed(error))
    sys.exit(code if isinstance(code, int) else DONE)


def _failed(error: Exception) -> int:
    """Say what went wrong and how to mend it; the exit code."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError, ProgrammingError

    from tongzhou.kit.refusals import Refusal

    if isinstance(error, Refusal):
        refuse(error)
        _answer_json(
            error.code, error.message, **{k: v for k, v in error.as_dict().items() if k not in ("code", "message")}
        )
        return REFUSED
    if getattr(error, "exit_code", None) is not None:  # click's own usage errors
        error.show()  # type: ignore[attr-defined]
        return USAGE
    if os.environ.get("TONGZHOU_DEBUG"):
        raise error
    if isinstance(error, OperationalError | ProgrammingError | ImproperlyConfigured):
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        tell(f"The database cannot be used: {first}")
        tell("Is it new? Run `tongzhou migrate`. Otherwise `tongzhou doctor` says what is wrong.")
        _answer_json("database_unusable", f"The database cannot be used: {first}")
        return REFUSED
    tell(f"Something went wrong: {type(error).__name__}: {error}")
    tell("Run `tongzhou doctor` for what may be missing; TONGZHOU_DEBUG=1 shows where.")
    _answer_json("unexpected", f"{type(error).__name__}: {error}")
    return REFUSED


def _answer_json(code: str, message: Any, **more: Any) -> None:
    """A verb asked with ``--json`` that fails answers with one document too: the same parts as a refusal of the API."""
    if "--json" in sys.argv:
        parts = {"field": "", "value": "", "rule": "", "fix": "", "errors": [], **more}
        say({"error": code, "message": str(message), **parts})


def refuse(refusal: Any) -> None:
    """A refusal for people: what, which field and value, which rule, how to mend it."""
    tell(f"{refusal.message} ({refusal.code})")
    for e in refusal.errors or (refusal,):
        parts = [f"  {e.field}"] if e.field else []
        if e.value not in (None, ""):
            parts.append(f"= {str(e.value)[:120]}")
        if e is not refusal:
            parts.append(f": {e.message}")
        if parts:
            tell(" ".join(parts))
        if e.rule:
            tell(f"      rule: {e.rule}")
        if e.fix:
            tell(f"      fix:  {e.fix}")
