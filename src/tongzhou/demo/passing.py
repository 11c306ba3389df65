"""Time in the demo: the windows of the days to come end now, so that a visitor need not wait for them."""

from collections.abc import Callable
from datetime import timedelta

from tongzhou.fulfilment import commands as fulfilment
from tongzhou.kit import clock, worker
from tongzhou.rewards import commands as rewards


def run(days: int, tell: Callable[[str], None]) -> dict[str, int]:
    """Parcels that nobody would confirm within ``days`` count as received, and rewards whose window ends by then
    become available, as a worker would do it then; everything is booked now. Open cases keep their rewards waiting.
    """
    now = clock.now()
    until = now + timedelta(days=days)
    received = fulfilment.receive_due(at=now, until=until)
    worker.drain_local(at=now)
    matured = rewards.mature_due(at=now, until=until)
    tell(f"{days} days on: {received} orders received by time, {matured} rewards available.")
    return {"days": days, "received": received, "matured": matured}
