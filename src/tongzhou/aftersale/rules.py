"""What may be returned, and until when. Pure. Source: domain.md §5 (消费者权益保护法 art 25)."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tongzhou.ledger.tenders import amount_for_units

RIGHT_DAYS = 7
NO_REASON_EXCEPTIONS = frozenset({"fresh", "custom", "opened_media", "press", "ticked"})


def return_until(delivered_at: datetime, zone: ZoneInfo) -> datetime:
    """The end of the seventh day after the day of receipt, in the mall's own days."""
    day = delivered_at.astimezone(zone).date() + timedelta(days=RIGHT_DAYS + 1)
    return datetime.combine(day, time.min, tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Right:
    """Whether a line may go back without a reason now, and if not why: ``open``, ``over``, ``excepted``,
    ``not_received``, ``nothing_left``."""

    state: str
    until: datetime | None = None

    @property
    def open(self) -> bool:
        """True while the right can be used."""
        return self.state == "open"


def right_of_return(
    *, delivered_at: datetime | None, return_policy: str, units_left: int, at: datetime, zone: ZoneInfo
) -> Right:  # fmt: skip
    """The seven-day right of one line at a moment."""
    if units_left <= 0:
        return Right("nothing_left")
    if delivered_at is None:
        return Right("not_received")
    if return_policy in NO_REASON_EXCEPTIONS:
        return Right("excepted")
    until = return_until(delivered_at, zone)
    return Right("open" if at < until else "over", until)


def worth(*, amount_minor: int, refunded_minor: int, quantity: int, refunded_quantity: int, units: int) -> int:
    """What ``units`` of a line are worth now: nested floors, at most what is left of the line."""
    return min(amount_for_units(amount_minor, quantity, refunded_quantity, units), amount_minor - refunded_minor)
