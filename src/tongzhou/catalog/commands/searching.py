"""The verbs of search: synonyms, what people look for, and making the index anew."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import wording
from tongzhou.catalog.commands import shelf
from tongzhou.catalog.models import Product, SearchDay, Stamp, Synonym
from tongzhou.catalog.rules import clean_text
from tongzhou.catalog.tokens import normal, query_terms
from tongzhou.kit import audit, clock
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal, invalid, not_found

MOST_GROUPS = 2_000
MOST_WORDS = 12
RULE = _("每组 2 到 12 个词，一个词只在一组里")
INDEX = uuid5(
    UUID(int=0), "tokens 3: folded, heard, shelves above"
)  # changes whenever the index would hold something else
AT_ONCE = 200  # entries written in the transaction of a shelf's new name
_PLACE = "reindex"  # the stamp that says how far the worker has come
Tell = Callable[[int, int], None]


@transaction.atomic
def set_synonyms(*, groups: Sequence[Sequence[str]], by: Actor, at: datetime) -> int:
    """Write the whole list of synonym groups; returns how many. One word is in one group.

    *Refuses:* ``synonyms_invalid`` naming each group that has fewer than two words, more than twelve, a
    word without letters, or a word of another group; ``too_many_synonyms`` (2,000 groups).
    """
    if len(groups) > MOST_GROUPS:
        raise invalid(
            "too_many_synonyms", _("近义词组太多。"), field="groups", value=len(groups), rule=f"≤ {MOST_GROUPS}"
        )
    kept, errors, seen = [], [], set[str]()
    for number, group in enumerate(groups, start=1):
        words = _words(group)
        if _wrong(words, seen):
            errors.append(
                invalid(
                    "synonyms_invalid", _("第 %(n)s 组近义词不对。") % {"n": number}, field=f"groups[{number}]",
                    value=", ".join(words)[:200], rule=RULE,
                )
            )  # fmt: skip
        seen |= {normal(w) for w in words}
        kept.append(Synonym(words=words))
    if errors:
        raise Refusal("synonyms_invalid", _("近义词还差一点。"), field="groups", errors=errors)
    Synonym.objects.all().delete()
    Synonym.objects.bulk_create(kept)
    _changed()
    audit.record(
        by=by, action="search.synonyms", subject_kind="catalog", subject_id="synonyms", at=at, groups=len(kept)
    )
    return len(kept)


@transaction.atomic
def add_synonyms(*, words: Sequence[str], by: Actor, at: datetime) -> UUID:
    """One more group of words that mean the same; searches know it within seconds, nothing is indexed anew.

    *Refuses:* ``synonyms_invalid`` (as :func:`set_synonyms`, naming the words), ``too_many_synonyms``.
    """
    group, others = _words(words), list(Synonym.objects.values_list("words", flat=True)[: MOST_GROUPS + 1])
    if len(others) >= MOST_GROUPS:
        raise invalid(
            "too_many_synonyms", _("近义词组太多。"), field="words", value=len(others), rule=f"≤ {MOST_GROUPS}"
        )
    taken = {normal(w) for other in others for w in other}
    if _wrong(group, taken):
        both = [w for w in group if normal(w) in taken]
        raise invalid(
            "synonyms_invalid", _("这一组近义词不对。"), field="words", value=", ".join(both or group)[:200], rule=RULE,
            fix=_("已经在别的组里：先移走那一组，再写成一组。") if both else _("用逗号隔开，例如：番茄，西红柿。"),
        )  # fmt: skip
    row = Synonym.objects.create(words=group)
    _changed()
    audit.record(
        by=by, action="search.synonyms.added", subject_kind="catalog", subject_id="synonyms", at=at,
        words=", ".join(group),
    )  # fmt: skip
    return row.id


@transaction.atomic
def drop_synonyms(*, group_id: UUID, by: Actor, at: datetime) -> None:
    """Take a group away. *Refuses:* ``synonyms_not_found``."""
    words = Synonym.objects.filter(id=group_id).values_list("words", flat=True).first()
    if words is None or not Synonym.objects.filter(id=group_id).delete()[0]:
        raise not_found(_("这一组近义词已经不在了。"), code="synonyms_not_found")
    _changed()
    audit.record(
        by=by, action="search.synonyms.removed", subject_kind="catalog", subject_id="synonyms", at=at,
        words=", ".join(words),
    )  # fmt: skip


def _words(group: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(clean_text(w)[:40] for w in group if w.strip()))


def _wrong(words: list[str], taken: set[str]) -> bool:
    plain = {normal(w) for w in words}
    return not 2 <= len(plain) <= MOST_WORDS or not all(query_terms(w) for w in words) or bool(plain & taken)


def _changed() -> None:
    """Every process learns of it by the stamp; this one at once."""
    Stamp.objects.update_or_create(name=wording.STAMP, defaults={"mark": new_id()})
    wording.forget()
    transaction.on_commit(wording.forget)


@transaction.atomic
def remember_search(*, query: str, found: int, at: datetime) -> None:
    """Count a search of today. What has no letters, or looks like a phone, an order number or an address, is not kept."""
    text = " ".join(normal(clean_text(query)).split())[:60]
    if "@" in text or not query_terms(text) or sum(c.isdigit() for c in text) > 7:
        return
    row = {"day": clock.mall_day(at), "query": text}
    SearchDay.objects.bulk_create([SearchDay(**row)], ignore_conflicts=True)
    SearchDay.objects.filter(**row).update(times=F("times") + 1, found=found)


def index_is_current() -> bool:
    """Whether the index holds what this release would write."""
    return Stamp.objects.filter(name="search", mark=INDEX).exists()


def reindex(*, tell: Tell | None = None, batch: int = 500) -> int:
    """Write every product's entry anew, in batches; may be interrupted and run again. Returns how many."""
    total, done, last = Product.objects.count(), 0, UUID(int=0)
    while ids := list(Product.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:batch]):
        with transaction.atomic():
            shelf.refresh(ids)
        done, last = done + len(ids), ids[-1]
        if tell:
            tell(done, total)
    Stamp.objects.update_or_create(name="search", defaults={"mark": INDEX})
    return done


def reindex_due(*, at: datetime, most: int = 5_000, batch: int = 500) -> int:
    """Write up to ``most`` entries anew when the index is not current, going on where the last turn stopped.

    Whoever makes the index stale takes the place-holder away too, so a turn that was already at work starts over
    instead of calling its half current.
    """
    if index_is_current():
        return 0
    place, _new = Stamp.objects.get_or_create(name=_PLACE, defaults={"mark": UUID(int=0)})
    done, last = 0, place.mark
    while done < most:
        ids = list(Product.objects.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:batch])
        with transaction.atomic():
            shelf.refresh(ids)
            if not ids:
                if Stamp.objects.filter(name=_PLACE, mark=last).delete()[0]:
                    Stamp.objects.update_or_create(name="search", defaults={"mark": INDEX})
                return done
            if not Stamp.objects.filter(name=_PLACE, mark=last).update(mark=ids[-1]):
                return done
        done, last = done + len(ids), ids[-1]
    return done


def shelf_changed(category_ids: Sequence[UUID]) -> None:
    """Entries name the shelves above them: a few are written at once, many by the worker's next turns."""
    rows = Product.objects.filter(category_id__in=list(category_ids)).values_list("id", flat=True)
    ids = list(rows[: AT_ONCE + 1])
    if len(ids) <= AT_ONCE:
        shelf.refresh(ids)
    else:
        Stamp.objects.filter(name__in=["search", _PLACE]).delete()
