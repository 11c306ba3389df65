"""Online Retail over an invitation forest of who trusts whom, through the mall, and computed again by a script that
imports nothing of it: both must say the same of every sharer, to the penny. Then a year of it under a draft.
"""

import csv
import json
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import forest, online_retail
from benchmarks.figures import Figure, at_most
from benchmarks.mall import ROOT, Mall, Stop, mall
from benchmarks.retail import PLAN

DRAFT = PLAN.replace("rate_bp = 500", "rate_bp = 400") + "[caps]\nper_order_minor = 5000\nper_month_minor = 100000\n"
FIRST, LAST = "2010-12-01", "2011-11-30"


@dataclass(frozen=True)
class Source:
    """The orders and the graph; ``home`` = a mall that was filled from them before."""

    file: Path
    edges: Path
    keep: bool = False


def run(source: Source) -> list[Figure]:
    """Import, compare, replay a year."""
    with filled(source) as there:
        return [*compare(there), *replay(there)]


def filled(source: Source) -> AbstractContextManager[Mall]:
    """A mall on SQLite with the whole history in it."""
    for path in (source.file, source.edges):
        if not path.exists():
            raise Stop(f"{path} is not there; name it with --file or --edges.")
    return _Filled(source)


class _Filled(AbstractContextManager[Mall]):
    """Fills on entering; throws everything away on leaving."""

    def __init__(self, source: Source) -> None:
        self.source, self.inner = source, mall("sqlite", web_workers=1, keep=source.keep)

    def __enter__(self) -> Mall:
        there = self.inner.__enter__()
        write(self.source, there.folder)
        there.run("tongzhou.cli", "migrate")
        there.run("tongzhou.cli", "plan", "import", str(there.folder / "plan.toml"))
        there.run("tongzhou.cli", "plan", "activate", "retail-5")
        for what in ("members", "orders"):
            there.run("tongzhou.cli", "import", what, str(there.folder / f"{what}.csv"), "--json", allow=(0, 1))
        return there

    def __exit__(self, *error: object) -> None:
        self.inner.__exit__(*error)  # type: ignore[arg-type]


def write(source: Source, folder: Path) -> None:
    """orders.csv, members.csv with the forest, plan.toml, draft.toml."""
    online_retail.main(source.file, folder)
    with (folder / "members.csv").open(encoding="utf-8", newline="") as file:
        joined = {r["member"]: r["joined_at"] for r in csv.DictReader(file)}
    forest.write_members(folder / "members.csv", joined, forest.forest(source.edges, list(joined)))
    (folder / "plan.toml").write_text(PLAN)
    (folder / "draft.toml").write_text(DRAFT)


def compare(there: Mall) -> list[Figure]:
    """The mall's word beside the script's."""
    said = json.loads(there.run("tongzhou.cli", "rewards", "summary", "--by", "sharer", "--json"))
    names = json.loads(there.run("benchmarks.names"))
    mine = {names[g["key"]]: [g["earned_minor"], g["reversed_minor"]] for g in said["groups"]}
    script = [sys.executable, str(ROOT / "benchmarks" / "recompute.py")]
    files = [str(there.folder / f"{n}.csv") for n in ("orders", "members")]
    again = json.loads(subprocess.run([*script, *files], check=True, capture_output=True, text=True).stdout)
    apart = sorted(k for k in mine.keys() | again.keys() if mine.get(k) != again.get(k))
    earned, back = (sum(v[i] for v in again.values()) for i in (0, 1))
    return [
        Figure("golden", "sharers paid", len(again), ""),
        Figure("golden", "earned, taken back", f"{earned / 100:.2f}, {back / 100:.2f}"),
        Figure("golden", "sharers of whom mall and script differ", len(apart), "", "0", not apart),
    ]


def replay(there: Mall) -> list[Figure]:
    """A year under a draft, beside what was in force: how long, and whether "in force" is what was booked."""
    began = time.monotonic()
    text = there.run(
        "tongzhou.cli", "plan", "simulate", str(there.folder / "draft.toml"), "--from", FIRST, "--to", LAST, "--json",
        allow=(0, 1),
    )  # fmt: skip
    took = time.monotonic() - began
    found = json.loads(text)
    booked = int(there.run("benchmarks.names", "accrued", FIRST, LAST))
    return [
        at_most("simulate", f"{found['orders']} orders, {found['lines']} lines under two plans", took, "s", 60),
        Figure("simulate", "in force costs what was booked", found["before"]["cost_minor"] - booked, "", "0",
               found["before"]["cost_minor"] == booked),
        Figure("simulate", "the draft would cost", round(found["after"]["cost_minor"] / 100, 2)),
    ]  # fmt: skip
