"""How figures are shown: one table for people, one JSON document for machines."""

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value; ``target`` is what the project promises itself, ``ok`` whether it holds."""

    benchmark: str
    name: str
    value: float | int | str | None
    unit: str = ""
    target: str = ""
    ok: bool | None = None


def at_least(benchmark: str, name: str, value: float, unit: str, target: float) -> Figure:
    """More is better."""
    return Figure(benchmark, name, round(value, 1), unit, f"≥ {target:g}", value >= target)


def at_most(benchmark: str, name: str, value: float, unit: str, target: float) -> Figure:
    """Less is better."""
    return Figure(benchmark, name, round(value, 1), unit, f"≤ {target:g}", value <= target)


def percentile(ordered: Sequence[float], part: float) -> float:
    """The value below which ``part`` of the ordered values lie."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def machine() -> str:
    """What it ran on, in one line."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}"


def show(figures: Sequence[Figure], *, as_json: bool, on: str) -> int:
    """Print; the exit code is 1 when a target was missed."""
    missed = any(f.ok is False for f in figures)
    if as_json:
        sys.stdout.write(
            json.dumps({"machine": on, "figures": [asdict(f) for f in figures]}, ensure_ascii=False, indent=2) + "\n"
        )
        return int(missed)
    rows = [
        (f.benchmark, f.name, f"{'—' if f.value is None else f.value} {f.unit}".strip(), f.target,
         "" if f.ok is None else "reached" if f.ok else "MISSED")
        for f in figures
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    print(on)
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return int(missed)
