"""`make test`: lint, then the tests on SQLite and, when a server is there, on PostgreSQL. `--full` adds the long ones.

A missing PostgreSQL or browser is a visible skip for a user; with CI set it is a failure.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
POSTGRES = os.environ.get("TONGZHOU_TEST_DATABASE_URL") or (
    os.environ["DATABASE_URL"] if os.environ.get("DATABASE_URL", "").startswith("postgres") else ""
)


def run(title: str, command: list[str], **env: str) -> bool:
    """One step with its time; True when it passed."""
    print(f"\n=== {title}", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}).returncode
    print(f"=== {title}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True)
    return code == 0


def pytest(*more: str) -> list[str]:
    """The test command; two workers, because the smallest machine has two cores."""
    return [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", *more]


def reachable() -> bool:
    """Whether the named PostgreSQL answers."""
    if not POSTGRES:
        return False
    import psycopg

    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True


def main() -> int:
    """Everything in order; the exit code says whether all of it passed."""
    full = "--full" in sys.argv
    chosen = [] if full else ["-m", "not slow"]
    home = str(ROOT / "var" / "test")
    passed = [run("lint", [sys.executable, "tools/lint.py"], TONGZHOU_HOME=home)]
    passed.append(
        run("tests on SQLite", pytest(*chosen), TONGZHOU_HOME=home, DATABASE_URL=f"sqlite:///{home}/test.sqlite3")
    )
    if reachable():
        passed.append(run("tests on PostgreSQL", pytest(*chosen), TONGZHOU_HOME=home, DATABASE_URL=POSTGRES))
    elif os.environ.get("CI"):
        print("FAILED: CI needs PostgreSQL (TONGZHOU_TEST_DATABASE_URL)")
        passed.append(False)
    else:
        print("\nSKIPPED: tests on PostgreSQL. Set TONGZHOU_TEST_DATABASE_URL to run them too.")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
