"""The whole of UCI Online Retail through ``tongzhou import`` on SQLite: members, invitations, orders, refunds, rewards."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import online_retail
from benchmarks.figures import Figure, at_most
from benchmarks.mall import Mall, Stop, mall

PLAN = """
code = "retail-5"
name = "Retail 5%"
settle_days = 15
lock_days = 30
[attribution]
model = "binding_first"
window_days = 30
protection_days = 0
[[rewards]]
rate_bp = 500
"""


@dataclass(frozen=True)
class Source:
    """Where the data lies, and the plan its orders run under."""

    file: Path
    keep: bool = False


def run(source: Source) -> list[Figure]:
    """Import everything, and again: the second time changes nothing; then prove the books."""
    if not source.file.exists():
        raise Stop(
            f"{source.file} is not there. Get UCI Online Retail (CC BY 4.0) as a gzipped CSV and name it with --file."
        )
    with mall("sqlite", web_workers=1, keep=source.keep) as there:
        online_retail.main(source.file, there.folder)
        (there.folder / "plan.toml").write_text(PLAN)
        there.run("tongzhou.cli", "migrate")
        there.run("tongzhou.cli", "plan", "import", str(there.folder / "plan.toml"))
        there.run("tongzhou.cli", "plan", "activate", "retail-5")
        began = time.monotonic()
        _import(there, "members")
        members = time.monotonic() - began
        first = _import(there, "orders")
        took = time.monotonic() - began
        began = time.monotonic()
        second = _import(there, "orders")
        again = time.monotonic() - began
        verified = json.loads(there.run("tongzhou.cli", "ledger", "verify", "--json"))
        if not verified.get("ok"):
            raise Stop(f"The ledger does not verify: {verified}")
        counts = ", ".join(f"{k} {first[k]}" for k in ("read", "created", "refused"))
        return [
            at_most("retail", "members and orders imported in", took / 60, "min", 10),
            Figure("retail", "  members alone", round(members, 1), "s"),
            Figure("retail", "documents", counts),
            Figure("retail", "again: created", int(str(second["created"])), "", "0", second["created"] == 0),
            Figure("retail", "again, in", round(again, 1), "s"),
            Figure("retail", "ledger verify", f"{verified['postings']} postings, {verified['transfers']} transfers", "", "holds", True),
        ]  # fmt: skip


def _import(there: Mall, what: str) -> dict[str, object]:
    """One import; refused rows are part of the data, so its exit code may say so."""
    text = there.run("tongzhou.cli", "import", what, str(there.folder / f"{what}.csv"), "--json", allow=(0, 1))
    answer: dict[str, object] = json.loads(text)
    return answer
