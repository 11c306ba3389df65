"""Where the README's figures come from: ``python -m benchmarks --help``, ``make bench``.

Everything is measured on a throw-away mall of real processes: web, worker, the sandbox bank and,
for the order flow, a PostgreSQL of its own with the durability it ships with. What each figure
means, and what limits it: docs/operating/performance.md.
"""
