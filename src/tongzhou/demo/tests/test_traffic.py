"""A short traffic in an assembled mall, over a real sandbox bank: things happen, and the books prove themselves."""

import random
from datetime import timedelta

import pytest
from tests.cast import AT, assemble

from tongzhou.catalog import commands as catalog
from tongzhou.demo import traffic
from tongzhou.kit import worker
from tongzhou.kit.refusals import Refusal
from tongzhou.ledger import queries as books
from tongzhou.orders.models import Order
from tongzhou.people.models import Binding
from tongzhou.sandbox.testing import running

pytestmark = pytest.mark.django_db


def street():
    cast = assemble()
    catalog.set_stock(levels=[(cast.tea, 1000), (cast.rice, 1000)], by=cast.owner, at=AT)
    return traffic.open_street(random.Random(7))


def test_sixty_steps_keep_the_books(tmp_path, settings):
    life = street()
    with running(tmp_path, settings.SANDBOX_SECRET) as (url, _notifier):
        settings.SANDBOX_URL = url
        for n in range(60):
            at = AT + timedelta(minutes=n)
            traffic.step(life, at)
            worker.drain(at=at)
    seen = life.seen
    assert seen["links opened"] == 60 and seen["orders"] == seen["paid"] + seen["payments failed"] == 60, seen
    assert min(seen["joined"], seen["payments failed"], seen["shipped"], seen["received"], seen["paid back"]) > 0, seen
    assert Order.objects.exclude(paid_at=None).count() == seen["paid"]
    assert Binding.objects.count() == seen["joined"]
    found = books.verify()
    assert found.ok, found.problems
    rows = {r["account"]: r["balance_minor"] for r in books.trial_balance()}
    assert rows["revenue.goods"] > 0


def test_without_a_bank_it_says_what_to_do(settings):
    life = street()
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    with pytest.raises(Refusal) as caught:
        traffic.step(life, AT)
    assert caught.value.code == "counterparty_unreachable" and "tongzhou serve" in str(caught.value.fix)


def test_an_empty_mall_is_refused():
    with pytest.raises(Refusal) as caught:
        traffic.open_street(random.Random(7))
    assert caught.value.code == "mall_empty"


def test_interrupting_says_what_happened(monkeypatch):
    street()
    said = []

    def stop(_street, _at):
        raise KeyboardInterrupt

    monkeypatch.setattr(traffic, "step", stop)
    traffic.run(minutes=1, tell=said.append)
    assert said == ["  stopped", "  in all: nobody came"]
