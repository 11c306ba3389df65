"""What an operator relies on: the environment's documentation, what production refuses, health, metrics, facts."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tongzhou.config import safety
from tongzhou.kit import outbox
from tongzhou.kit.models import PeriodicTurn
from tongzhou.storefront.views import system

ROOT = Path(__file__).resolve().parents[1]
SAFE = {"TONGZHOU_ENV": "production", "TONGZHOU_SECRET_KEY": "k" * 48, "TONGZHOU_HOSTS": "shop.example",
        "TONGZHOU_SITE_URL": "https://shop.example"}  # fmt: skip


def start(tmp_path, *args, **env):
    """The real command in its own process and home."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TONGZHOU_", "DATABASE_"))}
    return subprocess.run([sys.executable, "-m", "tongzhou.cli", *args], env={**clean, "TONGZHOU_HOME": str(tmp_path), "LANG": "en", **env},
                          capture_output=True, text=True)  # fmt: skip


def test_every_variable_is_documented_and_every_documented_one_is_read():
    code = "".join(
        p.read_text() for p in [*(ROOT / "src/tongzhou/config").glob("*.py"), *(ROOT / "src/tongzhou/cli").glob("*.py")]
    )
    read = set(re.findall(r'"((?:TONGZHOU_[A-Z_]+[A-Z])|DATABASE_URL|PORT)"', code))
    for kind in ("WECHAT", "ALIPAY"):
        block = code[code.index(f"TONGZHOU_{kind}_{{n}}") :]
        read |= {f"TONGZHOU_{kind}_{n}" for n in re.findall(r'"([A-Z0-9_]+)"', block[: block.index(")}")])}
    said = set(
        re.findall(
            r"`((?:TONGZHOU_[A-Z0-9_]+)|DATABASE_URL|PORT)`", (ROOT / "docs/operating/environment.md").read_text()
        )
    )
    assert read - said == set()
    assert said - read <= {"TONGZHOU_TEST_DATABASE_URL", "TONGZHOU_HOME"}


def test_every_fact_and_its_handlers_are_in_events_md():
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", (ROOT / "docs/events.md").read_text(), re.M)
    said = {fact: re.findall(r"`([\w.]+)`", handlers) for fact, handlers in rows}
    assert said == {fact.__name__: [h.name for h in handlers] for fact, handlers in outbox.wiring().items()}


@pytest.mark.parametrize("env, word", [
    ({"TONGZHOU_SECRET_KEY": ""}, "TONGZHOU_SECRET_KEY"), ({"DEBUG": "1"}, "DEBUG"), ({"TONGZHOU_SECRET_KEY": "short"}, "32"),
    ({"TONGZHOU_HOSTS": ""}, "TONGZHOU_HOSTS"), ({"TONGZHOU_SANDBOX_SECRET": "x"}, "sandbox"),
])  # fmt: skip
@pytest.mark.parametrize("verb", ["serve", "web", "worker"])
def test_production_does_not_start_unsafe(tmp_path, verb, env, word):
    ran = start(tmp_path, verb, **{**SAFE, **env})
    assert ran.returncode == 1 and word in ran.stderr and "Traceback" not in ran.stderr, ran


@pytest.mark.parametrize("env", [
    {"TONGZHOU_ENV": "staging"}, {"PORT": "eighty"}, {"PORT": "0"}, {"TONGZHOU_FREIGHT_MINOR": "-1"},
    {"TONGZHOU_TIMEZONE": "Moon/Base"}, {"DATABASE_URL": "mysql://x/y"}, {"DATABASE_URL": "what"},
])  # fmt: skip
def test_a_value_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path, env):
    ran = start(tmp_path, "doctor", **env)
    assert ran.returncode == 1 and next(iter(env)) in ran.stderr and "Traceback" not in ran.stderr, ran


def test_production_syncs_fully_and_takes_no_demo_data(tmp_path):
    assert start(tmp_path, "migrate", **SAFE).returncode == 0
    ran = start(tmp_path, "demo", "seed", **SAFE)
    assert ran.returncode == 1 and "demo_in_production" in ran.stderr
    code = "import django;django.setup();from django.db import connection as c;print(c.cursor().execute('PRAGMA synchronous').fetchone())"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TONGZHOU_", "DATABASE_"))}
    env = {**clean, **SAFE, "TONGZHOU_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tongzhou.config.settings"}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert said.stdout.strip() == "(2,)", said  # 2 = FULL


@pytest.mark.django_db
def test_the_demos_password_is_worth_nothing_in_production(settings):
    from django.contrib.auth import authenticate

    from tests.cast import AT
    from tongzhou.kit.actor import SYSTEM
    from tongzhou.kit.refusals import Refusal
    from tongzhou.people import commands as people

    make = {
        "phone": "13800000001",
        "name": "沈岚",
        "password": settings.DEMO_PASSWORD,
        "roles": {"owner"},
        "by": SYSTEM,
        "at": AT,
    }
    people.create_operator(**make)
    sign_in = {"request": None, "username": "13800000001", "password": settings.DEMO_PASSWORD}
    settings.AUTHENTICATION_BACKENDS = ["tongzhou.people.backends.MemberBackend"]
    assert authenticate(**sign_in) and safety.demo_operators() == ["沈岚"]
    settings.PRODUCTION = True
    assert authenticate(**sign_in) is None
    with pytest.raises(Refusal, match="password_published"):
        people.create_operator(**{**make, "phone": "13800000009"})


@pytest.mark.django_db
def test_health_readiness_and_metrics(client, settings, monkeypatch):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json()["status"] == "ready"
    began = system.STARTED
    PeriodicTurn.objects.create(name="x", due_at=began, last_at=began - timedelta(hours=9))
    for minutes, last, status in ((4, -540, 200), (6, -540, 503), (60, 56, 200), (60, 54, 503)):
        PeriodicTurn.objects.update(last_at=began + timedelta(minutes=last))
        with monkeypatch.context() as later:
            later.setattr(system.clock, "now", lambda minutes=minutes: began + timedelta(minutes=minutes))
            answer = client.get("/readyz")
        assert answer.status_code == status and "worker_seen_seconds_ago" in answer.json(), (minutes, last)
    page = client.get("/metrics")
    assert page.status_code == 200 and b"tongzhou_outbox_waiting 0.0" in page.content
    assert client.get("/metrics", headers={"X-Forwarded-For": "1.2.3.4"}).status_code == 404
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    settings.METRICS_TOKEN = "m" * 20
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer " + "m" * 20}).status_code == 200
    settings.METRICS_TOKEN, settings.PRODUCTION = "", True
    assert client.get("/metrics").status_code == 404
