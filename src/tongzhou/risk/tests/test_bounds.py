"""One order's verdict costs the same in a small mall and in a large one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cast import AT, assemble

from tongzhou.catalog import commands as catalog
from tongzhou.people import commands as people
from tongzhou.rewards.models import Reward
from tongzhou.risk import commands
from tongzhou.risk.evidence import NEAR, scene
from tongzhou.risk.tests.making import person, sell
from tongzhou.risk.values import Kind, Sighting

pytestmark = pytest.mark.django_db


def statements(line):
    Reward.objects.update(verdict="", verdict_at=None)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        commands.assess([line], at=AT)
    return [q["sql"][:60] for q in seen.captured_queries if "SAVEPOINT" not in q["sql"]]


def test_a_verdict_takes_the_same_statements_however_many_members_there_are():
    cast = assemble()
    catalog.set_stock(levels=[(cast.rice, 500)], by=cast.owner, at=AT)
    commands.observe([Sighting(m, Kind.DEVICE, str(m)) for m in (cast.buyer, cast.sharer)], at=AT)
    commands.observe([Sighting(m, Kind.IP, "93.184.216.34") for m in (cast.buyer, cast.sharer)], at=AT)
    placed = sell(cast, cast.sharer, cast.buyer, AT)
    line = Reward.objects.get(order_id=placed.order_id).id
    few = statements(line)
    crowd = people.register_members(
        [{"login": f"+8615{n:09d}", "phone": f"+8615{n:09d}", "display_name": "x"} for n in range(2000)], at=AT
    )
    commands.observe([Sighting(m, Kind.IP, "93.184.216.34") for m in crowd], at=AT)
    commands.observe([Sighting(m, Kind.DEVICE, str(m)) for m in crowd], at=AT)
    assert statements(line) == few and len(few) <= 40


def test_of_a_crowded_device_only_the_size_is_looked_at():
    cast = assemble()
    crowd = [person(n, AT) for n in range(NEAR + 10)]
    commands.observe([Sighting(m, Kind.DEVICE, "kiosk") for m in [cast.buyer, *crowd]], at=AT)
    around = scene([cast.buyer])
    (kiosk,) = around.of(cast.buyer, [Kind.DEVICE])
    assert len(around.marks) == 1 and around.accounts_on(kiosk, AT) == NEAR + 11
