"""`ledger verify` over many transfers: ``python -m benchmarks.verify [TRANSFERS]`` on the PostgreSQL of
``DATABASE_URL``, which must be empty. Fills the books by set, in the shapes the mall writes (a capture, a delivery of
three legs, a reward in a second book), then proves them.
"""

import json
import os
import sys
import time

BOOKS = 20_000
FILL = """
INSERT INTO ledger_posting (id, book_id, kind, reference, input_hash, story_id, effective_at, recorded_at, actor, plan_version)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, ('10000000-0000-7000-8000-' || lpad(to_hex(n %% {books}), 12, '0'))::uuid,
  'capture', 'r' || n, '', ('20000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now() - interval '2 days',
  now() - interval '2 days', 'system', '' FROM generate_series(1, {postings}) n;
INSERT INTO ledger_transfer (id, book_id, posting_id, story_id, seq, debit, credit, amount, cites, reversed)
SELECT gen_random_uuid(), p.book_id, p.id, p.story_id, s.seq, s.debit, s.credit, s.amount, NULL, 0 FROM ledger_posting p,
  (VALUES (0, 'gateway.sandbox', 'deposit.orders', 9300), (1, 'deposit.orders', 'revenue.goods', 8500),
          (2, 'deposit.orders', 'revenue.freight', 800), (3, 'expense.rewards', 'reward.held', 500)) AS s(seq, debit, credit, amount);
INSERT INTO ledger_book (id, kind) SELECT DISTINCT book_id, 'member' FROM ledger_posting;
INSERT INTO ledger_balance (id, book_id, account, normal, constrained, debits, credits)
SELECT gen_random_uuid(), book_id, account, CASE WHEN account IN ('gateway.sandbox', 'expense.rewards') THEN 1 ELSE -1 END,
  account IN ('deposit.orders', 'reward.held'), SUM(d), SUM(c) FROM (
    SELECT book_id, debit AS account, amount AS d, 0 AS c FROM ledger_transfer
    UNION ALL SELECT book_id, credit, 0, amount FROM ledger_transfer) m GROUP BY book_id, account;
ANALYZE;
"""
LEDGER = (
    "balances_are_sums", "books_balance", "constraints_hold", "postings_whole", "reversals", "stories_sum_to_zero",
    "one_receivable", "seals",
)  # fmt: skip


def main() -> None:
    """Fill, prove, print how long each proof took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tongzhou.config.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tongzhou.ledger import queries as books
    from tongzhou.ledger.models import Transfer

    transfers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    call_command("migrate", verbosity=0)
    if Transfer.objects.exists():
        raise SystemExit("the database is not empty")
    with connection.cursor() as cursor:
        for statement in FILL.format(books=BOOKS, postings=transfers // 4).split(";\n"):
            if statement.strip():
                cursor.execute(statement, [])
    stages: list[tuple[str, float]] = []
    began = time.monotonic()
    report = books.verify(lambda name, n, of: stages.append((name, time.monotonic())), only=LEDGER)
    ended = time.monotonic()
    ends = [at for _name, at in stages[1:]] + [ended]
    took = {name: round(end - at, 2) for (name, at), end in zip(stages, ends, strict=True)}
    json.dump(
        {"transfers": report.transfers, "ok": report.ok, "seconds": round(ended - began, 2), "target_s": 30, "checks": took,
         "problems": [p.message for p in report.problems[:5]]},
        sys.stdout, indent=2,
    )  # fmt: skip


if __name__ == "__main__":
    main()
