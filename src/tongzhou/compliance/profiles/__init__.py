"""Profiles: one dated data file per jurisdiction."""

import tomllib
from functools import cache
from pathlib import Path

from tongzhou.compliance.values import Profile, Rule, Severity

CODES = ("CN", "US", "EU", "IN")


@cache
def load(code: str) -> Profile:
    """The profile of a jurisdiction. *Refuses:* ``KeyError`` for one that has no file."""
    if code not in CODES:
        raise KeyError(code)
    data = tomllib.loads((Path(__file__).parent / f"{code}.toml").read_text(encoding="utf-8"))
    rules = {key: Rule(id=key, **{**r, "severity": Severity(r["severity"])}) for key, r in data["rules"].items()}
    return Profile(
        code=data["code"],
        valid_from=data["valid_from"],
        max_depth=data["max_depth"],
        deeper=Severity(data["deeper"]),
        min_settle_days=data["min_settle_days"],
        notice_days=data["notice_days"],
        rules=rules,
    )
