"""Payouts and tax on the command line."""

import pytest

from tongzhou.kit.ids import new_id
from tongzhou.payouts import commands as payouts
from tongzhou.payouts.models import Payee, Payout
from tongzhou.payouts.tests.scene import AT, released, sharer, two
from tongzhou.payouts.values import RailOutcome

pytestmark = pytest.mark.django_db


def test_rails_say_what_they_lack_and_an_open_one_that_lacks_something_is_exit_1(tongzhou, settings):
    said = tongzhou("payouts", "rails", "--json")
    rows = {r["rail"]: r for r in said.json["rails"]}
    assert said.code == 0 and said.json["default"] == "sandbox" and rows["sandbox"]["missing"] == []
    assert "TONGZHOU_ALIPAY_APP_ID is not set" in rows["alipay"]["missing"] and not rows["alipay"]["open"]
    payouts.change_policy(changes={"rails": "sandbox", "rail": "sandbox", "min_minor": "2"}, by=two()[0], at=AT)
    settings.TONGZHOU_ENV = "production"
    assert tongzhou("payouts", "rails").code == 0  # in production the sandbox is not open by itself


def test_keys_rotate(tongzhou, settings):
    settings.DATA_KEYS = ["old"]
    sharer()
    settings.DATA_KEYS = ["new", "old"]
    assert "1 rows re-encrypted, 0 left" in tongzhou("payouts", "rotate-keys", "--batch", "1").err
    assert "0 rows re-encrypted" in tongzhou("payouts", "rotate-keys").err
    settings.DATA_KEYS = ["newest"]
    refused = tongzhou("payouts", "rotate-keys")
    assert refused.code == 1 and "TONGZHOU_DATA_KEYS" in refused.err and Payee.objects.count() == 1


def test_statement_tables_and_reconciliation(tongzhou, tmp_path):
    member = sharer(1_000_000)
    pid = released(member, 1_000_000, two())
    payouts.mark_sent(pid, at=AT)
    payouts.record(pid, RailOutcome("paid", "t"), at=AT)
    said = tongzhou("tax", "statement", member, "--year", "2026", "--out", tmp_path / "s.csv", "--json")
    assert (said.json["gross_minor"], said.json["tax_minor"], len(said.json["rows"])) == (1_000_000, 9_000, 1)
    assert "9910.00" in (tmp_path / "s.csv").read_text(encoding="utf-8")
    assert "received 0.00" in tongzhou("tax", "statement", new_id(), "--year", "2026").out
    assert tongzhou("tax", "statement", "me", "--year", "2026").code == 2
    assert "2025-10-01" in tongzhou("tax", "tables").out
    assert set(tongzhou("tax", "tables", "--json").json) == {"cumulative", "one_off", "vat_withholding"}
    assert tongzhou("tax", "reconcile", "--json").json == {
        "ok": True, "withheld_minor": 9_000, "owed_back_minor": 0, "problems": []
    }  # fmt: skip
    Payout.objects.filter(id=pid).update(tax_minor=8_999)
    broken = tongzhou("tax", "reconcile")
    assert broken.code == 1 and "the book says 9000, payouts 8999" in broken.out
