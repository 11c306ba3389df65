"""Who may open what: every address of the console × every role, written by hand."""

import pytest
from django.test import Client

from tongzhou.console import urls
from tongzhou.console.tests.desk import STAFF, open_desk, shopper, sign_in
from tongzhou.people import commands as people
from tongzhou.people.models import Member, Role

pytestmark = pytest.mark.django_db

# Letters: O owner, P operator, F finance, S support. Everybody else is sent to sign in.
MAY = {
    "": "OPFS", "find": "OPFS",
    "products": "OP", "products/new": "OP", "products/import": "OP", "products/export": "OP",
    "products/<str:identity>": "OP", "products/<str:identity>/status": "OP", "products/<str:identity>/pictures": "OP",
    "orders": "OPS", "orders/ship": "OPS", "orders/<str:no>": "OPS", "orders/<str:no>/why": "OPS", "orders/<str:no>/refund": "OPS", "search": "OP", "search/synonyms": "OP",
    "cases": "OPS", "disputes": "OPFS", "cases/<str:no>": "OPS",
    "payouts": "OF", "payouts/release": "OF", "payouts/<str:identity>": "OF",
    "payouts/files": "OF", "payouts/files/<str:identity>": "OF", "payouts/settings": "OF", "tax": "OF",
    "tax/members/<str:identity>": "OF",
    "plans": "OP", "plans/new": "OP", "plans/file": "OP", "plans/law": "OP", "plans/<str:identity>": "OP",
    "plans/<str:identity>/download": "OP",
    "simulation": "OP", "simulation/members": "OP", "compliance": "OPF", "compliance/evidence": "OPF",
    "ledger": "OF", "ledger/balance": "OF", "ledger/reports": "OF", "ledger/export": "OF", "ledger/accounts/<str:code>": "OF",
    "ledger/<str:identity>": "OF",
    "risk": "OPF", "risk/settings": "OPF", "risk/<str:identity>": "OPF",
    "members": "OPS", "members/<str:identity>": "OPS", "members/<str:identity>/rebind": "OPS",
    "sharing": "OP", "sharing/bindings": "OP",
    "audit": "OF", "system": "O",
}  # fmt: skip
EVERYBODY = {"sign-in", "setup", "sign-out"}
ACT = {
    "risk/settings": "O",
    "risk/<str:identity>": "OP",
    "members/<str:identity>/rebind": "OP",
    "plans/law": "O",
    "compliance": "OF",
    "orders/ship": "OP",
    "orders/<str:no>": "OP",
    "orders/<str:no>/refund": "OP",
}  # who may POST, where fewer may than look
POST_ONLY = {"products/<str:identity>/status", "products/<str:identity>/pictures"}
LETTER = {"owner": "O", "operator": "P", "finance": "F", "support": "S"}


def patterns():
    return {str(p.pattern) for p in urls.urlpatterns}


def test_the_table_names_every_address_and_no_other():
    assert patterns() == set(MAY) | EVERYBODY


@pytest.mark.parametrize("role", list(STAFF))
def test_each_role_opens_its_rooms_and_no_other(role):
    desk, client = open_desk(), sign_in(role)
    for pattern, who in MAY.items():
        path = desk.address(pattern)
        if pattern not in POST_ONLY:
            looked = client.get(path).status_code
            assert (looked != 403) == (LETTER[role] in who), (role, path, looked)
            assert looked in (200, 302, 403, 404, 422), (role, path, looked)
        posted = client.post(path, {}).status_code
        assert posted in (302, 403, 404, 405, 409, 422, 200), (role, path, posted)
        if posted != 405:
            assert (posted != 403) == (LETTER[role] in ACT.get(pattern, who)) or pattern.startswith("plans/<"), (
                role, path, posted)  # fmt: skip


def test_shoppers_and_strangers_are_sent_to_sign_in():
    desk = open_desk()
    for client in (Client(), shopper(desk.cast.buyer), shopper(desk.cast.owner.id)):  # an SMS alone opens nothing
        for pattern in MAY:
            for call in (client.get, client.post):
                answer = call(desk.address(pattern))
                assert answer.status_code in (302, 405), (pattern, answer.status_code)
                if answer.status_code == 302:
                    assert answer["Location"].startswith("/console/sign-in?next="), pattern


def test_support_sees_orders_and_answers_but_ships_nothing():
    desk, client = open_desk(), sign_in("support")
    page = client.get(f"/console/orders/{desk.paid}")
    assert page.status_code == 200 and 'value="cancel"' not in page.content.decode()
    refused = client.post(
        f"/console/orders/{desk.paid}", {"act": "ship", "carrier": "yunda", "tracking_no": "YD123456"}
    )
    assert refused.status_code == 403 and "operator" in refused.content.decode()
    assert client.post(f"/console/cases/{desk.case}", {"act": "approve"}).status_code == 302


class TestSetup:
    """The first owner of a new mall."""

    def ask(self, **changes):
        said = {"code": people_code(), "name": "沈岚", "phone": "13800000009", "password": "a-boat-for-all-2026"}
        return Client().post("/console/setup", {**said, **changes})

    def test_the_console_begins_with_the_wizard(self):
        assert Client().get("/console/sign-in")["Location"] == "/console/setup"
        assert Client().get("/console/setup").status_code == 200

    def test_a_wrong_code_and_weak_passwords_are_refused_and_what_was_typed_is_kept(self):
        wrong = self.ask(code="nope")
        assert wrong.status_code == 422 and 'aria-describedby="e-code"' in wrong.content.decode()
        for weak in ("short1", "1234567890123", "password123"):
            answer = self.ask(password=weak)
            html = answer.content.decode()
            assert answer.status_code == 422 and 'id="e-password"' in html and 'value="13800000009"' in html
            assert weak not in html, "a password is never shown again"
        assert self.ask(phone="12").status_code == 422
        assert not Role.objects.exists() and not Member.objects.exists()

    def test_there_is_one_first_owner(self):
        assert self.ask().status_code == 302
        assert Client().get("/console/setup")["Location"] == "/console/sign-in"
        assert self.ask(phone="13800000010").status_code == 302 and Role.objects.count() == 1
        assert Client().post("/console/sign-in", {"phone": "13800000009", "password": "x"}).status_code == 422
        done = Client().post("/console/sign-in", {"phone": "13800000009", "password": "a-boat-for-all-2026"})
        assert done["Location"] == "/console/"


def people_code():
    from tongzhou.people.commands.roles import setup_code

    return setup_code()


def test_the_next_page_is_never_another_site():
    open_desk()
    for bad in ("//evil.example", "https://evil.example", "/console/\\evil", "/elsewhere"):
        said = {"phone": STAFF["owner"], "password": "sail-together-2026", "next": bad}
        assert Client().post("/console/sign-in", said)["Location"] == "/console/"


def test_staff_is_added_and_taken_away_and_the_last_owner_stays():
    desk, client = open_desk(), sign_in("owner")
    weak = client.post(
        "/console/system", {"act": "staff", "phone": "13700000001", "name": "新人", "role": "support", "password": "1"}
    )
    assert weak.status_code == 422 and 'value="13700000001"' in weak.content.decode()
    assert client.post("/console/system", {"act": "staff", "phone": "13700000001", "name": "新人", "role": "support",
                                           "password": "a-boat-for-all-2026"}).status_code == 302  # fmt: skip
    gone = client.post("/console/system", {"act": "revoke", "member": str(desk.cast.owner.id), "role": "owner"})
    assert gone.status_code == 403 and people is not None
