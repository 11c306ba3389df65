"""A town drawn at run time: the honest are left alone, the dishonest are stopped, within bounds that are honest."""

import os
import random

import pytest
from benchmarks import risk

from tongzhou.ledger import queries as books
from tongzhou.rewards import queries as rewards

pytestmark = pytest.mark.django_db


def drawn():
    """Another town each time; TONGZHOU_RISK_SEED names one to live through again."""
    return int(os.environ.get("TONGZHOU_RISK_SEED") or random.SystemRandom().randrange(10**6))


def test_a_town_drawn_at_run_time():
    found = risk.live(*risk.settle_in(), drawn())
    said = risk.show(found)
    print(said)
    # six towns measured: precision 100 %, recall 90 to 94 %; what is missed are a refunder's first orders
    assert found.precision_bp >= 9_500, said
    assert found.recall_bp >= 8_000, said
    assert found.honest_slowed * 10 <= found.rewards, said
    assert books.verify().ok and rewards.summary()[0].balanced


@pytest.mark.slow
def test_a_harder_town_is_told_honestly():
    found = risk.live(*risk.settle_in(), drawn(), harder=True)
    said = risk.show(found)
    print(said)
    # six towns measured: precision 51 to 61 % (an orientation day looks like a burst), recall 49 to 86 %
    assert found.precision_bp >= 4_000 and found.recall_bp >= 3_500, said
    assert books.verify().ok and rewards.summary()[0].balanced
