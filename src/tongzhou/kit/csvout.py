"""Writing CSV files: whole or not at all, and nothing a spreadsheet would run."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import invalid

_RUNS = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """Free text for a cell: an apostrophe in front of what a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_RUNS) else text


def write(out: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a file beside its place and move it there when it is whole; how many rows.

    *Refuses:* ``file_unwritable``.
    """
    scratch, count = out.with_name(f".{out.name}.{new_id().hex}.tmp"), 0
    try:
        with scratch.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for row in rows:
                writer.writerow(row)
                count += 1
        scratch.replace(out)
    except OSError as error:
        raise invalid(
            "file_unwritable", _("写不了这个文件。"), field="out", value=out, rule=error.strerror or "",
            fix=_("换一个能写的位置。"),
        ) from None  # fmt: skip
    finally:
        scratch.unlink(missing_ok=True)
    return count
