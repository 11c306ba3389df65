"""Every page that a page leads to, as each role, in both languages: it opens, and it is written for people."""

import html as entities
import re
from collections import deque

import pytest
from tests.cast import PASSWORD

from tongzhou.catalog import commands as catalog
from tongzhou.console.tests.desk import STAFF, open_desk, sign_in
from tongzhou.console.tests.test_money import ask
from tongzhou.console.tests.test_pages import NAMES
from tongzhou.kit import clock
from tongzhou.kit.actor import SYSTEM
from tongzhou.kit.models import AuditEntry

pytestmark = pytest.mark.django_db
MOST_PAGES = 260
SHAPES = 4  # pages of one shape (one order, another order) that are opened: enough for each state of the desk
LEFT_OUT = re.compile(r"(?s)<(script|head|code|pre|textarea|datalist|option)\b.*?</\1>|<[^>]+>")
RAW = re.compile(r"\b[a-z]+_[a-z_]+\b|\b(?:[a-z]+\.)+[a-z_]*_[a-z_]+\b|\b(?:REQUESTED|CHECKED|RELEASED|SENT|PAID|FAILED|"
                 r"REJECTED|PLACED|SHIPPED|COMPLETED|CANCELLED|APPROVED|RETURNING|REFUNDED|WITHDRAWN|DRAFT|PUBLISHED|ARCHIVED|"
                 r"ACTIVE|RETIRED|BLOCK|REVIEW|WARN|OPEN|DELAYED|APPEALED|FINAL|EXEMPT|WITHHOLD|True|False)\b")  # fmt: skip
FILES = ("/download", "/export", "/members.csv", "members?plan=")


OF_THE_FILE = {"assumptions.margin_bp", "dates.effective_at", "bill_no"}  # advice on a file names its own fields


def shape(path):
    """One address of many: ids, numbers and what is asked for taken out."""
    bare = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|TZ\d+|AS\d+|AS[0-9A-Z]+", "#", path.partition("?")[0])
    asked = sorted(p.partition("=")[0] for p in path.partition("?")[2].split("&") if p)
    return bare + "?" + "&".join(asked)


def words(html):
    """What a person reads: no code, no attribute."""
    return entities.unescape(LEFT_OUT.sub(" ", html))


def crawl(client):
    """Each page reachable from the first by links, with its text."""
    waiting, seen, opened = deque(["/console/"]), {"/console/"}, {}
    while waiting and len(seen) < 3_000:
        path = waiting.popleft()
        kind = shape(path)
        if opened.get(kind, 0) >= SHAPES or sum(opened.values()) >= MOST_PAGES:
            continue
        opened[kind] = opened.get(kind, 0) + 1
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        if "text/html" not in answer["Content-Type"]:
            continue
        html = answer.content.decode()
        yield path, html
        for link in re.findall(r'<a\s[^>]*href="([^"]+)"', html):
            link = entities.unescape(link).partition("#")[0]
            link = path.partition("?")[0] + link if link.startswith("?") else link
            if link.startswith("/console") and link not in seen and not any(f in link for f in FILES):
                seen.add(link)
                waiting.append(link)


@pytest.fixture
def desk():
    made = open_desk()
    ask(made.cast.sharer)
    catalog.remember_search(query="hammock", found=0, at=clock.now())
    catalog.add_synonyms(words=["tea", "chai"], by=SYSTEM, at=clock.now())
    assert AuditEntry.objects.exists() and PASSWORD
    return made


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("role", list(STAFF))
def test_every_page_that_a_page_leads_to_opens_and_reads_well(desk, role, language):
    pages = dict(crawl(sign_in(role, language)))
    assert len(pages) > {"owner": 60, "operator": 40, "finance": 25, "support": 10}[role], len(pages)
    wrong = {}
    for path, html in pages.items():
        text = words(html)
        found = set(RAW.findall(text)) - OF_THE_FILE
        if language == "en":
            chinese = re.findall(r"[\u4e00-\u9fff]{2,}", text)
            found |= {w for w in chinese if not any(n in w or w in n for n in NAMES)}
        if found:
            wrong[path] = sorted(found)[:8]
    assert not wrong, "\n".join(f"{p}: {w}" for p, w in wrong.items())
