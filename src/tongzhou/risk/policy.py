"""The settings of risk: defaults from ``defaults.toml``, changes from the database."""

import tomllib
from functools import cache
from pathlib import Path

from tongzhou.risk.models import ChangedSetting
from tongzhou.risk.values import Policy, Setting

DEFAULTS = Path(__file__).with_name("defaults.toml")


@cache
def defaults() -> dict[str, Setting]:
    """Every setting as it ships, with its meaning."""
    rows = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))["setting"]
    return {
        r["key"]: Setting(r["key"], r["value"], r["value"], r["low"], r["high"], r["group"], r["zh"], r["en"])
        for r in rows
    }


def in_force() -> Policy:
    """key → value. One query."""
    changed = dict(ChangedSetting.objects.values_list("key", "value"))
    return {key: changed.get(key, s.default) for key, s in defaults().items()}
