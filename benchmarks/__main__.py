"""``python -m benchmarks``: measure, print one table. Each benchmark runs alone, too."""

import argparse
import sys
from pathlib import Path

from benchmarks import golden, orders, pages, retail, sqlite
from benchmarks.figures import Figure, machine, show
from benchmarks.mall import ROOT, Stop

ALL = ("orders", "pages", "sqlite", "first-page")
HELP = """\
  orders      the order flow over HTTP until its rewards are in the ledger: orders/s, CPU, SQL statements
  pages       the list of 24 and the product page for a visitor with a session: requests/s, p50, p95
  sqlite      eight web processes placing orders on one SQLite file: no 'database is locked'
  retail      UCI Online Retail, 541,909 lines, imported on SQLite; needs --file
  golden      the same over an invitation forest, beside a script that imports nothing of the mall; a year simulated
  first-page  bytes of a first visit without pictures
Without a name: all but retail and golden. By themselves: benchmarks.accrual, benchmarks.verify. Exit 0: every target reached, 1: one missed, 2: could not be measured."""


def main() -> int:
    """Parse, measure, show."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Where the README's figures come from.", epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("which", nargs="*", metavar="NAME", help="which to run (see below)")
    parser.add_argument("--orders", type=int, default=2000, help="orders to measure (default 2000)")
    parser.add_argument("--clients", type=int, default=8, help="concurrent clients (default 8)")
    parser.add_argument("--skus", type=int, default=1000, help="goods in the mall (default 1000)")
    parser.add_argument(
        "--database-url", default="", help="an empty database to use instead of a throw-away PostgreSQL"
    )
    parser.add_argument(
        "--file", type=Path, default=ROOT.parent / "shared/data/online_retail.csv.gz", help="for retail"
    )
    parser.add_argument(
        "--edges",
        type=Path,
        default=ROOT.parent / "shared/data/trust_graph/edges.csv",
        help="who trusts whom, for golden",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--keep", action="store_true", help="keep the mall's folder with its logs")
    given = parser.parse_args()
    unknown = set(given.which) - {*ALL, "retail", "golden"}
    if unknown or given.orders < 1 or given.clients < 1 or given.skus < 50:
        parser.error(
            f"no such benchmark: {', '.join(sorted(unknown))}" if unknown else "orders, clients ≥ 1; skus ≥ 50"
        )
    options = orders.Options(given.orders, given.clients, given.skus, given.database_url, given.keep)
    runs = {
        "orders": lambda: orders.run(options), "pages": lambda: pages.run(options), "sqlite": lambda: sqlite.run(options),
        "first-page": lambda: pages.first_page(options),
        "golden": lambda: golden.run(golden.Source(given.file, given.edges, given.keep)),
        "retail": lambda: retail.run(retail.Source(given.file, given.keep)),
    }  # fmt: skip
    on, figures = machine(), list[Figure]()
    try:
        for name in given.which or ALL:
            print(f"{name} …", file=sys.stderr, flush=True)
            figures += runs[name]()
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 2
    return show(figures, as_json=given.json, on=on)


if __name__ == "__main__":
    sys.exit(main())
