"""Compliance monitors: what really happened, looked at every night (domain.md §4)."""

from tongzhou.rewards.monitors.rules import MONITORS, Monitor, Seen
from tongzhou.rewards.monitors.work import catch_up, look, nights, stop

__all__ = ["MONITORS", "Monitor", "Seen", "catch_up", "look", "nights", "stop"]
