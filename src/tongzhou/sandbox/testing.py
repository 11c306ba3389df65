"""The counterparty for tests: on a free port, in a thread, with its own temporary records."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from werkzeug.serving import make_server

from tongzhou.sandbox.app import create_app
from tongzhou.sandbox.notifier import Notifier
from tongzhou.sandbox.records import Records


@contextmanager
def running(home: Path, secret: str) -> Iterator[tuple[str, Notifier]]:
    """Yield (address, notifier) of a running counterparty; notifications go out when ``deliver_due`` is called."""
    records = Records(home / "sandbox.sqlite3")
    notifier = Notifier(records, secret)
    server = make_server("127.0.0.1", 0, create_app(records, secret, notifier), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", notifier
    finally:
        server.shutdown()
        thread.join(timeout=5)
