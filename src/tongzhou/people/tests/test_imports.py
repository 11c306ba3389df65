"""Members from a file: order of rows free, the first inviter stays, twice changes nothing."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tongzhou.kit.actor import Actor
from tongzhou.kit.models import AuditEntry, Claim
from tongzhou.kit.refusals import Refusal
from tongzhou.people import imports, queries
from tongzhou.people.models import Binding, Member

pytestmark = pytest.mark.django_db
AT = datetime(2026, 7, 14, 4, tzinfo=UTC)
BY = Actor("import", None, "cli")
FILE = """member,inviter,joined_at,name,phone
b,a,2026-01-02,小乙,13812341234
a,,2026-01-01,小甲,
b,c,,,
a,b,,,
c,zzz,,小丙,
d,d,,,
e,,not a day,,
f,,,,123
,,,,
"""


def everything():
    return Member.objects.count(), Binding.objects.count(), Claim.objects.count(), AuditEntry.objects.count()


def take(path: Path, text: str = FILE, **more):
    path.write_text(text, encoding="utf-8")
    return imports.run(path, by=BY, at=AT, **more)


def test_an_inviter_may_stand_below_and_each_refusal_has_its_reason(tmp_path):
    done = take(tmp_path / "m.csv")
    assert [(p.line, p.code) for p in done.problems] == [
        (4, "already_bound"), (5, "would_close_a_loop"), (6, "unknown_inviter"), (7, "self_binding"),
        (8, "date_invalid"), (9, "phone_invalid"), (10, "key_missing"),
    ]  # fmt: skip
    assert (done.read, done.created, done.updated, done.unchanged, done.refused) == (9, 2, 0, 0, 7)
    ids = queries.by_logins(["a", "b", "c", "+8613812341234"])
    assert ids["b"] == ids["+8613812341234"] and set(ids) == {"a", "b", "c", "+8613812341234"}
    assert dict(Binding.objects.values_list("invitee_id", "inviter_id")) == {ids["b"]: ids["a"]}


def test_the_same_file_again_and_a_dry_run_change_nothing(tmp_path):
    before = everything()
    dry = take(tmp_path / "m.csv", dry_run=True)
    assert everything() == before
    first = take(tmp_path / "m.csv")
    assert (dry.created, dry.refused, dry.problems) == (first.created, first.refused, first.problems)
    stands = everything()[:3]
    again = take(tmp_path / "m.csv")
    assert everything()[:3] == stands
    assert (again.created, again.updated, again.unchanged, again.refused) == (0, 0, 2, 7)


def test_a_phone_with_an_account_gives_it_the_key_and_no_second_one(tmp_path):
    from tongzhou.people import commands

    mine = commands.register_member(phone="+8613812341234", display_name="原名", at=AT)
    done = take(tmp_path / "m.csv", "member,phone\nb,13812341234\nx,13812341234\n")
    assert (done.updated, [p.code for p in done.problems]) == (1, ["phone_taken"])
    assert queries.by_logins(["b"]) == {"b": mine} and Member.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"), [(b"who,what\n1,2\n", "columns_missing"), (b"\xff\xff\xff", "encoding_unknown")]
)
def test_a_file_that_is_no_such_file_is_refused_whole(tmp_path, body, code):
    (tmp_path / "m.csv").write_bytes(body)
    before = everything()
    with pytest.raises(Refusal) as refused:
        imports.run(tmp_path / "m.csv", by=BY, at=AT)
    assert refused.value.code == code and everything() == before


def test_the_trust_graph_becomes_a_forest(tmp_path):
    edges = Path(__file__).parents[5] / "shared/data/trust_graph/edges.csv"
    if not edges.exists():
        pytest.skip("the trust graph is not on this machine")
    pairs = [(r["Source"], r["Target"]) for r in csv.DictReader(edges.read_text().splitlines())]
    parents: dict[str, str] = {}
    expected: Counter[str] = Counter()
    for inviter, member in pairs:
        above = inviter
        while above in parents and above != member:
            above = parents[above]
        if parents.get(member) == inviter:
            continue
        reason = "already_bound" if member in parents else "would_close_a_loop" if above == member else ""
        expected[reason] += 1
        parents.update({} if reason else {member: inviter})
    people = sorted({x for pair in pairs for x in pair})
    text = "member,inviter\n" + "".join(f"{p},\n" for p in people) + "".join(f"{m},{i}\n" for i, m in pairs)
    done = take(tmp_path / "m.csv", text)
    assert Member.objects.count() == len(people) == done.created and Binding.objects.count() == len(parents)
    assert Counter(p.code for p in done.problems) == {k: v for k, v in expected.items() if k and v}
