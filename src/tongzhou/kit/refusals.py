"""Refusals: how the mall says no.

A refusal carries what a person needs (which field, which value, which rule, how to fix it) and what
a machine needs (a stable code, a kind that each door maps to its own language once, and whether
trying again can help). Raising one inside a command rolls the whole transaction back.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of no it is; doors map kinds to HTTP statuses and exit codes."""

    INVALID = "invalid"  # 422: the input breaks a rule
    NOT_FOUND = "not_found"  # 404: it does not exist, or not for you
    FORBIDDEN = "forbidden"  # 403: you may not
    SIGN_IN = "sign_in"  # 401: who are you?
    CONFLICT = "conflict"  # 409: it is no longer in a state that allows this
    LIMIT = "limit"  # 429: too often, too many
    UNAVAILABLE = "unavailable"  # 503: a counterparty is out of reach


class Refusal(Exception):
    """A clear no. ``message`` is a sentence for people (may be a lazy translation)."""

    def __init__(
        self,
        code: str,
        message: Any,
        *,
        kind: Kind = Kind.INVALID,
        retryable: bool = False,
        field: str = "",
        value: object = None,
        rule: Any = "",
        fix: Any = "",
        errors: Iterable["Refusal"] = (),
    ) -> None:
        super().__init__(code)
        self.code = code
        self.kind = kind
        self.retryable = retryable
        self.message = message
        self.field = field
        self.value = value
        self.rule = rule
        self.fix = fix
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_dict(self) -> dict[str, Any]:
        """Plain strings for JSON and templates; empty parts are left out."""
        shown = "" if self.value is None else str(self.value)
        parts = {
            "code": self.code,
            "kind": str(self.kind),
            "message": str(self.message),
            "field": self.field,
            "value": shown[:200],
            "rule": str(self.rule),
            "fix": str(self.fix),
        }
        out: dict[str, Any] = {k: v for k, v in parts.items() if v}
        out["retryable"] = self.retryable
        if self.errors:
            out["errors"] = [e.as_dict() for e in self.errors]
        return out


def not_found(what: Any, *, code: str = "not_found") -> Refusal:
    """It does not exist, or not for whoever asks: the two are told apart to nobody."""
    return Refusal(code, what, kind=Kind.NOT_FOUND)


def conflict(code: str, message: Any, *, retryable: bool = False, **more: Any) -> Refusal:
    """The state has moved on."""
    return Refusal(code, message, kind=Kind.CONFLICT, retryable=retryable, **more)


def forbidden(code: str, message: Any, **more: Any) -> Refusal:
    """Whoever asks may not do this."""
    return Refusal(code, message, kind=Kind.FORBIDDEN, **more)


def invalid(code: str, message: Any, *, field: str = "", **more: Any) -> Refusal:
    """One field breaks one rule."""
    return Refusal(code, message, kind=Kind.INVALID, field=field, **more)
