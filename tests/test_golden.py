"""A sample of Online Retail over a forest of invitations: the mall and a script that imports nothing of it agree."""

import csv
from pathlib import Path

import pytest
from benchmarks import forest, online_retail, recompute

from tests.cast import AT
from tongzhou.kit.actor import Actor
from tongzhou.ledger import queries as books
from tongzhou.orders import history
from tongzhou.orders import queries as orders
from tongzhou.people import imports
from tongzhou.people import queries as people
from tongzhou.plans import commands as plans
from tongzhou.rewards import commands, queries

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
PLAN = 'code = "retail-5"\n[attribution]\nmodel = "binding_first"\nwindow_days = 30\n[[rewards]]\nrate_bp = 500\n'
EVERY = 60  # one buyer in sixty
BY = Actor("operator", None, "golden")


@pytest.mark.django_db
@pytest.mark.skipif(not (DATA / "online_retail.csv.gz").exists(), reason="needs ../shared/data")
def test_a_sampled_history_pays_what_an_independent_script_says_to_the_penny(tmp_path):
    online_retail.main(DATA / "online_retail.csv.gz", tmp_path)
    members = {r["member"]: r["joined_at"] for r in rows(tmp_path / "members.csv")}
    chosen = {m: at for i, (m, at) in enumerate(members.items()) if i % EVERY == 0}
    forest.write_members(
        tmp_path / "members.csv", chosen, forest.forest(DATA / "trust_graph" / "edges.csv", list(chosen))
    )
    sold = [r for r in rows(tmp_path / "orders.csv") if r["buyer"] in chosen]
    with (tmp_path / "orders.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sold[0])
        writer.writeheader()
        writer.writerows(sold)
    plans.import_plan(text=PLAN, by=BY, at=AT)
    plans.activate(code="retail-5", by=BY, at=AT)
    imports.run(tmp_path / "members.csv", by=BY, at=AT)
    take_in(tmp_path / "orders.csv")
    want: dict[str, list[int]] = {}
    for line in recompute.replay(str(tmp_path / "orders.csv"), str(tmp_path / "members.csv"), 1):
        earned, stands = line.amount * 500 // 10_000, (line.amount - line.refunded) * 500 // 10_000
        sums = want.setdefault(line.sharers[0], [0, 0])
        sums[0] += earned
        sums[1] += earned - stands
    ids = people.by_logins(list(want))
    have = {s.key: [s.earned_minor, s.reversed_minor] for s in queries.summary(by="sharer")[1:]}
    assert have == {str(ids[k]): v for k, v in want.items() if v[0]}
    assert len(have) > 5 and sum(v[1] for v in have.values()) > 0, "there were refunds among them"
    assert books.verify().ok


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def take_in(path):
    """As ``tongzhou import orders`` does."""
    above = history.Above(
        told=lambda when: commands.apply(orders.facts_of(when), at=AT),
        until=lambda moment: commands.mature_due(at=AT, until=moment),
    )
    history.run(path, by=BY, at=AT, plan="retail-5", above=above)
