"""Periodic work of risk."""

from datetime import datetime

from tongzhou.risk import commands


def look_again(at: datetime) -> str:
    """A second look before a reward matures, and the end of holds whose time is over."""
    return f"{commands.look_again(at=at)} looked at again, {commands.close_due(at=at)} holds over"


def nightly(at: datetime) -> str:
    """What may no longer be kept goes; what is usual is learnt anew."""
    return f"{commands.purge(at=at)} signals deleted, {commands.learn_baselines(at=at)} categories"
