"""What the engine says."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Severity(StrEnum):
    """BLOCK cannot be activated, by nobody; REVIEW needs a named sign-off; WARN is worth knowing."""

    BLOCK = "BLOCK"
    REVIEW = "REVIEW"
    WARN = "WARN"


class Weight(IntEnum):
    """Severities in order, so that a verdict is their maximum."""

    PASS = 0
    WARN = 1
    REVIEW = 2
    BLOCK = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that has something to say: where in the document, what it saw, which law, how to mend it."""

    id: str
    severity: Severity
    path: str
    seen: str
    message: str
    message_en: str
    citation: str
    citation_en: str
    fix: str
    fix_en: str

    def as_dict(self, language: str = "zh-hans") -> dict[str, str]:
        """The finding in one language, in the shape of `plan check --json` (interfaces.md)."""
        en = language.startswith("en")
        return {
            "id": self.id,
            "severity": str(self.severity),
            "path": self.path,
            "seen": self.seen,
            "message": self.message_en if en else self.message,
            "citation": self.citation_en if en else self.citation,
            "fix": self.fix_en if en else self.fix,
        }


def verdict(findings: "tuple[Finding, ...] | list[Finding]") -> str:
    """PASS < WARN < REVIEW < BLOCK: the heaviest finding."""
    return max((Weight[f.severity] for f in findings), default=Weight.PASS).name


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of a profile file."""

    id: str
    severity: Severity
    message: str
    message_en: str
    citation: str
    citation_en: str
    fix: str
    fix_en: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A jurisdiction's rules on a day: dated data, not code."""

    code: str
    valid_from: str
    max_depth: int
    deeper: Severity
    min_settle_days: int
    notice_days: int
    rules: dict[str, Rule]
