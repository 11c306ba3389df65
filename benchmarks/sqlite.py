"""SQLite under eight writers: eight web processes place orders at the same time, the worker books their rewards."""

from benchmarks.figures import Figure
from benchmarks.mall import mall
from benchmarks.orders import WARM, Books, Options, filled, prove, stretch

LOCKED = "database is locked"


def run(options: Options) -> list[Figure]:
    """Orders per second, and how often somebody was told that the database is locked."""
    orders = min(options.orders, 800)
    with mall("sqlite", web_workers=8, keep=options.keep) as there:
        spec = filled(there, options, WARM + orders)
        there.start()
        books = Books(there)
        stretch(there, books, spec, 0, WARM, options.clients)
        main = stretch(there, books, spec, WARM, orders, options.clients)
        prove(there, books, WARM + orders)
        locked = sum(there.log(role).count(LOCKED) for role in ("web", "worker"))
        cost = sum(main.cpu.values()) / main.done * 1000
        return [
            Figure("sqlite", "'database is locked' under 8 writers", locked, "", "0", locked == 0),
            Figure("sqlite", "orders per second", round(main.done / main.seconds, 1)),
            Figure("sqlite", "CPU per order", round(cost, 1), "ms"),
        ]
