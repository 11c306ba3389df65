"""Every code a person may meet in the console has a name in both languages; a new one fails here until it has."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

import tongzhou
from tongzhou.compliance import vocabulary
from tongzhou.config.wiring import periodic
from tongzhou.console import actions, jobs, planwords, texts
from tongzhou.console.tests.desk import open_desk, sign_in
from tongzhou.kit import clock, worker
from tongzhou.kit.models import AuditEntry
from tongzhou.people.commands.consents import PURPOSES

SOURCE = Path(tongzhou.__file__).parent
# actions whose code is put together where they are written, or handed on by a caller
MADE = {"payout.release.1", "payout.release.2", "product.created", "product.changed", "product.published",
        "product.unpublished", "product.archived", "supplier.created", "supplier.changed", "consent.name",
        "dispute.opened", "dispute.won", "dispute.lost", "dispute.fee",
        *(f"consent.{purpose}" for purpose in PURPOSES)}  # fmt: skip


def records():
    """Every ``audit.record(…)`` of the source: its keywords."""
    for path in SOURCE.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
                said = {k.arg: k.value for k in node.keywords if k.arg}
                if "subject_kind" in said:
                    yield said


def both(said, code, *, plain=False):
    """The words in Chinese and in English; neither is the code, but for English words that are one."""
    for language in ("zh-hans", "en"):
        with translation.override(language):
            text = str(said)
        assert text.strip() and (text != code or (plain and language == "en")), (code, language)
        chinese = any("\u4e00" <= c <= "\u9fff" for c in text)
        assert chinese == (language == "zh-hans") or text.isascii(), (code, language, text)


def test_every_action_subject_and_detail_of_the_trail_has_a_name():
    found = list(records())
    assert len(found) > 50
    done = {k["action"].value for k in found if isinstance(k["action"], ast.Constant)} | MADE
    about = {k["subject_kind"].value for k in found if isinstance(k["subject_kind"], ast.Constant)}
    details = {name for k in found for name in k if name not in ("by", "at", "action", "subject_kind", "subject_id")}
    assert done <= set(actions.ACTIONS), done - set(actions.ACTIONS)
    assert about <= set(actions.SUBJECTS), about - set(actions.SUBJECTS)
    assert details <= set(actions.DETAILS), details - set(actions.DETAILS)
    for family in (actions.ACTIONS, actions.SUBJECTS, actions.DETAILS, actions.KINDS):
        for code, said in family.items():
            both(said, code, plain="." not in code)


def test_no_action_has_a_name_that_nothing_records():
    done = {k["action"].value for k in records() if isinstance(k["action"], ast.Constant)} | MADE
    assert set(actions.ACTIONS) <= done, set(actions.ACTIONS) - done


@pytest.mark.django_db
def test_every_job_has_a_name_and_its_answer_is_understood():
    open_desk()
    ran = periodic()
    assert {j.name for j in ran} == set(jobs.JOBS) == set(jobs.ANSWERS)
    worker.run_periodic(ran, at=clock.now())
    for turn in worker.jobs():
        both(jobs.JOBS[turn.name], turn.name)
        with translation.override("zh-hans"):
            said = jobs.answer(turn.name, turn.last_result)
        assert said != turn.last_result and any("\u4e00" <= c <= "\u9fff" for c in said), (turn.name, turn.last_result)
        with translation.override("en"):
            assert jobs.answer(turn.name, turn.last_result).isascii()
    page = sign_in("owner").get("/console/system").content.decode()
    assert "封昨天的账" in page and "<code>ledger.nightly</code>" in page and "days sealed" not in page


def test_a_job_that_failed_says_so_in_words():
    with translation.override("zh-hans"):
        assert "ValueError" in jobs.answer("kit.reap", "failed: ValueError").partition("没跑成")[2]
        assert jobs.answer("kit.reap", "words of tomorrow") == "words of tomorrow"


def leaves(shape, path=()):
    """Every section and field of the vocabulary."""
    if isinstance(shape, list):
        yield from leaves(shape[0], path)
    elif isinstance(shape, dict):
        for key, inner in shape.items():
            yield key, isinstance(inner, dict) or (isinstance(inner, list) and isinstance(inner[0], dict))
            yield from leaves(inner, (*path, key))


def test_every_word_of_a_plan_has_a_name():
    for key, section in leaves(vocabulary.KEYS):
        both((planwords.SECTIONS if section else planwords.FIELDS)[key], "" if key == "sku" else key)
    for known, named in ((vocabulary.KNOWN_TRIGGERS, planwords.TRIGGERS), (vocabulary.KNOWN_BASES, planwords.BASES),
                         (vocabulary.KNOWN_KINDS, planwords.KINDS), (vocabulary.KNOWN_METRICS, planwords.METRICS)):  # fmt: skip
        assert set(known) == set(named)
        for code, said in named.items():
            both(said, code if code.isascii() else "")
    assert set(texts.WORDS["base"]) <= set(planwords.BASES)


@pytest.mark.parametrize(
    ("path", "value", "chinese", "english"),
    [
        ("rewards[depth=2].rate_bp", 800, "奖励（第 2 层） · 比例 = 8.00%", "Rewards (level 2) · Rate = 8.00%"),
        ("rewards[*]", {"rate_bp": 800, "depth": 1}, "奖励（全部商品） = 比例 8.00%，层 1", "Rewards (All products) = Rate 8.00%, Depth 1"),
        ("rewards[3].depth", 4, "奖励 4 · 层 = 4", "Rewards 4 · Depth = 4"),
        ("caps.per_order_minor", 5000, "各种上限 · 每单 = ¥50.00", "Ceilings · Per order = ¥50.00"),
        ("attribution.window_days", None, "归属 · 有效期 = —", "Attribution · Window = —"),
        ("settle_days", 15, "结算等待 = 15 天", "Waiting period = 15 days"),
        ("rewards[category=tea].withdrawable", False, "奖励（商品分类 tea） · 能提现 = 否", "Rewards (Category tea) · Can be paid out = no"),
    ],
)  # fmt: skip
def test_a_changed_field_reads_in_both_languages(path, value, chinese, english):
    key = path.rpartition(".")[2].partition("[")[0]
    for language, said in (("zh-hans", chinese), ("en", english)):
        with translation.override(language):
            assert f"{planwords.place(path)} = {planwords.value(key, value)}" == said


@pytest.mark.django_db
def test_the_trail_shows_names_with_the_code_beside_them():
    open_desk()
    AuditEntry.objects.filter(action="order.ship").update(detail={"carrier": "sf", "units": 2, "sound": False})
    page = sign_in("owner").get("/console/audit").content.decode()
    assert "发货" in page and "<code>order.ship</code>" in page and "件数" in page and "否" in page
    assert ">units " not in page and "subject_kind" not in page


def test_what_a_finding_saw_reads_as_money_and_shares():
    from tongzhou.console.templatetags.console_tags import plan_seen

    assert plan_seen("19900", "join.fee") == "¥199.00"
    assert plan_seen("1250", "rewards[0].rate_bp") == "12.50%"
    assert plan_seen("8", "rewards[7].depth") == "8"
    assert plan_seen("head_count", "rewards[0].trigger") == "head_count"
