"""The simulator's page, the compliance page, the evidence: in both languages, with what they say and what they do."""

import re
from decimal import Decimal

import pytest

from tongzhou.console import charts
from tongzhou.console.tests.desk import open_desk, sign_in
from tongzhou.kit import clock
from tongzhou.plans import queries as versions
from tongzhou.rewards import monitors, queries

pytestmark = pytest.mark.django_db


def sound(response):
    assert response.status_code == 200, response.content[:800]
    html = response.content.decode()
    assert len(re.findall(r"<h1[ >]", html)) == 1 and not re.search(r'\sstyle="', html)
    return html


def chinese(html):
    text = re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<(script|head|pre).*?</\1>", "", html))
    return set(re.findall(r"[\u4e00-\u9fff]{2,}", text)) - {"分享", "两层", "沈岚", "林小满", "苏禾", "中文"}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_version_is_simulated_beside_what_was_in_force(language):
    open_desk()
    draft, client = versions.latest("deep"), sign_in("operator", language)
    sound(client.get("/console/simulation"))
    html = sound(client.get(f"/console/simulation?plan={draft.id}"))
    assert "CN-DEPTH" in html and "<svg" in html and "¥29.00" in html, "two orders of 14.50 were accrued"
    if language == "en":
        assert not chinese(html)
    rows = client.get(f"/console/simulation/members?plan={draft.id}").content.decode().splitlines()
    assert rows[0] == "\ufeffmember,before,after,change" and rows[1].endswith(",29.00,0.00,-29.00")


def test_a_period_that_is_wrong_is_refused_with_its_field():
    open_desk()
    client = sign_in("owner")
    plan = versions.latest("deep").id
    for query, code in (
        (f"plan={plan}&from=x", 422),
        (f"plan={plan}&from=2026-02-01&to=2026-01-01", 422),
        ("plan=nothing", 422),
    ):
        assert client.get(f"/console/simulation?{query}").status_code == code, query


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_compliance_page_and_the_evidence_tell_what_is(language):
    open_desk()
    client = sign_in("owner", language)
    assert "CN-FEE" in sound(client.get("/console/compliance"))
    assert client.post("/console/compliance", {"act": "look"}).status_code == 302
    assert len(monitors.nights()) == 14
    monitors.look(clock.mall_day(clock.now()), at=clock.now())
    for path in ("/console/compliance", "/console/compliance/evidence"):
        html = sound(client.get(path))
        assert "100.00%" in html
        if language == "en":
            assert not chinese(html), path
    assert "CN-DEPTH" in html and "rate_bp = 500" in html and re.search(r"sha256 [0-9a-f]{64}", html)
    assert "林小满" not in html and "苏禾" not in html, "no member is named in the evidence"


def test_the_evidence_has_one_hash_in_every_language_and_another_when_a_fact_changes():
    open_desk()

    def seal(language):
        return re.search(
            r"sha256 ([0-9a-f]{64})", sign_in("owner", language).get("/console/compliance/evidence").content.decode()
        )[1]

    first = seal("zh-hans")
    assert seal("en") == first
    monitors.look(clock.mall_day(clock.now()), at=clock.now())
    assert seal("en") != first


def test_charts_stay_inside_their_frame():
    day = clock.mall_day(clock.now())
    chart = charts.two([(day, 5, 10)])
    assert chart.top == 10 and chart.now == "M62.0 20.0" and charts.two([]) is None
    assert charts.spark([]) == ("", "") and charts.spark([3])[0].endswith("H112")
    line, limit = charts.spark([0, 8000, 10_000], 8000)
    assert all(0 <= Decimal(y) <= 28 for y in re.findall(r" ([\d.]+)", line)) and limit.startswith("M0 ")
    bars = charts.tenths([0] * 10, list(range(10)))
    assert bars[9].now_h == "150.0" and bars[0].was_h == "0.0"
    assert queries.by_depth() == []
