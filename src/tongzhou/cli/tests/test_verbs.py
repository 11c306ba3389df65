"""Every verb of interfaces.md: its JSON, its exit code, its refusals; stdout for results, stderr for the rest."""

import subprocess
from pathlib import Path

import pytest
from tests.cast import AT, assemble
from typer.main import get_command

from tongzhou.cli.main import app
from tongzhou.ledger.models import AccountBalance

EIGHT = Path(__file__).parents[2] / "demo" / "eight-levels.toml"
PLAN = 'code = "p"\nname = "P"\ncurrency = "CNY"\nprofile = "CN"\n[[rewards]]\nrate_bp = 500\n[assumptions]\nmargin_bp = 4000\n'


@pytest.fixture
def cast(db):
    return assemble()


def leaves(command, path=()):
    for name, sub in getattr(command, "commands", {}).items():
        yield from leaves(sub, (*path, name))
    if not getattr(command, "commands", None):
        yield path


def test_every_verb_explains_itself_with_an_example(tongzhou):
    tongzhou("--help")  # loads the verbs
    verbs = list(leaves(get_command(app)))
    assert len(verbs) >= 28
    for verb in verbs:
        said = tongzhou(*verb, "--help")
        assert said.code == 0
        assert f"Example: tongzhou {' '.join(verb)}" in " ".join(said.out.replace("│", " ").split()), verb


@pytest.mark.parametrize("args", [
    ["sail"], ["ledger"], ["ledger", "trial-balance", "--at", "yesterday"], ["ledger", "seal", "--through", "31.12."],
    ["ledger", "export", "--format", "pdf", "--out", "x"], ["rewards", "summary", "--by", "moon"],
    ["tax", "withhold", "--method", "cumulative", "--income", "-5"],
    ["tax", "withhold", "--method", "guess", "--income", "5"], ["tax", "withhold", "--method", "one-off", "--income", "1e9x"],
    ["demo", "seed", "--scale", "0"], ["search", "products", "茶", "--limit", "0"], ["search", "products"],
    ["import", "products", "x.csv", "--format", "woo"],
])  # fmt: skip
@pytest.mark.django_db
def test_wrong_usage_ends_with_2_and_says_so(tongzhou, args):
    said = tongzhou(*args)
    assert said.code == 2 or (said.code == 0 and args == ["ledger"]), said
    assert "Traceback" not in said.err and not said.out.startswith("{")


def test_a_refusal_with_json_is_one_document_on_stdout(tongzhou, db, tmp_path):
    file = tmp_path / "plan.toml"
    file.write_bytes(b"\x89PNG\x00\x01")
    said = tongzhou("plan", "check", file, "--json")
    assert said.code == 1 and said.json["error"] == "not_toml" and said.json["field"] == "file"
    assert "not a text file" in said.json["message"] and "plan export" in said.json["fix"] and "CSV" not in said.out
    file.write_text(PLAN.replace("rate_bp = 500", 'rate_bp = "much"'))
    said = tongzhou("plan", "import", file, "--json")
    assert said.code == 1 and said.json["error"] == "plan_invalid"
    assert [set(e) >= {"code", "message", "field", "value"} for e in said.json["errors"]] == [True]
    assert tongzhou("plan", "import", file).out == ""


def test_search(tongzhou, cast):
    found = tongzhou("search", "products", "肉桂", "--json").json
    assert found == {"query": "肉桂", "count": 1, "items": [
        {"id": found["items"][0]["id"], "slug": "rougui", "title": "武夷肉桂 岩茶", "price_minor": 9500}]}  # fmt: skip
    assert tongzhou("search", "products", "nothing-at-all", "--json").json["items"] == []
    assert "肉桂" in tongzhou("search", "products", "岩茶").out


def test_plan_check_says_what_the_law_says(tongzhou, tmp_path, db):
    said = tongzhou("plan", "check", EIGHT, "--json")
    assert said.code == 1 and said.json["verdict"] == "BLOCK" and said.json["profile"] == "CN"
    finding = next(f for f in said.json["findings"] if f["id"] == "CN-DEPTH")
    assert set(finding) == {"id", "severity", "path", "seen", "message", "citation", "fix"}
    good = tmp_path / "plan.toml"
    good.write_text(PLAN, encoding="utf-8")
    assert tongzhou("plan", "check", good, "--json").json == {"verdict": "PASS", "profile": "CN", "findings": []}


def test_plan_import_activate_list_export(tongzhou, tmp_path, db):
    file = tmp_path / "plan.toml"
    file.write_text(PLAN, encoding="utf-8")
    assert tongzhou("plan", "import", file, "--json").json["status"] == "DRAFT"
    assert tongzhou("plan", "activate", "p", "--json").json["status"] == "ACTIVE"
    assert [(r["code"], r["status"]) for r in tongzhou("plan", "list", "--json").json] == [("p", "ACTIVE")]
    assert tongzhou("plan", "export", "p").out.strip() == PLAN.strip()
    tongzhou("plan", "import", EIGHT)
    refused = tongzhou("plan", "activate", "eight-levels")
    assert refused.code == 1 and "CN-DEPTH" not in refused.out and "rule:" in refused.err
    assert tongzhou("plan", "activate", "nobody").code == tongzhou("plan", "export", "nobody").code == 1


@pytest.mark.parametrize("content", [b"\x00\x01\x02binary", b"[not toml", "配".encode("gb18030")])
def test_files_that_are_no_plan_are_refused_in_a_sentence(tongzhou, tmp_path, db, content):
    file = tmp_path / "plan.toml"
    file.write_bytes(content)
    for verb in ("check", "import"):
        said = tongzhou("plan", verb, file)
        assert said.code == 1 and said.err and "Traceback" not in said.err and not said.out, said
    assert tongzhou("plan", "check", tmp_path / "missing.toml").code == 1
    assert tongzhou("plan", "check", tmp_path).code == 1


def test_tax_vectors(tongzhou):
    args = ("tax", "withhold", "--method", "cumulative", "--income", "60000,60000,60000,60000", "--json")
    assert tongzhou(*args).json == {"method": "cumulative", "withheld_minor": [178000, 430000, 430000, 710000]}
    one = tongzhou("tax", "withhold", "--method", "one-off", "--income", "800,1000,4001,62500", "--json").json
    assert one["withheld_minor"] == [0, 4000, 64016, 1300000]


def test_ledger_verify_finds_what_is_wrong(tongzhou, cast):
    from tongzhou.ledger import commands as ledger
    from tongzhou.ledger.values import Move

    ledger.post(book_id=cast.supplier, book_kind="supplier", kind="carrier_bill", reference="x", story_id=cast.rice, by=cast.owner, at=AT,
                legs=[Move("expense.freight", "bank", 700)])  # fmt: skip
    said = tongzhou("ledger", "verify", "--json")
    assert said.code == 0 and said.json["ok"] and said.json["transfers"] == 1
    AccountBalance.objects.filter(account="bank").update(credits=800)
    broken = tongzhou("ledger", "verify", "--json")
    assert broken.code == 1 and broken.json["problems"] and "balances_are_sums" in str(broken.json)


def test_trial_balance_seal_and_exports(tongzhou, cast, tmp_path):
    from tongzhou.ledger import commands as ledger
    from tongzhou.ledger.values import Move

    ledger.post(book_id=cast.buyer, kind="capture", reference="x", story_id=cast.buyer, by=cast.owner, at=AT,
                legs=[Move("gateway.sandbox", "suspense.payments", 700)])  # fmt: skip
    now = tongzhou("ledger", "trial-balance", "--json").json
    assert now["debits_minor"] == now["credits_minor"] == 700
    assert tongzhou("ledger", "trial-balance", "--at", "2026-07-13", "--json").json["accounts"] == []
    assert tongzhou("ledger", "seal", "--through", "2026-07-14", "--json").json == {
        "sealed": 1,
        "through": "2026-07-14",
    }
    assert tongzhou("ledger", "seal", "--through", "2099-01-01").code == 1
    for fmt in ("beancount", "hledger", "csv"):
        out = tmp_path / f"books.{fmt}"
        assert tongzhou("ledger", "export", "--format", fmt, "--out", out, "--json").json["transfers"] == 1
        assert out.stat().st_size
    lost = tongzhou("ledger", "export", "--format", "csv", "--out", tmp_path / "no" / "where.csv")
    assert lost.code == 1 and "file_unwritable" in lost.err
    assert {p.name for p in tmp_path.iterdir()} == {"books.beancount", "books.hledger", "books.csv"}


def test_rewards_summary_keeps_its_identity(tongzhou, cast):
    for by in ("", "sharer", "day", "plan"):
        body = tongzhou("rewards", "summary", *(("--by", by) if by else ()), "--json").json
        left = body["earned_minor"] - body["reversed_minor"]
        assert left == (
            body["expected_minor"] + body["held_minor"] + body["available_minor"] + body["in_payout_minor"]
            + body["paid_minor"] - body["receivable_minor"] - body["repaid_minor"] - body["written_off_minor"]
        )  # fmt: skip
        assert ("groups" in body) == bool(by) and body["sharers"] == 0


def test_doctor_says_what_is_wrong_and_how_to_mend_it(tongzhou, cast, settings):
    said = tongzhou("doctor", "--json")
    states = {c["check"]: c for c in said.json["checks"]}
    assert said.code == 0 and said.json["ok"] and states["migrations"]["state"] == "ok"
    assert states["worker"]["state"] == "note" and "tongzhou worker" in states["worker"]["mend"]
    settings.PRODUCTION, settings.ALLOWED_HOSTS, settings.SANDBOX_SECRET = True, ["*"], "x"
    grave = tongzhou("doctor", "--json")
    assert grave.code == 1 and not grave.json["ok"]
    assert {"hosts", "sandbox", "worker"} <= {c["check"] for c in grave.json["checks"] if c["state"] == "missing"}
    assert tongzhou("serve").code == tongzhou("demo", "seed").code == 1


def test_tokens_are_given_and_ended(tongzhou, cast):
    from tongzhou.api import tokens

    given = tongzhou("api", "token", "--phone", "13900000672", "--json").json["token"]
    assert tokens.member_of(given) == cast.buyer
    assert tongzhou("api", "revoke", "--phone", "13900000672").code == 0
    assert tokens.member_of(given) is None
    assert tongzhou("api", "token", "--phone", "13900009999").code == 1


def test_a_mall_without_tables_is_told_to_migrate(tmp_path):
    """The real command, in its own process, on a home of its own."""
    import os
    import sys

    env = {
        **os.environ,
        "TONGZHOU_HOME": str(tmp_path),
        "LANG": "en_US.UTF-8",
        "DATABASE_URL": f"sqlite:///{tmp_path}/t.sqlite3",
    }
    for args, code, word in ((["plan", "list"], 1, "tongzhou migrate"), (["migrate"], 0, "up to date"),
                             (["ledger", "verify", "--json"], 0, ""), (["nonsense"], 2, "nonsense")):  # fmt: skip
        ran = subprocess.run([sys.executable, "-m", "tongzhou.cli", *args], env=env, capture_output=True, text=True)
        assert ran.returncode == code, ran
        assert word in ran.stderr and "Traceback" not in ran.stderr, ran
    env["TONGZHOU_TIMEZONE"] = "Moon/Base"
    ran = subprocess.run([sys.executable, "-m", "tongzhou.cli", "doctor"], env=env, capture_output=True, text=True)
    assert ran.returncode == 1 and "Moon/Base" in ran.stderr and "Traceback" not in ran.stderr
