"""Runs the command as a person would, in this process: exit code, stdout, stderr."""

import sys
from dataclasses import dataclass

import pytest
from django.utils import translation

from tongzhou.cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """stdout as exactly one JSON document."""
        import json

        return json.loads(self.out)


@pytest.fixture
def tongzhou(monkeypatch, capsys):
    """``tongzhou("plan", "list")`` in English."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    before = translation.get_language()

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["tongzhou", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ran(ended.value.code or 0, said.out, said.err)

    yield run
    translation.activate(before or "zh-hans")
