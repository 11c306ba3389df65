"""The only place that asks what time it is. Doors and workers call :func:`now` once and pass it on."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(tz=UTC)


@lru_cache(maxsize=8)
def zone(name: str) -> ZoneInfo:
    """The mall's time zone object, by IANA name."""
    return ZoneInfo(name)


def mall_zone() -> ZoneInfo:
    """The zone in which days, windows and tax months are counted (``TONGZHOU_TIMEZONE``)."""
    from django.conf import settings

    return zone(settings.TIME_ZONE)


def mall_day(at: datetime) -> date:
    """The mall's calendar day of a moment."""
    return at.astimezone(mall_zone()).date()


def day_start(day: date) -> datetime:
    """The moment the mall's day begins, in UTC."""
    return datetime.combine(day, time.min, tzinfo=mall_zone()).astimezone(UTC)


def days_later(at: datetime, days: int) -> datetime:
    """``days`` × 24 hours later."""
    return at + timedelta(days=days)
