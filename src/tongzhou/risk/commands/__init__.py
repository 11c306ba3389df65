"""The verbs of risk."""

from tongzhou.risk.commands.assess import assess, look_again
from tongzhou.risk.commands.decide import appeal, close_due, refuse, release
from tongzhou.risk.commands.observe import forget_optional, learn_baselines, observe, observe_orders, purge
from tongzhou.risk.commands.settings import change_setting

__all__ = [
    "appeal",
    "assess",
    "change_setting",
    "close_due",
    "forget_optional",
    "learn_baselines",
    "look_again",
    "observe",
    "observe_orders",
    "purge",
    "refuse",
    "release",
]
