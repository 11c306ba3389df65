"""Payouts by two, plans and the law, the books."""

import re

import pytest
from tests.cast import PASSWORD

from tongzhou.console.tests.desk import STAFF, open_desk, sign_in
from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.ids import new_id
from tongzhou.ledger import commands as ledger
from tongzhou.ledger import queries as books
from tongzhou.ledger.values import Move
from tongzhou.payouts import commands as payouts
from tongzhou.payouts import queries as paying
from tongzhou.people import commands as people
from tongzhou.plans import queries as versions

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return open_desk()


def ask(member_id, amount=5000):
    """A payout somebody asked for, with the money to cover it."""
    at = clock.now()
    ledger.post(
        book_id=member_id, kind="opening", reference=f"opening:{new_id()}", story_id=new_id(), by=SYSTEM, at=at,
        legs=[Move("opening", "reward.available", amount)],
    )  # fmt: skip
    payouts.register_payee(
        member_id=member_id, legal_name="林小满", account="6222020000003308", born="1990-01-01", by=SYSTEM, at=at
    )
    return payouts.request(member_id=member_id, amount_minor=amount, at=at)


class TestPayouts:
    """Two keys."""

    def test_two_people_release_and_the_second_types_the_net(self, desk):
        payout = ask(desk.cast.sharer)
        first, second = sign_in("owner"), sign_in("finance")
        assert "林**" in first.get("/console/payouts").content.decode()
        shown = first.get(f"/console/payouts/release?id={payout}").content.decode()
        assert 'name="net"' not in shown, "the first person types nothing"
        assert first.post("/console/payouts/release", {"id": [str(payout)]}).status_code == 302
        assert paying.payout(payout).status == "CHECKED"
        mine = first.get("/console/payouts").content.decode()
        assert "两个人" in mine and "第一把钥匙是你转的" in mine and f'value="{payout}"' not in mine
        assert re.search(r'type="checkbox" disabled', mine), "shown, and not to be ticked"
        assert f'value="{payout}"' in second.get("/console/payouts").content.decode()
        shown = second.get(f"/console/payouts/release?id={payout}").content.decode()
        assert "第二人放款，1 笔" in shown and "放出 ¥50.00" in shown
        again = first.post("/console/payouts/release", {"id": [str(payout)], "net": "50.00"})
        assert again.status_code == 422 and "第一人就是你" in again.content.decode()
        wrong = second.post("/console/payouts/release", {"id": [str(payout)], "net": "49.99"})
        assert wrong.status_code == 422 and 'value="49.99"' in wrong.content.decode()
        assert paying.payout(payout).status == "CHECKED"
        assert second.post("/console/payouts/release", {"id": [str(payout)], "net": "50.00"}).status_code == 302
        assert paying.payout(payout).status == "RELEASED"
        assert second.post("/console/payouts/release", {"id": [str(payout)], "net": "50.00"}).status_code == 422

    def test_nobody_releases_their_own(self, desk):
        payout = ask(desk.cast.finance.id)
        mine = sign_in("finance")
        page = mine.get(f"/console/payouts/{payout}").content.decode()
        assert "收款人是你自己" in page and 'value="release"' not in page
        assert mine.post(f"/console/payouts/{payout}", {"act": "release"}).status_code == 403
        assert mine.post("/console/payouts/release", {"id": [str(payout)]}).status_code == 422
        assert paying.payout(payout).status == "REQUESTED"

    def test_a_payout_is_turned_down_with_a_reason(self, desk):
        payout, owner = ask(desk.cast.sharer), sign_in("owner")
        assert owner.post(f"/console/payouts/{payout}", {"act": "reject", "reason": "x"}).status_code == 422
        assert owner.post(f"/console/payouts/{payout}", {"act": "reject", "reason": "账户名不对"}).status_code == 302
        assert paying.payout(payout).status == "REJECTED"
        assert books.balances(desk.cast.sharer)["reward.available"] == 5000
        assert owner.post(f"/console/payouts/{payout}", {"act": "release"}).status_code in (403, 409)


def plan_fields(html):
    out = {}
    part = re.search(r"(?s)<form[^>]*data-form.*?</form>", html)[0]
    for tag in re.findall(r"<input[^>]*>", part):
        name = re.search(r'name="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            out[name[1]] = (re.search(r'value="([^"]*)"', tag) or ["", ""])[1]
    for name, body in re.findall(r'(?s)<select[^>]*name="([^"]*)".*?>(.*?)</select>', part):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', body)
        out[name] = (chosen[1] or chosen[2]) if chosen else ""
    return out


class TestPlans:
    """The form, the file, the law."""

    def test_the_form_of_a_plan_says_what_the_plan_says(self, desk):
        owner = sign_in("owner")
        said = plan_fields(owner.get("/console/plans/new").content.decode())
        assert (
            said["settle_days"] == "15"
            and said["row-0-rate"] == "10.00"
            and said["caps-payout_to_margin_bp"] == "50.00"
        )
        checked = owner.post("/console/plans/new", {**said, "check": "1"}).content.decode()
        assert "verdict" in checked and versions.latest("share-10").version == 1, "checking keeps nothing"
        kept = owner.post("/console/plans/new", {**said, "code": "share-10", "row-0-rate": "9.00", "save": "1"})
        assert kept.status_code == 302
        draft = versions.latest("share-10", status="DRAFT")
        assert draft.version == 2 and draft.document["rewards"][0]["rate_bp"] == 900
        assert draft.document["attribution"] == {"model": "last_touch", "window_days": 7}
        page = owner.get(f"/console/plans/{draft.id}").content.decode()
        assert "rate_bp" in page and ">10.00%<" in page and ">9.00%<" in page and "奖励（全部商品） · 比例" in page, (
            "what differs from the one in force"
        )

    def test_faults_of_the_form_stand_at_their_fields(self, desk):
        owner = sign_in("owner")
        said = plan_fields(owner.get("/console/plans/new").content.decode())
        bad = {**said, "settle_days": "soon", "row-0-rate": "a lot", "caps-per_order_minor": "x", "row-1-scope": "category",
               "row-1-rate": "5", "row-1-key": ""}  # fmt: skip
        answer = owner.post("/console/plans/new", {**bad, "save": "1"})
        html = answer.content.decode()
        assert answer.status_code == 422 and 'value="soon"' in html and 'value="a lot"' in html
        for anchor in ("settle_days", "rewards-0-rate_bp", "caps-per_order_minor", "rewards-1-key"):
            assert f'href="#f-{anchor}"' in html and f'id="e-{anchor}"' in html, anchor
        answer = owner.post(
            "/console/plans/new", {**said, "lock_days": "999", "row-0-rate": "150", "code": "", "save": "1"}
        )
        html = answer.content.decode()
        assert answer.status_code == 422
        for anchor in ("lock_days", "rewards-0-rate_bp", "code"):
            assert f'id="e-{anchor}"' in html, anchor

    def test_eight_levels_and_a_joining_fee_from_the_form_are_refused_with_the_law(self, desk):
        owner = sign_in("owner")
        said = plan_fields(owner.get("/console/plans/new").content.decode())
        deep = {f"row-{i}-{k}": v for i in range(8) for k, v in (
            ("scope", "all"), ("key", ""), ("rate", "2"), ("amount", ""), ("depth", str(i + 1)), ("trigger", "retail_sale"),
            ("base", "paid_net"), ("kind", "commission"))}  # fmt: skip
        kept = owner.post("/console/plans/new", {**said, **deep, "code": "eight", "join-fee": "365.00", "save": "1"})
        assert kept.status_code == 302
        row = versions.latest("eight")
        assert [r["depth"] for r in row.document["rewards"]] == list(range(1, 9)) and row.document["join"][
            "fee"
        ] == 36500
        refused = owner.post(kept["Location"], {"act": "activate"})
        html = refused.content.decode()
        assert refused.status_code == 403 and versions.row(row.id).status == "DRAFT"
        for said_ in ("CN-DEPTH", "CN-FEE", "禁止传销条例", "不能启用"):
            assert said_ in html, said_

    def test_a_block_cannot_be_signed_and_a_review_can_by_name(self, desk):
        owner, page = sign_in("owner"), f"/console/plans/{desk.plan}"
        blocked = owner.post(
            page, {"act": "sign", "finding": "CN-DEPTH", "path": "rewards[0].depth", "reason": "我担保"}
        )
        assert blocked.status_code in (403, 404)
        text = (
            'code = "rich"\nsettle_days = 15\n[[rewards]]\nrate_bp = 100\n[copy]\ntexts = ["分享一下，下班也能躺赚"]\n'
        )
        kept = owner.post("/console/plans/file", {"toml": text, "save": "1"})["Location"]
        html = owner.get(kept).content.decode()
        assert 'name="finding"' in html
        form = {k: re.search(rf'name="{k}" value="([^"]*)"', html)[1] for k in ("finding", "path")}
        assert owner.post(kept, {"act": "sign", **form, "reason": ""}).status_code == 422
        assert owner.post(kept, {"act": "sign", **form, "reason": "法务看过，改前不发"}).status_code == 302
        assert "法务看过" in owner.get(kept).content.decode()

    def test_a_draft_is_replayed_over_the_real_orders_beside_what_is_in_force(self, desk, monkeypatch):
        from tongzhou.console.views import plans as view

        owner = sign_in("owner")
        text = 'code = "half"\nsettle_days = 15\n[[rewards]]\nrate_bp = 500\n[member_price]\ndiscount_bp = 500\n'
        kept = owner.post("/console/plans/file", {"toml": text, "save": "1"})["Location"]
        html = owner.get(f"{kept}?replay=1").content.decode()
        figures = [
            int(x.replace(",", "").replace(".", ""))
            for x in re.findall(r"¥([\d,.]+)", html.split('id="replay"')[1].split("</dl>")[0])
        ]
        assert figures[0] * 2 == figures[1] and figures[1] > 0, "half the rate, half the rewards"
        assert versions.row(kept.rsplit("/", 1)[1]).status == "DRAFT"
        monkeypatch.setattr(view, "MOST_ORDERS", 0)
        assert owner.get(f"{kept}?replay=1").status_code == 429

    def test_a_file_comes_in_and_goes_out_the_same(self, desk):
        owner = sign_in("owner")
        text = 'code = "filed"\nname = "从文件"\n[[rewards]]\nrate_bp = 300\n'
        for bad in ("", "a = ", 'code = "x"\nsettle_days = "soon"\n'):
            answer = owner.post("/console/plans/file", {"toml": bad, "save": "1"})
            assert answer.status_code == 422 and bad.strip() in answer.content.decode().replace("&quot;", '"')
        checked = owner.post("/console/plans/file", {"toml": text, "check": "1"})
        assert checked.status_code == 200 and versions.latest("filed") is None
        kept = owner.post("/console/plans/file", {"toml": text, "save": "1"})["Location"]
        assert owner.get(f"{kept}/download").content.decode().replace("\r\n", "\n").strip() == text.strip()


def test_another_jurisdiction_takes_two_owners(desk):
    people.grant_role(member_id=desk.cast.finance.id, role="owner", by=SYSTEM, at=clock.now())
    first, second, page = sign_in("owner"), sign_in("finance"), "/console/plans/law"
    assert first.post(page, {"act": "propose", "profile": "EU", "reason": "x"}).status_code == 422
    assert first.post(page, {"act": "propose", "profile": "XX", "reason": "换主体了"}).status_code == 422
    assert first.post(page, {"act": "propose", "profile": "EU", "reason": "换主体了"}).status_code == 302
    change = re.search(r'name="change" value="([^"]+)"', second.get(page).content.decode())[1]
    assert 'value="confirm"' not in first.get(page).content.decode()
    assert first.post(page, {"act": "confirm", "change": change}).status_code == 403
    assert second.post(page, {"act": "confirm", "change": change}).status_code == 302
    assert (
        "换主体了" in second.get(page).content.decode()
        and "EU" in re.search(r"(?s)<h1.*?</h1>", second.get(page).content.decode())[0]
    )
    assert second.post(page, {"act": "confirm", "change": change}).status_code == 409


class TestLedger:
    """Read-only."""

    def test_the_books_are_looked_at_from_every_side(self, desk):
        finance = sign_in("finance")
        page = finance.get("/console/ledger").content.decode()
        assert 'class="acct">gateway.<wbr>sandbox<' in page, "a code breaks at its dots, never inside a word"
        assert "delivered" not in finance.get("/console/ledger?kind=capture").content.decode().split("<tbody>")[1]
        assert finance.get("/console/ledger?from=2020-01-01&to=2020-01-02").content.decode().count("list__key") == 0
        book = finance.get(f"/console/ledger?book={desk.cast.sharer}").content.decode()
        assert "reward.held" in book and "林**" in book
        assert finance.get("/console/ledger/accounts/reward.held").content.decode().count("list__key") == 1
        assert desk.received in "".join(
            finance.get(f"/console/ledger/{p.id}").content.decode() for p in books.postings(kind="delivered")
        )
        assert finance.get(f"/console/ledger/{new_id()}").status_code == 404

    def test_the_proof_runs_on_demand_and_is_recorded(self, desk):
        finance = sign_in("finance")
        page = finance.post("/console/ledger/balance")
        assert page.status_code == 200 and "全部成立" in page.content.decode()
        assert "ledger.verify" in str(finance.get("/console/audit?action=ledger.verify").content.decode())

    def test_a_proof_too_large_for_a_page_is_sent_to_the_command_line(self, desk, monkeypatch):
        from tongzhou.console.views import ledger as view

        monkeypatch.setattr(view, "MOST_TRANSFERS", 3)
        finance = sign_in("finance")
        assert finance.post("/console/ledger/balance").status_code == 429
        assert finance.get("/console/ledger/export?format=csv").status_code == 429

    def test_exports(self, desk):
        finance = sign_in("finance")
        for fmt, word in (("beancount", "Assets"), ("hledger", "deposit"), ("csv", "debit")):
            answer = finance.get(f"/console/ledger/export?format={fmt}")
            assert answer.status_code == 200 and word.lower() in answer.content.decode().lower(), fmt
        assert finance.get("/console/ledger/export?format=pdf").status_code == 422

    def test_no_address_of_the_ledger_writes(self, desk):
        finance, before = sign_in("finance"), books.trial_balance()
        for path in ("ledger", "ledger/balance", "ledger/export", f"ledger/{desk.posting}", "ledger/accounts/bank"):
            for method in (finance.post, finance.put, finance.delete, finance.patch):
                assert method(f"/console/{path}").status_code in (200, 405), path
        assert books.trial_balance() == before


def test_finance_who_is_also_support_sees_both(desk):
    people.grant_role(member_id=desk.cast.finance.id, role="support", by=SYSTEM, at=clock.now())
    both = sign_in("finance")
    assert both.get("/console/orders").status_code == 200 and both.get("/console/payouts").status_code == 200
    assert STAFF and PASSWORD
