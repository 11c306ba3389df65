"""Versions: what changed, when it begins, who is warned, what comes out again."""

import io
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cast import AT, PLAN, assemble

from tongzhou.kit.refusals import Refusal
from tongzhou.plans import commands, queries
from tongzhou.plans.diff import diff
from tongzhou.plans.document import dump_document, load_document, plan_of
from tongzhou.plans.models import PlanVersion
from tongzhou.plans.rules import LineFacts, award_order, match, owed_version
from tongzhou.plans.values import PlanVersionValue


def document(**changes):
    return {**load_document(PLAN), **changes}


def said(changes):
    return {f"{c.path}: {c.before} → {c.after}" for c in changes}


def mirrored(changes):
    return {f"{c.path}: {c.after} → {c.before}" for c in changes}


def test_a_diff_names_each_changed_path():
    new = load_document(PLAN.replace("1000", "1200").replace("window_days = 7", "window_days = 14"))
    new["rewards"].insert(0, {"category": "tea", "rate_bp": 800})
    assert said(diff(document(), new)) == {
        "attribution.window_days: 7 → 14",
        "rewards[*].rate_bp: 1000 → 1200",
        "rewards[category=tea]: None → {'category': 'tea', 'rate_bp': 800}",
    }
    assert mirrored(diff(new, document())) == said(diff(document(), new)) and not diff(new, new)


RULE = st.fixed_dictionaries(
    {"rate_bp": st.integers(0, 3000)},
    optional={"depth": st.integers(1, 3), "category": st.sampled_from(["", "tea", "rice"]), "sku": st.just("A")},
)
DOC = st.fixed_dictionaries(
    {"code": st.just("x"), "rewards": st.lists(RULE, max_size=4)},
    optional={
        "settle_days": st.integers(7, 30),
        "caps": st.dictionaries(st.sampled_from(["per_order_minor"]), st.integers(0, 9)),
    },
)


@given(DOC, DOC)
@settings(max_examples=200, deadline=None)
def test_no_difference_exactly_when_nothing_differs(a, b):
    assert not diff(a, a)
    assert said(diff(a, b)) == mirrored(diff(b, a))
    if not diff(a, b):
        line = LineFacts("A", "p", ("tea",), 1000, 0, 1000, None)
        assert award_order(plan_of(a), [line]) == award_order(plan_of(b), [line])


@given(DOC)
@settings(max_examples=100, deadline=None)
def test_documents_survive_toml(doc):
    assert load_document(dump_document(doc)) == doc


CATALOG = (
    {"rate_bp": 100}, {"category": "tea", "rate_bp": 200}, {"category": "oolong", "rate_bp": 300},
    {"product": "rougui", "rate_bp": 400}, {"sku": "R-50", "rate_bp": 500}, {"campaign": "mid-autumn", "rate_bp": 600},
)  # fmt: skip


@given(st.permutations(CATALOG), st.sets(st.sampled_from(["campaign", "sku", "product", "leaf", "parent"])))
def test_the_narrowest_override_wins_wherever_it_stands(rules, about):
    plan = plan_of({"code": "x", "rewards": list(rules)})
    kinds = tuple(c for c, on in (("oolong", "leaf" in about), ("tea", "parent" in about)) if on)
    line = LineFacts(
        "R-50" if "sku" in about else "other", "rougui" if "product" in about else "other", kinds, 10_000, 0, 10_000,
        None, "mid-autumn" if "campaign" in about else "",
    )  # fmt: skip
    order = [("campaign", 600), ("sku", 500), ("product", 400), ("leaf", 300), ("parent", 200)]
    want = next((rate for name, rate in order if name in about), 100)
    assert match(plan.rewards, line).rate_bp == want


@given(
    st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 60), st.integers(0, 40),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
)  # fmt: skip
def test_rate_lock_never_pays_less_than_either_promise_it_owes(then_bp, now_bp, days, lock, amounts):
    def version(bp, n):
        plan = plan_of({"code": "x", "lock_days": lock, "rewards": [{"rate_bp": bp}]})
        return PlanVersionValue(__import__("uuid").UUID(int=n), "x", n, plan, AT)

    then, now = version(then_bp, 1), version(now_bp, 2)
    lines = [LineFacts("s", "p", (), a, 0, a, None) for a in amounts]
    owed = owed_version(now, then, touched_at=AT, order_at=AT + timedelta(days=days), lines=lines)

    def pays(v):
        return sum(a.amount_minor for a in award_order(v.plan, lines) if a)

    assert pays(owed) >= pays(now)
    assert pays(owed) == (max(pays(now), pays(then)) if days <= lock else pays(now))


@pytest.mark.django_db
def test_a_scheduled_version_begins_at_its_moment_and_the_one_before_ends_then():
    cast = assemble()
    first = queries.in_force(AT)
    begins = AT + timedelta(days=8)
    dates = f'[dates]\npublished_at = "{AT.isoformat()}"\neffective_at = "{begins.isoformat()}"\n'
    commands.import_plan(text=PLAN.replace("1000", "800") + dates, by=cast.owner, at=AT)
    second = commands.activate(code="share-10", by=cast.owner, at=AT)
    assert second.effective_at == begins
    for at, want in (
        (AT, first.id),
        (begins - timedelta(seconds=2), first.id),
        (begins, second.id),
        (begins + timedelta(days=90), second.id),
    ):
        queries.forget()
        assert queries.in_force(at).id == want, at
    old = PlanVersion.objects.get(id=first.id)
    assert (old.status, old.retired_at) == ("RETIRED", begins), "still owed until then"


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "refused"), [(0, True), (6, True), (7, False)])
def test_a_cut_needs_seven_days_notice(days, refused):
    cast = assemble()
    begins = AT + timedelta(days=days)
    dates = f'[dates]\npublished_at = "{AT.isoformat()}"\neffective_at = "{begins.isoformat()}"\n'
    commands.import_plan(text=PLAN.replace("1000", "999") + dates, by=cast.owner, at=AT)
    if not refused:
        assert commands.activate(code="share-10", by=cast.owner, at=AT).effective_at == begins
        return
    with pytest.raises(Refusal) as caught:
        commands.activate(code="share-10", by=cast.owner, at=AT)
    assert [e.code for e in caught.value.errors] == ["CN-NOTICE"]
    queries.forget()
    assert queries.in_force(AT).version == 1


@pytest.mark.django_db
def test_a_raise_begins_at_once():
    cast = assemble()
    commands.import_plan(text=PLAN.replace("1000", "1100"), by=cast.owner, at=AT)
    assert commands.activate(code="share-10", by=cast.owner, at=AT).effective_at == AT
    queries.forget()
    assert queries.in_force(AT).version == 2


@pytest.mark.django_db
def test_an_export_is_the_file_that_was_imported_byte_for_byte(tmp_path, monkeypatch):
    from tongzhou.cli import plans as cli

    monkeypatch.setattr(cli, "boot", lambda: None)
    cast = assemble()
    text = '# kept as written\ncode = "kept"   # every word\n\n[[rewards]]\nrate_bp = 500\n'
    for _turn in range(2):
        commands.import_plan(text=text, by=cast.owner, at=AT)
        out = io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        cli.export("kept")
        assert out.getvalue() == text
        text = out.getvalue()
    assert PlanVersion.objects.filter(code="kept").count() == 1
    assert queries.by_label("share-10@1").code == "share-10" == queries.by_label("share-10").code
    with pytest.raises(Refusal):
        queries.by_label("share-10@9")
