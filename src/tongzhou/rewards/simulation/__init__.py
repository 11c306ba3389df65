"""The plan simulator: a period's real orders under a draft, beside the plan in force."""

from tongzhou.rewards.simulation.values import DayCost, MemberChange, SideReport, Simulation
from tongzhou.rewards.simulation.work import simulate

__all__ = ["DayCost", "MemberChange", "SideReport", "Simulation", "simulate"]
