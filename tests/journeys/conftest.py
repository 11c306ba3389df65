"""A running mall for browsers: the real processes (web, worker, sandbox bank) on free ports, with the demo's data.

Without Chromium the journeys are skipped, visibly; with CI set that is a failure.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pytest_collection_modifyitems(items):
    """Browsers are needed here."""
    if CHROMIUM:
        return
    for item in items:
        if "journeys" in str(item.fspath):
            if os.environ.get("CI"):
                raise pytest.UsageError("CI needs Chromium for the journeys")
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@pytest.fixture(scope="session")
def mall(tmp_path_factory):
    """The address of a mall that is up, and its environment for the command line."""
    home, port = tmp_path_factory.mktemp("mall"), _free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_URL", "TONGZHOU_", "DJANGO_"))}
    env |= {
        "TONGZHOU_HOME": str(home),
        "PORT": str(port),
        "TONGZHOU_SANDBOX_PORT": str(_free_port()),
        "PYTHONPATH": str(ROOT / "src"),
    }
    log = (home / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "tongzhou.cli", "demo", "up", "--port", str(port)],
        env=env,
        stdout=log,
        stderr=log,
        cwd=ROOT,
    )
    base = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            if httpx.get(base + "/readyz", timeout=2).status_code == 200:
                break
        except httpx.HTTPError:
            time.sleep(0.5)
        assert process.poll() is None, (home / "log").read_text()[-3000:]
    else:
        pytest.fail("the mall did not start: " + (home / "log").read_text()[-3000:])
    yield base, env
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope="session")
def chromium():
    """One browser for all journeys."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                  "--disable-component-update", "--disable-sync"],
        )  # fmt: skip
        yield browser
        browser.close()


@pytest.fixture
def phone(chromium, mall):
    """Opens a fresh phone: ``phone(language)`` gives a page; scripts can be turned off."""
    contexts = []

    def fresh(language="zh-CN", *, scripts=True):
        context = chromium.new_context(
            viewport={"width": 390, "height": 844},
            locale=language,
            base_url=mall[0],
            java_script_enabled=scripts,
            bypass_csp=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    yield fresh
    for context in contexts:
        context.close()
