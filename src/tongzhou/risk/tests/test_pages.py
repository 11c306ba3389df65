"""The pages of risk: the queue, one hold, the settings, the sharer's side of it; in both languages, without others' data."""

import re
from datetime import timedelta

import pytest
from tests.cast import AT, assemble
from tests.test_pages import client, sound

from tongzhou.catalog import commands as catalog
from tongzhou.kit import clock
from tongzhou.people import commands as people
from tongzhou.people.models import Member
from tongzhou.rewards.models import Reward
from tongzhou.risk import commands
from tongzhou.risk.models import ChangedSetting, Hold, Signal
from tongzhou.risk.tests.making import person, sell
from tongzhou.risk.values import Kind, Sighting

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """One hold that waits for a person, one refused; moments near now, because pages ask the clock."""
    cast = assemble()
    people.create_operator(
        phone="13800000009", name="何远", password="sail-together-2026", roles={"operator"}, by=cast.owner, at=AT
    )
    catalog.set_stock(levels=[(cast.rice, 500)], by=cast.owner, at=AT)
    at = clock.now() - timedelta(days=3)
    four = [person(n, AT) for n in range(4)]
    commands.observe([Sighting(m, Kind.DEVICE, "farm") for m in four], at=at)
    commands.observe([Sighting(m, Kind.ACCOUNT, "payer") for m in (cast.buyer, cast.sharer)], at=at)
    sell(cast, cast.sharer, four[0], at)
    sell(cast, cast.sharer, cast.buyer, at)
    return cast, Hold.objects.get(status="OPEN"), Hold.objects.get(status="REFUSED")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_open_in_both_languages(world, language):
    cast, held, refused = world
    desk = client(language=language, console="13800000001")
    for path in (
        "risk",
        "risk?view=all",
        "risk?view=refused",
        f"risk/{held.id}",
        f"risk/{refused.id}",
        "risk/settings",
    ):
        html = sound(desk.get(f"/console/{path}"), path)
        if language == "en":
            left = re.sub(r"(?s)<head.*?</head>|中文|切换到中文", "", html)
            assert set(re.findall(r"[一-鿿]{2,}", re.sub(r"<[^>]+>", " ", left))) <= {
                "林小满", "苏禾", "沈岚", "五常稻花香",
            }, path  # fmt: skip
    mine = client(cast.sharer, language)
    for hold in (held, refused):
        sound(mine.get(f"/earn/why/{hold.reward_id}"), "why")
    sound(mine.get("/me/safety"), "safety")


def test_the_sharer_reads_why_and_appeals_without_learning_who(world):
    cast, _held, refused = world
    mine = client(cast.sharer)
    html = mine.get(f"/earn/why/{refused.reward_id}").content.decode()
    assert "用同一个账户付过款" in html and "这笔没有付" in html and "朋友退了一部分" not in html
    assert "苏禾" not in html and "13900000672" not in html
    mine.post(f"/earn/why/{refused.reward_id}/appeal", {"text": "短"})
    assert Hold.objects.get(id=refused.id).status == "REFUSED"
    mine.post(f"/earn/why/{refused.reward_id}/appeal", {"text": "我们是一家人，用同一张卡。"})
    assert Hold.objects.get(id=refused.id).status == "APPEALED"
    assert "正在看你的申诉" in mine.get(f"/earn/why/{refused.reward_id}").content.decode()
    other = client(cast.buyer).post(f"/earn/why/{refused.reward_id}/appeal", {"text": "替别人申诉一下看看。"})
    assert other.status_code == 404


def test_the_desk_decides_and_the_sharer_reads_the_reason(world):
    cast, held, _refused = world
    desk = client(console="13800000009")
    page = desk.get(f"/console/risk/{held.id}").content.decode()
    assert "天内有 4 个账号" in page and "13700000001" not in page.replace(" ", "")
    short = desk.post(f"/console/risk/{held.id}", {"act": "release", "reason": "好"})
    assert short.status_code == 422 and Hold.objects.get(id=held.id).status == "OPEN"
    assert desk.post(f"/console/risk/{held.id}", {"act": "release", "reason": "店里的公用平板"}).status_code == 302
    assert Reward.objects.get(id=held.reward_id).verdict == "pay"
    assert "店里的公用平板" in client(cast.sharer).get(f"/earn/why/{held.reward_id}").content.decode()


def test_an_owner_changes_a_setting_on_its_page_and_others_only_look(world):
    owner = client(console="13800000001")
    bad = owner.post("/console/risk/settings", {"key": "device_accounts", "value": "0", "reason": "试一试看"})
    assert bad.status_code == 422 and "1–50" in bad.content.decode() and not ChangedSetting.objects.exists()
    good = owner.post("/console/risk/settings", {"key": "device_accounts", "value": "6", "reason": "店里有公用平板"})
    assert good.status_code == 302 and ChangedSetting.objects.get().value == 6
    operator_ = client(console="13800000009")
    assert operator_.get("/console/risk/settings").status_code == 200
    assert (
        operator_.post("/console/risk/settings", {"key": "device_accounts", "value": "5", "reason": "x"}).status_code
        == 403
    )


def test_signing_in_keeps_device_network_and_phone_and_the_switch_deletes_them(world):
    c = client()
    c.get("/s/nothing")
    c.post("/cart/lines", {"sku": str(world[0].rice), "quantity": "1", "add": "1"})
    first = c.post("/sign-in", {"phone": "13711112222"}, REMOTE_ADDR="93.184.216.34")
    code = re.search(r"(\d{6})", re.search(r'id="demo-code".*?</p>', first.content.decode(), re.S)[0])[1]
    c.post("/sign-in", {"phone": "13711112222", "code": code, "agree": "1"}, REMOTE_ADDR="93.184.216.34")
    me = Member.objects.get(phone="+8613711112222").id
    kinds = set(Signal.objects.filter(member_id=me).values_list("kind", flat=True))
    assert kinds == {"device", "ip", "phone", "contact"}
    assert "设备" in sound(c.get("/me/safety"), "safety")
    c.post("/me/safety", {"given": "0"})
    assert set(Signal.objects.filter(member_id=me).values_list("kind", flat=True)) == {"phone", "contact"}
    assert "现在：不记" in c.get("/me/safety").content.decode()
