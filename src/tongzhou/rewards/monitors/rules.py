"""The monitors: what each figure means, and where its line is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WINDOW_DAYS = 90


@dataclass(frozen=True, slots=True)
class Monitor:
    """One figure. ``unit``: bp (a share), minor (money), count. ``limit`` is the last good value.

    ``floor``: below the limit is bad; otherwise above it is. ``grave``: crossing it is a breach, not a warning.
    """

    key: str
    title: "str | Promise"
    means: "str | Promise"
    line: "str | Promise"
    unit: str
    limit: int
    floor: bool = False
    grave: bool = False

    def state(self, value: int) -> str:
        """good, look (worth a look) or stop."""
        bad = value < self.limit if self.floor else value > self.limit
        return "good" if not bad else "stop" if self.grave else "look"


MONITORS = (
    Monitor("retail_bp", _("卖给外面的人"), _("近 90 天里，没有拿过奖励的人买走的占多少（实付减退款）。"), _("不低于 80%"), "bp", 8000, floor=True),
    Monitor("recruit_bp", _("与拉人有关的奖励"), _("进入“待收货”的奖励里，不是来自零售的占多少；看不懂来历的也算在内。"), _("必须是 0"), "bp", 0, grave=True),
    Monitor("beyond_1_minor", _("超过一层的付款"), _("付给分享者上面的人的奖励。"), _("不超过法域允许的层数"), "minor", 0),
    Monitor("graph_people", _("付款连成的最大一片"), _("买家与得奖励的人连成的图，最接近刑事界线的一片有多少人、多少层。"), _("满三十人、三层，且有收费或人头计酬，就是犯罪"), "count", 10**9),
    Monitor("gini_bp", _("奖励集中在少数人"), _("近 90 天每人留下的奖励的基尼系数，0 是人人一样。"), _("超过 0.70 看一眼"), "bp", 7000),
    Monitor("no_outside_bp", _("从没卖给外人的分享者"), _("拿过奖励的人里，每一单都卖给同样拿奖励的人的占多少。"), _("不超过 10%"), "bp", 1000),
    Monitor("over_30", _("奖励超过自己零售额三成的人"), _("近 90 天，留下的奖励超过自己分享卖出的 30% 的有几人。"), _("没有这样的人"), "count", 0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """One monitor on one night, with the nights before it."""

    monitor: Monitor
    value: int
    state: str
    history: tuple[int, ...]
    more: str = ""


def seen(figures: Mapping[str, int], before: "tuple[Mapping[str, int], ...]", max_depth: int) -> tuple[Seen, ...]:
    """Every monitor of a night. Deeper payouts are a breach where the jurisdiction allows one level only."""
    out = []
    for m in MONITORS:
        value = figures.get(m.key, 0)
        state = m.state(value)
        if m.key == "beyond_1_minor" and value:
            state = "stop" if max_depth == 1 else "look"
        if m.key == "graph_people" and figures.get("crime", 0):
            state = "stop"
        if m.key == "retail_bp" and state != "good" and max_depth > 1:
            state = "stop"  # US-80; elsewhere it is worth a look, because members are shoppers and sharers alike
        more = str(figures.get("graph_layers", 0)) if m.key == "graph_people" else ""
        out.append(Seen(m, value, state, tuple(f.get(m.key, 0) for f in before), more))
    return tuple(out)
