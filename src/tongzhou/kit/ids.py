"""UUIDv7 (RFC 9562): primary keys made by the application, ordered by time, safe to shard by."""

import os
import struct
import threading
import time
import uuid
from datetime import UTC, datetime

_lock = threading.Lock()
_last = 0
_TAIL = (1 << 62) - 1


def new_id() -> uuid.UUID:
    """A fresh UUIDv7, strictly increasing within this process.

    48 bits of milliseconds, then a 12-bit fraction of the millisecond used as a sequence, then
    62 random bits.
    """
    global _last
    stamp = time.time_ns() * 4096 // 1_000_000
    with _lock:
        _last = stamp = max(stamp, _last + 1)
    return _build(stamp)


def new_ids(count: int) -> list[uuid.UUID]:
    """So many of them at once, increasing."""
    global _last
    stamp = time.time_ns() * 4096 // 1_000_000
    with _lock:
        first = max(stamp, _last + 1)
        _last = first + count - 1
    noise = struct.unpack(f">{count}Q", os.urandom(8 * count))
    return [_build(first + i, tail & _TAIL) for i, tail in enumerate(noise)]


def id_at(at: datetime) -> uuid.UUID:
    """A UUIDv7 whose time part is ``at``: for history that is written now but happened then."""
    return _build(int(at.timestamp() * 1000) * 4096 + int.from_bytes(os.urandom(2), "big") % 4096)


def _build(stamp: int, tail: int | None = None) -> uuid.UUID:
    ms, seq = stamp >> 12, stamp & 0xFFF
    if tail is None:
        tail = int.from_bytes(os.urandom(8), "big") & _TAIL
    return uuid.UUID(int=(ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | seq << 64 | 0b10 << 62 | tail)


def time_of(identity: uuid.UUID) -> datetime:
    """The moment a UUIDv7 was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((identity.int >> 80) / 1000, tz=UTC)
