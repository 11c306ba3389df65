"""Translations without system gettext.

    python tools/messages.py update [ROOM …]   new Chinese texts go into each room's en django.po
    python tools/messages.py compile           django.po → django.mo (also done by `make setup`)
    python tools/messages.py check             exit 1 and say which texts have no English

Chinese is the source language; each room keeps its own `locale/en/LC_MESSAGES/django.po`.
"""

import io
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ROOT / "src" / "tongzhou"
sys.path.insert(0, str(ROOT / "src"))

from babel.messages.catalog import Catalog  # noqa: E402
from babel.messages.extract import extract  # noqa: E402
from babel.messages.mofile import write_mo  # noqa: E402
from babel.messages.pofile import read_po, write_po  # noqa: E402

KEYWORDS = {
    "_": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip


def has_chinese(text: str) -> bool:
    return any("㐀" <= c <= "鿿" for c in text)


def found_in(room: Path) -> Catalog:
    """Every translatable text of a room, from Python and templates."""
    from django.utils.translation.template import templatize

    catalog = Catalog(locale="en", project="tongzhou", charset="utf-8")
    for path in sorted([*room.rglob("*.py"), *room.rglob("templates/**/*.html"), *room.rglob("templates/**/*.txt")]):
        if {"tests", "migrations"} & set(path.parts):
            continue
        source = path.read_text(encoding="utf-8")
        if path.suffix != ".py":
            source = templatize(source, origin=str(path))
        rel = str(path.relative_to(ROOT))
        for _line, message, _comments, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS):
            parts = message if isinstance(message, tuple) else (message,)
            if any(p and has_chinese(p) for p in parts):
                catalog.add(message, locations=[(rel, 0)], context=context)
    return catalog


def rooms(names: list[str]) -> list[Path]:
    chosen = [ROOMS / n for n in names] if names else sorted(p for p in ROOMS.iterdir() if p.is_dir())
    return [room for room in chosen if any(room.rglob("*.py"))]


def po_path(room: Path) -> Path:
    return room / "locale" / "en" / "LC_MESSAGES" / "django.po"


def load(path: Path) -> Catalog:
    if not path.exists():
        return Catalog(locale="en", project="tongzhou", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="en")


def update(names: list[str]) -> int:
    for room in rooms(names):
        template, path = found_in(room), po_path(room)
        if not len(template) and not path.exists():
            continue
        known = load(path)
        known.update(template, no_fuzzy_matching=True)
        known.obsolete.clear()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, known, sort_output=True, width=118, omit_header=False, include_lineno=False)
        missing = sum(1 for m in known if m.id and not filled(m))
        print(f"{room.name}: {len(known)} texts, {missing} without English")
    return 0


def filled(message: object) -> bool:
    """Whether a text has its English. A fuzzy one has not: it is left out when compiling."""
    if message.fuzzy:  # type: ignore[attr-defined]
        return False
    text = message.string  # type: ignore[attr-defined]
    return all(text) if isinstance(text, tuple | list) else bool(text)


def compile_all() -> int:
    for room in rooms([]):
        path = po_path(room)
        if path.exists():
            out = io.BytesIO()
            write_mo(out, load(path))
            target = path.with_suffix(".mo")
            if not target.exists() or target.read_bytes() != out.getvalue():
                scratch = target.with_suffix(f".{os.getpid()}.tmp")
                scratch.write_bytes(out.getvalue())
                scratch.replace(target)
    return 0


def check() -> int:
    bad = 0
    for room in rooms([]):
        known = load(po_path(room))
        for message in found_in(room):
            if not message.id:
                continue
            have = known.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
            if have is None or not filled(have):
                bad += 1
                print(
                    f"{room.name}: no English for {message.id!r} ({', '.join(sorted({p for p, _ in message.locations}))})"
                )
    return 1 if bad else 0


if __name__ == "__main__":
    from django.conf import settings

    settings.configure(USE_I18N=True)
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    actions = {"update": lambda: update(sys.argv[2:]), "compile": compile_all, "check": check}
    if verb not in actions:
        print(__doc__)
        sys.exit(2)
    sys.exit(actions[verb]())
