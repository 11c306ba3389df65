"""Provinces, cities, counties and streets of China, for the address picker.

Placeholder names of the statistical code (市辖区, 省直辖县级行政区划 …) are levels nobody speaks of: the
picker walks through them. 东莞, 中山 and 儋州 have no counties. A county's name alone identifies nothing;
the code does. Data: people/data, with its licence.
"""

import gzip
from functools import cache
from pathlib import Path

from tongzhou.people.values import Division

_PLACEHOLDERS = frozenset(
    {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划", "市辖县", "直辖县级", "省直辖县", "直辖区"}
)
_LEVELS = ("province", "city", "county", "street")


@cache
def _tree() -> tuple[dict[str, tuple[str, str]], dict[str, list[str]]]:
    """code → (parent, name), and parent → codes in the order of the data."""
    raw = gzip.decompress((Path(__file__).parent / "data" / "divisions.tsv.gz").read_bytes()).decode()
    nodes: dict[str, tuple[str, str]] = {}
    below: dict[str, list[str]] = {}
    for line in raw.split("\n"):
        code, parent, name = line.split("\t")
        nodes[code] = (parent, name)
        below.setdefault(parent, []).append(code)
    return nodes, below


def children(code: str = "") -> list[Division]:
    """What one may choose next below ``code``; empty string = the provinces. Unknown codes have no children."""
    nodes, below = _tree()
    out: list[Division] = []
    for child in below.get(code, ()):
        name = nodes[child][1]
        if name in _PLACEHOLDERS or (code and name == nodes[code][1]):
            out += children(child)
        else:
            out.append(Division(child, name, leaf=child not in below))
    return out


def path(code: str) -> list[Division] | None:
    """The way from the province down to ``code``, placeholders left out; None for an unknown code."""
    nodes, below = _tree()
    if not code or code not in nodes:
        return None
    steps: list[Division] = []
    here = code
    while here:
        parent, name = nodes[here]
        if name not in _PLACEHOLDERS and not (parent and name == nodes[parent][1]):
            steps.append(Division(here, name, leaf=here not in below))
        here = parent
    return steps[::-1]


def named(steps: list[Division]) -> dict[str, str]:
    """``{province, city, county, street}`` of a path, by the length of each code; missing levels are empty."""
    out = dict.fromkeys(_LEVELS, "")
    for step in steps:
        level = {2: "province", 4: "city", 6: "county"}.get(len(step.code), "street")
        out[level] = step.name
    return out


def find(*names: str) -> str | None:
    """The code of a place given by its names from the province down (as many as needed); None when unclear."""
    here = ""
    for name in names:
        if not name:
            continue
        found = [d for d in children(here) if d.name == name]
        if len(found) != 1:
            return None
        here = found[0].code
    return here or None
