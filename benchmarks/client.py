"""The load client: a lean process of its own that speaks HTTP over plain sockets.

It also is the bank: it signs the notifications of its payments itself, as the counterparty would,
with the sandbox's own signing. Started by ``benchmarks.mall.client`` with a file that says what to do.
"""

import json
import random
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Headers = dict[str, str]


class Http:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.link = self._connect()

    def _connect(self) -> socket.socket:
        link = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def send(self, method: str, path: str, headers: Headers, body: bytes = b"") -> tuple[int, bytes]:
        """One request; status and body of its answer."""
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        raw = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        self.link.sendall(raw.encode() + body)
        got = self.link.recv(65536)
        while b"\r\n\r\n" not in got:
            more = self.link.recv(65536)
            if not more:
                raise ConnectionError("the web closed the connection")
            got += more
        top, _sep, content = got.partition(b"\r\n\r\n")
        low = top.lower()
        at = low.index(b"content-length:") + 15
        length = int(low[at : low.index(b"\r\n", at) if b"\r\n" in low[at:] else None])
        parts, have = [content], len(content)
        while have < length:
            more = self.link.recv(262144)
            if not more:
                raise ConnectionError("the web closed the connection")
            parts.append(more)
            have += len(more)
        if b"\r\nconnection: close" in low:
            self.link.close()
            self.link = self._connect()
        return int(top[9:12]), b"".join(parts)


class Buyer:
    """Places orders: cart → order → payment → the bank's signed word."""

    def __init__(self, spec: dict[str, Any]) -> None:
        from tongzhou.sandbox.signing import signer

        self.http, self.spec = Http(spec["port"]), spec
        self.signer = signer(spec["secret"])

    def __call__(self, n: int) -> None:
        """Order number ``n``: its own buyer, two goods, somebody else's code."""
        spec, dice = self.spec, random.Random(n)
        auth = {"Authorization": f"Bearer {spec['tokens'][n]}", "Content-Type": "application/json"}
        lines = [{"sku": sku, "quantity": 1} for sku in dice.sample(spec["skus"], 2)]
        cart = self._post("/api/v1/carts", auth, {"lines": lines})
        order = self._post(
            "/api/v1/orders", auth,
            {"cart": cart["id"], "address": spec["address"], "sharer_code": dice.choice(spec["codes"])},
        )  # fmt: skip
        start = self._post(f"/api/v1/orders/{order['no']}/payments", auth, {"provider": "sandbox"})
        self._notify(start["trade_no"], order["total_minor"], order["currency"])

    def _post(self, path: str, headers: Headers, body: dict[str, Any]) -> dict[str, Any]:
        status, raw = self.http.send(
            "POST", path, {**headers, "Idempotency-Key": uuid.uuid4().hex}, json.dumps(body).encode()
        )
        if status != 201:
            raise RuntimeError(f"POST {path} answered {status}: {raw[:400]!r}")
        answer: dict[str, Any] = json.loads(raw)
        return answer

    def _notify(self, trade_no: str, amount: int, currency: str) -> None:
        now, message = datetime.now(tz=UTC), f"ntf_{uuid.uuid4().hex}"
        body = json.dumps(
            {"event_id": f"evt_{uuid.uuid4().hex}", "trade_no": trade_no, "outcome": "succeeded", "amount": amount,
             "currency": currency, "txn": f"pay_{uuid.uuid4().hex}"}, separators=(",", ":"),
        )  # fmt: skip
        headers = {
            "webhook-id": message, "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self.signer.sign(message, now, body), "Content-Type": "application/json",
        }  # fmt: skip
        status, raw = self.http.send("POST", "/pay/sandbox/notify", headers, body.encode())
        if status != 200 or json.loads(raw)["outcome"] != "paid":
            raise RuntimeError(f"the notification was answered {status}: {raw[:400]!r}")


class Visitor:
    """Opens pages with a session cookie."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.http, self.paths = Http(spec["port"]), spec["paths"]
        self.headers = {"Cookie": spec["cookie"], "Accept-Language": "zh-CN", "Accept-Encoding": "gzip"}

    def __call__(self, n: int) -> None:
        """Page number ``n``."""
        path = self.paths[random.Random(n).randrange(len(self.paths))]
        status, raw = self.http.send("GET", path, self.headers)
        if status != 200:
            raise RuntimeError(f"GET {path} answered {status}: {raw[:300]!r}")


def drive(make: Callable[[], Callable[[int], None]], numbers: range, clients: int) -> dict[str, Any]:
    """Let ``clients`` work the numbers off side by side; when it began and ended, how long each took."""
    todo, lock = iter(numbers), threading.Lock()
    took: list[float] = []
    errors: list[str] = []
    workers = [make() for _n in range(clients)]

    def work(one: Callable[[int], None]) -> None:
        while not errors:
            with lock:
                n = next(todo, None)
            if n is None:
                return
            began = time.monotonic()
            try:
                one(n)
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
                return
            took.append(time.monotonic() - began)

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"began": began, "ended": time.monotonic(), "done": len(took), "took": sorted(took), "errors": errors[:3]}


def main() -> None:
    """Read the file named on the command line, do it, print one JSON document."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    kind = {"orders": Buyer, "pages": Visitor}[spec["kind"]]
    numbers = range(spec["first"], spec["first"] + spec["count"])
    sys.stdout.write(json.dumps(drive(lambda: kind(spec), numbers, spec["clients"])))


if __name__ == "__main__":
    main()
