"""Imports of real size through the real command: agreed with an oracle, killed half way, and run twice."""

import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.history_oracle import replay

DATA = Path(__file__).parents[5] / "shared" / "data"
PLAN = 'code = "bind"\ncurrency = "CNY"\nprofile = "CN"\n[attribution]\nmodel = "binding_first"\n[[rewards]]\nrate_bp = 1000\n'


def write(folder, days=40, orders=30, seed=7):
    """An older shop: sales with odd prices, guests, refunds that fit, refunds that do not."""
    dice, n = random.Random(seed), 0
    with (folder / "members.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["member", "inviter", "joined_at", "name", "phone"])
        writer.writerows([f"c{i}", f"c{i // 2}" if i else "", "2011-01-01", "", ""] for i in range(40))
    with (folder / "orders.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "order_no",
                "placed_at",
                "buyer",
                "kind",
                "refund_of",
                "sku",
                "title",
                "quantity",
                "unit_price",
                "currency",
                "sharer",
            ]
        )
        for day in range(days):
            for _ in range(orders):
                n += 1
                at = datetime(2011, 2, 1, 9) + timedelta(days=day, minutes=dice.randrange(600))
                buyer = f"c{dice.randrange(40)}" if dice.random() < 0.9 else ""
                back = dice.random() < 0.15
                for _line in range(dice.randint(1, 4)):
                    price = dice.choice(["0", "0.39", "2.555", "10", "3.125"])
                    units = dice.randint(1, 9)
                    writer.writerow([f"{'C' if back else 'S'}{n}", at.isoformat(), buyer, "refund" if back else "sale", "",
                                     f"K{dice.randrange(12)}", "Old thing", -units if back else units, price, "CNY", ""])  # fmt: skip


class Mall:
    """A mall of its own, driven by the real command in its own process."""

    def __init__(self, home):
        home.mkdir()
        self.file = home / "t.sqlite3"
        self.env = {**os.environ, "TONGZHOU_HOME": str(home), "DATABASE_URL": f"sqlite:///{self.file}", "LANG": "en"}

    def start(self, *args):
        return subprocess.Popen([sys.executable, "-m", "tongzhou.cli", *map(str, args)], env=self.env,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip

    def __call__(self, *args):
        process = self.start(*args)
        out, err = process.communicate(timeout=250)
        assert "Traceback" not in err, err
        return process.returncode, out, err

    def sql(self, statement):
        with sqlite3.connect(self.file) as db:
            return db.execute(statement).fetchall()

    def ready(self, folder):
        self("migrate")
        (folder / "plan.toml").write_text(PLAN)
        self("plan", "import", folder / "plan.toml")
        assert self("import", "members", folder / "members.csv")[0] == 0
        return self

    def state(self):
        lines = self.sql("SELECT o.no, l.position, l.amount_minor, l.refunded_minor, l.refunded_quantity FROM orders_line l"
                         " JOIN orders_order o ON o.id = l.order_id ORDER BY 1, 2")  # fmt: skip
        books = self.sql("SELECT account, SUM(debits), SUM(credits) FROM ledger_balance GROUP BY 1 ORDER BY 1")
        days = self.sql("SELECT effective_at, COUNT(*) FROM ledger_posting GROUP BY 1 ORDER BY 1")
        return lines, books, days


def test_killed_half_way_it_ends_where_one_run_ends_and_the_oracle_agrees(tmp_path):
    write(tmp_path)
    whole, broken = Mall(tmp_path / "whole").ready(tmp_path), Mall(tmp_path / "broken").ready(tmp_path)
    take = ("import", "orders", tmp_path / "orders.csv", "--plan", "bind", "--json")
    first = json.loads(whole(*take)[1])
    process, until = broken.start(*take), time.monotonic() + 120
    while time.monotonic() < until and not broken.sql("SELECT COUNT(*) FROM orders_order")[0][0]:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    taken = broken.sql("SELECT COUNT(*) FROM orders_order")[0][0]
    assert 0 < taken < whole.sql("SELECT COUNT(*) FROM orders_order")[0][0]
    rest = json.loads(broken(*take)[1])
    assert rest["unchanged"] > 0 and rest["unchanged"] + rest["created"] == first["created"]
    assert broken.state() == whole.state()
    again = json.loads(whole(*take)[1])
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, first["created"])
    assert broken.state() == whole.state() and whole("ledger", "verify")[0] == 0

    oracle = replay(tmp_path / "orders.csv", tmp_path / "members.csv")
    assert first["note_counts"]["refund_unmatched"] and first["note_counts"]["refund_without_buyer"]
    for key in ("sales_minor", "refunds_minor", "unmatched_minor"):
        assert first[key] == oracle[key], key
    said = json.loads(whole("rewards", "summary", "--by", "sharer", "--json")[1])
    logins = dict(whole.sql("SELECT id, login FROM people_member"))
    got = {
        logins[g["key"].replace("-", "")]: (g["earned_minor"], g["earned_minor"] - g["reversed_minor"])
        for g in said["groups"]
    }
    assert {k: v for k, v in got.items() if v[0]} == {
        k: (v["earned_minor"], v["left_minor"]) for k, v in oracle["sharers"].items()
    }


def test_what_leaves_comes_back_without_effect(tmp_path):
    write(tmp_path, days=6, orders=8)
    mall = Mall(tmp_path / "mall").ready(tmp_path)
    mall("import", "orders", tmp_path / "orders.csv", "--plan", "bind")
    before = mall.state()
    for what in ("members", "orders"):
        out = tmp_path / f"{what}-out.csv"
        assert mall("export", what, "--out", out)[0] == 0
        back = json.loads(mall("import", what, out, "--json")[1])
        assert (back["created"], back["updated"], back["refused"]) == (0, 0, 0) and back["unchanged"] == back[
            "read"
        ] > 0
    assert mall.state() == before
    copy = Mall(tmp_path / "copy").ready(tmp_path)  # and another mall can live on with the file
    mall_done = json.loads(copy("import", "orders", tmp_path / "orders-out.csv", "--plan", "bind", "--json")[1])
    assert mall_done["refused"] == 0
    assert [r[:1] + r[2:] for r in copy.state()[0]] == [r[:1] + r[2:] for r in before[0]]
    assert mall("export", "orders", "--out", tmp_path / "no" / "x.csv")[0] == 1


@pytest.mark.parametrize("content, code", [
    (b"\x00\x01binary", "file_binary"), (b"a,b\n1,2\n", "columns_missing"), (b"\xff\xfe\xfd", "encoding_unknown"), (None, "file_not_found"),
])  # fmt: skip
@pytest.mark.parametrize("what", ["members", "orders"])
def test_files_that_are_no_history(tongzhou, db, tmp_path, what, content, code):
    file = tmp_path / "x.csv"
    if content is not None:
        file.write_bytes(content)
    said = tongzhou("import", what, file, "--json")
    assert said.code == 1 and code in said.err and json.loads(said.out)["error"] == code, said


@pytest.mark.skipif(not DATA.exists(), reason="needs the shared data")
def test_a_real_graph_of_trust_becomes_a_forest(tongzhou, db, tmp_path):
    file = tmp_path / "members.csv"
    with (DATA / "trust_graph" / "edges.csv").open() as source, file.open("w") as target:
        target.write("member,inviter,joined_at,name,phone\n")
        for n, row in enumerate(csv.reader(source)):
            if n and n <= 4000:
                target.write(f"t{row[1]},t{row[0]},2012-01-01,,\n")
    first, again = (tongzhou("import", "members", file, "--json").json for _ in range(2))
    codes = {p["code"] for p in first["problems"]}
    assert codes >= {"already_bound", "would_close_a_loop", "unknown_inviter"}
    assert first["created"] > 500 and (again["created"], again["updated"]) == (0, 0)
    assert len(again["problems"]) == len(first["problems"])
