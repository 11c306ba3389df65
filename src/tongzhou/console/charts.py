"""Charts as paths and rectangles for SVG templates: numbers in, text out; colours are classes of the style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Two:
    """Two lines over the same days, on 640 × 204 with a grid at 20, 95 and 170."""

    was: str
    now: str
    area: str
    top: int
    first: date
    middle: date
    end: date

    @property
    def half(self) -> int:
        """The grid's middle line."""
        return self.top // 2


def two(days: Sequence[tuple[date, int, int]]) -> Two | None:
    """(day, before, after), running totals, so that where the lines end is what the period cost."""
    if not days:
        return None
    was, now, before, after = [], [], 0, 0
    for _day, a, b in days:
        before, after = before + a, after + b
        was.append(before)
        now.append(after)
    top = max(before, after, 1)
    line = _path(now, top)
    right = 62 if len(now) == 1 else 632
    return Two(
        _path(was, top), line, f"{line}L{right} 170L62 170z", top, days[0][0], days[len(days) // 2][0], days[-1][0]
    )


def _path(values: Sequence[int], top: int) -> str:
    step = 570 / max(1, len(values) - 1)
    return "M" + "L".join(f"{62 + i * step:.1f} {170 - v * 150 / top:.1f}" for i, v in enumerate(values))


@dataclass(frozen=True, slots=True)
class Bar:
    """One tenth of the people: two columns side by side."""

    label: int
    x: int
    was_y: str
    was_h: str
    now_y: str
    now_h: str
    before: int
    after: int

    @property
    def beside(self) -> int:
        """Where the second column begins."""
        return self.x + 22


def tenths(before: Sequence[int], after: Sequence[int]) -> list[Bar]:
    """Ten pairs of columns on 640 × 204, those who got least at the left."""
    top = max(*before, *after, 1)
    out = []
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        ha, hb = a * 150 / top, b * 150 / top
        out.append(Bar(i + 1, 66 + i * 57, f"{170 - ha:.1f}", f"{ha:.1f}", f"{170 - hb:.1f}", f"{hb:.1f}", a, b))
    return out


def spark(values: Sequence[int], limit: int | None = None) -> tuple[str, str]:
    """(line, limit line) on 112 × 28; one value is a flat line, a limit far away is left out."""
    if not values:
        return "", ""
    shown = limit if limit is not None and limit < 10**8 else None
    top = max(*values, shown or 0, 1)
    low = min(*values, 0)
    span = max(top - low, 1)

    def y(v: int) -> str:
        return f"{25 - (v - low) * 22 / span:.1f}"

    step = 112 / max(1, len(values) - 1)
    line = "M" + "L".join(f"{i * step:.1f} {y(v)}" for i, v in enumerate(values))
    if len(values) == 1:
        line += "H112"
    return line, f"M0 {y(shown)}H112" if shown is not None else ""
