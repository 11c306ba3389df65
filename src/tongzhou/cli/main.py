"""The `tongzhou` command: `tongzhou <noun> <verb>`, `--help` with an example everywhere, `--json` for machines."""

import json
import os
import sys
from typing import Any

import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Tongzhou (同舟): an honest social commerce mall.")
err = Console(stderr=True)
DONE, REFUSED, USAGE = 0, 1, 2


def boot() -> None:
    """Load Django; every verb but `--help` needs it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
    import django
    from django.utils import translation

    django.setup()
    lang = os.environ.get("LANG", "")
    translation.activate("zh-hans" if lang.lower().startswith("zh") else "en")


def say(value: Any) -> None:
    """Exactly one JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def main() -> None:
    """Entry point: refusals become one clear message and exit 1; a stack trace never reaches a person."""
    from tongzhou.cli import books, finding, goods, history, plans, reports, run  # noqa: F401 - each adds its verbs
    from tongzhou.kit.refusals import Refusal

    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else DONE)
    except Refusal as refusal:
        refuse(refusal)
        sys.exit(REFUSED)
    except typer.Abort:
        err.print("Stopped; nothing half-done was left.")
        sys.exit(130)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except SystemExit:
        raise
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is not None:  # click's own usage errors
            error.show()  # type: ignore[attr-defined]
            sys.exit(USAGE)
        if os.environ.get("TONGZHOU_DEBUG"):
            raise
        err.print(f"[red]Something went wrong:[/red] {type(error).__name__}: {error}")
        err.print("Run `tongzhou doctor` for what may be missing; TONGZHOU_DEBUG=1 shows where.")
        sys.exit(REFUSED)


def refuse(refusal: Any) -> None:
    """A refusal for people: what, which field and value, which rule, how to mend it."""
    err.print(f"[bold]{refusal.message}[/bold] ({refusal.code})", highlight=False)
    for e in refusal.errors or ((refusal,) if refusal.field else ()):
        parts = [f"  {e.field}"] if e.field else ["  -"]
        if e.value not in (None, ""):
            parts.append(f"= {str(e.value)[:120]}")
        parts.append(f": {e.message}")
        err.print(" ".join(parts), highlight=False, markup=False)
        if e.rule:
            err.print(f"      rule: {e.rule}", highlight=False, markup=False)
        if e.fix:
            err.print(f"      fix:  {e.fix}", highlight=False, markup=False)
    if not refusal.errors and not refusal.field and refusal.fix:
        err.print(f"  {refusal.fix}")
