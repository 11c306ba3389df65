"""`make lint`: ruff, djade, import-linter, mypy, translations. All run; the exit code says whether all passed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
TEMPLATES = [str(p) for p in (ROOT / "src").rglob("templates/**/*.html") if "sandbox" not in p.parts]
CHECKS = [
    [str(BIN / "ruff"), "check", "src", "tests", "tools", "benchmarks", "conftest.py"],
    [str(BIN / "ruff"), "format", "--check", "src", "tests", "tools", "benchmarks", "conftest.py"],
    [str(BIN / "djade"), "--check", "--target-version", "5.2", *TEMPLATES],
    [str(BIN / "lint-imports"), "--no-cache"],
    [str(BIN / "mypy")],
    [sys.executable, "tools/messages.py", "check"],
]


def main() -> int:
    """Run every check and say which failed."""
    failed = []
    for command in CHECKS:
        name = Path(command[0]).name + (f" {command[1]}" if len(command) > 1 and not command[1].startswith("-") else "")
        print(f"— {name}", flush=True)
        if subprocess.run(command, cwd=ROOT).returncode:
            failed.append(name)
    print("lint: " + (", ".join(failed) + " failed" if failed else "all passed"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
