"""What verbs tell people beyond their figures: where things went, what comes next, each thing once."""

import socket
from pathlib import Path

import pytest
from tests.cast import assemble

from tongzhou.catalog.models import Product
from tongzhou.cli.run import free_ports
from tongzhou.demo import seed
from tongzhou.kit.refusals import Refusal

EIGHT = Path(__file__).parents[2] / "demo" / "eight-levels.toml"
SHOPIFY = (
    "Handle,Title,Body (HTML),Vendor,Variant SKU,Variant Price,Variant Inventory Qty\n"
    "clay-pot,Clay pot,<p>A pot</p>,Potter,POT-1,15.99,3\n"
)


@pytest.fixture
def cast(db):
    return assemble()


def test_an_import_tells_that_drafts_arrived_under_whom_and_where_to_publish_them(tongzhou, cast, tmp_path, settings):
    file = tmp_path / "goods.csv"
    file.write_text(SHOPIFY, encoding="utf-8")
    tried = tongzhou("import", "products", file, "--format", "shopify", "--supplier", "POTTER", "--dry-run")
    assert "1 new products would arrive as drafts under supplier POTTER" in tried.err
    done = tongzhou("import", "products", file, "--format", "shopify", "--supplier", "POTTER")
    assert "1 new products arrived as drafts under supplier POTTER" in done.err and "created 1" in done.out
    assert f"{settings.SITE_URL}/console/products?view=draft" in done.err
    again = tongzhou("import", "products", file, "--format", "shopify", "--supplier", "POTTER")
    assert "drafts" not in again.err, "nothing new, nothing to say"
    assert tongzhou("import", "products", file, "--format", "shopify", "--json").json["read"] == 1


def test_the_way_by_file_that_an_import_tells_of_really_publishes(tongzhou, cast, tmp_path):
    file, out = tmp_path / "goods.csv", tmp_path / "own.csv"
    file.write_text(SHOPIFY, encoding="utf-8")
    tongzhou("import", "products", file, "--format", "shopify", "--supplier", "POTTER")
    assert Product.objects.get(slug="clay-pot").status == "DRAFT"
    tongzhou("export", "products", "--out", out)
    rows = out.read_text(encoding="utf-8-sig")
    out.write_text(rows.replace("DRAFT", "PUBLISHED"), encoding="utf-8")
    done = tongzhou("import", "products", out, "--format", "tongzhou")
    assert done.code == 0 and "drafts" not in done.err
    assert Product.objects.get(slug="clay-pot").status == "PUBLISHED"


def test_plan_check_says_the_same_thing_once_with_every_place(tongzhou, db):
    every = tongzhou("plan", "check", EIGHT, "--json").json["findings"]
    said = tongzhou("plan", "check", EIGHT).out
    places = [f for f in every if f["id"] == "CN-DEPTH"]
    assert len(places) > 3
    assert said.count("CN-DEPTH") == len({f["message"] for f in places}) < len(places)
    for finding in every:
        assert f"{finding['path']} = {finding['seen']}" in said and finding["fix"] in said
        assert said.count(finding["citation"]) < len(places)


def test_the_demo_says_its_doors_who_signs_in_what_to_try_and_how_to_stop():
    lines = seed.next_steps("http://127.0.0.1:8000", "http://127.0.0.1:8001")
    text = "\n".join(lines)
    for word in ("http://127.0.0.1:8000/", "/console/", "13800000001", "13800000002", "13900000100", seed.PASSWORD,
                 "http://127.0.0.1:8001/records", "Ctrl-C", "make clean", "demo traffic"):  # fmt: skip
        assert word in text, word
    assert len(lines) <= 18 and max(map(len, lines)) <= 110


def test_a_mall_does_not_start_on_a_port_somebody_answers_on():
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(Refusal) as caught:
            free_ports(other.getsockname()[1])
        assert caught.value.code == "port_taken" and str(other.getsockname()[1]) in str(caught.value.message)
        port = other.getsockname()[1]
    free_ports(port)


def test_days_pass_in_the_demo_and_the_reward_can_be_paid_out(tongzhou, cast):
    """What was sent is received, what was held becomes available; everything is booked today."""
    from tests.test_story import buy, drain, pay

    from tongzhou.fulfilment import commands as fulfilment
    from tongzhou.kit import clock
    from tongzhou.ledger import queries as books
    from tongzhou.rewards import queries as rewards

    now = clock.now()
    placed, start = buy(cast, now)
    pay(placed, start, now)
    drain(now)
    fulfilment.ship(order_id=placed.order_id, carrier="yunda", tracking_no="YD1234567", by=cast.owner, at=now)
    assert tongzhou("demo", "pass", "--days", "9", "--json").json == {"days": 9, "received": 0, "matured": 0}
    assert tongzhou("demo", "pass", "--days", "10", "--json").json == {"days": 10, "received": 1, "matured": 0}
    assert rewards.earnings(cast.sharer).held_minor > 0
    assert tongzhou("demo", "pass", "--days", "16", "--json").json == {"days": 16, "received": 0, "matured": 2}
    assert rewards.earnings(cast.sharer).available_minor > 0
    assert books.verify().ok


def test_a_plan_file_that_says_nothing_is_refused(tongzhou, tmp_path, db):
    empty = tmp_path / "empty.toml"
    empty.write_text("# nothing\n")
    done = tongzhou("plan", "check", str(empty))
    assert done.code != 0 and "PASS" not in done.out


def test_a_signal_to_the_whole_group_leaves_nobody_behind(tmp_path):
    """A service manager signals every process of a mall at once. A web server asked twice leaves without its workers."""
    import os
    import signal
    import subprocess
    import sys
    import time

    mark = f"left-behind-{os.getpid()}"
    worker = "import signal,time;signal.signal(signal.SIGTERM,signal.SIG_IGN);time.sleep(60)"
    child = f"""
import os, signal, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", {worker!r}, sys.argv[1]])
def end(*_):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    time.sleep(1)
    worker.kill()
    worker.wait()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
time.sleep(60)
"""
    script = (
        f"import sys;from tongzhou.cli.run import supervise;supervise([[sys.executable,'-c',{child!r},'{mark}']]*2)"
    )
    boss = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)

    def here():
        return [
            p for p in Path("/proc").iterdir() if p.name.isdigit() and mark.encode() in _said(p / "cmdline") and int(p.name) != boss.pid
        ]  # fmt: skip

    until = time.monotonic() + 20
    while len(here()) < 4 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(here()) == 4
    os.killpg(boss.pid, signal.SIGTERM)
    boss.wait(timeout=20)
    assert not here()


def _said(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""
