"""``python -m tongzhou.sandbox --port 8001``: the counterparty as a process of its own."""

import argparse
import os
from pathlib import Path

from werkzeug.serving import make_server

from tongzhou.sandbox.app import create_app
from tongzhou.sandbox.notifier import Notifier
from tongzhou.sandbox.records import Records


def main() -> None:
    """Serve until stopped. Refuses to start in production."""
    parser = argparse.ArgumentParser(prog="python -m tongzhou.sandbox")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("TONGZHOU_HOME", "var")))
    options = parser.parse_args()
    if os.environ.get("TONGZHOU_ENV") == "production":
        raise SystemExit("The sandbox counterparty does not start when TONGZHOU_ENV=production.")
    secret = os.environ.get("TONGZHOU_SANDBOX_SECRET") or (options.home / "sandbox.key").read_text().strip()
    records = Records(options.home / "sandbox.sqlite3")
    notifier = Notifier(records, secret)
    notifier.start()
    server = make_server("127.0.0.1", options.port, create_app(records, secret, notifier), threaded=True)
    try:
        server.serve_forever()
    finally:
        notifier.stop()


if __name__ == "__main__":
    main()
