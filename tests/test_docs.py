"""The documents tell the truth: their examples run, their links lead somewhere, their accounts are the chart's."""

import doctest
import re
from pathlib import Path

import pytest

from tongzhou.ledger import chart

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


@pytest.mark.parametrize("page", [p for p in PAGES if ">>>" in p.read_text(encoding="utf-8")], ids=lambda p: p.name)
def test_examples_run(page):
    tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert tried.attempted and not tried.failed


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_ledger_page_names_the_chart_and_nothing_else():
    text = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    table = text.split("## Chart of accounts")[1]
    named = {re.sub(r"<\w+>$", "", code) for code in re.findall(r"`([a-z_.<>]+)`", table)}
    assert named == set(chart.CHART)
    for code in re.findall(
        r"`((?:gateway|deposit|reward|revenue|expense|payable|payout|refund|prepaid|receivable|suspense)\.[a-z_.]+)`",
        text,
    ):
        chart.entry(code)
