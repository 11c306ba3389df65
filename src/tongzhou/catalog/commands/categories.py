"""The category tree."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import tree
from tongzhou.catalog.commands import searching
from tongzhou.catalog.models import Category, Product
from tongzhou.catalog.rules import SLUG, clean_text
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import take
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal, conflict, invalid, not_found

MOST_DEPTH = 4


def _check(slug: str, name: str, name_en: str, art: str, position: int) -> None:
    errors = []
    if not SLUG.fullmatch(slug) or len(slug) > 80:
        errors.append(
            invalid(
                "slug_invalid",
                _("网址名不合规则。"),
                field="slug",
                value=slug,
                rule=_("小写字母、数字，中间可用连字符，最多 80 个"),
            )
        )
    if not 1 <= len(name) <= 60 or len(name_en) > 60:
        errors.append(invalid("name_invalid", _("请写分类名称。"), field="name", value=name, rule=_("1 到 60 个字")))
    if len(art) > 200 or not 0 <= position <= 1_000_000:
        errors.append(invalid("choice_invalid", _("图画或位置不对。"), field="art", value=art))
    if errors:
        raise Refusal("category_invalid", _("分类资料需要改正。"), field="category", errors=errors)


@transaction.atomic
def create_category(
    *, slug: str, name: str, name_en: str = "", parent_id: UUID | None = None, position: int = 0, art: str = "",
    by: Actor, at: datetime,
) -> UUID:  # fmt: skip
    """Add a category below ``parent_id``, or at the top.

    *Refuses:* ``category_invalid`` listing each field, ``slug_taken``, ``category_not_found``, ``too_deep`` (4 levels).
    """
    slug, name, name_en = slug.strip(), clean_text(name), clean_text(name_en)
    _check(slug, name, name_en, art, position)
    category_id = new_id()
    path = _path_below(category_id, parent_id)
    if not take(f"category:{slug}", at=at, owner_id=category_id):
        raise conflict("slug_taken", _("这个网址名已经有分类在用。"), field="slug", value=slug)
    row = Category(
        id=category_id,
        slug=slug,
        name=name,
        name_en=name_en,
        parent_id=parent_id,
        position=position,
        art=art,
        path=path,
    )
    Category.objects.bulk_create([row])
    tree.changed()
    audit.record(by=by, action="category.created", subject_kind="category", subject_id=category_id, at=at, slug=slug)
    return category_id


@transaction.atomic
def save_category(
    *, category_id: UUID, name: str, name_en: str = "", parent_id: UUID | None = None, position: int = 0, art: str = "",
    by: Actor, at: datetime,
) -> None:  # fmt: skip
    """Rename, move or re-order a category; what is below it moves along.

    *Refuses:* ``category_not_found``, ``category_invalid``, ``category_loop`` (below itself), ``too_deep``.
    """
    name, name_en = clean_text(name), clean_text(name_en)
    row = Category.objects.select_for_update().filter(id=category_id).first()
    if row is None:
        raise not_found(_("没有这个分类。"), code="category_not_found")
    _check(row.slug, name, name_en, art, position)
    path = _path_below(category_id, parent_id)
    if str(category_id) in path[1:]:
        raise conflict("category_loop", _("分类不能放到自己下面。"), field="parent_id", value=parent_id)
    old, called = row.path, (row.name, row.name_en)
    Category.objects.filter(id=category_id).update(
        name=name, name_en=name_en, parent_id=parent_id, position=position, art=art, path=path
    )
    if path != old:
        _move_below(category_id, old, path)
    tree.changed()
    if path != old or (name, name_en) != called:
        searching.shelf_changed(tree.current().by_id[category_id].descendants())
    audit.record(by=by, action="category.changed", subject_kind="category", subject_id=category_id, at=at, name=name)


@transaction.atomic
def remove_category(*, category_id: UUID, by: Actor, at: datetime) -> None:
    """Take away an empty category.

    *Refuses:* ``category_not_found``, ``category_in_use`` (products or categories are in it).
    """
    row = Category.objects.filter(id=category_id).first()
    if row is None:
        raise not_found(_("没有这个分类。"), code="category_not_found")
    below = Category.objects.filter(parent_id=category_id).exists()
    if below or Product.objects.filter(category_id=category_id).exists():
        raise conflict("category_in_use", _("分类里还有商品或下级分类。"), field="category", fix=_("先把它们移走。"))
    Category.objects.filter(id=category_id).delete()
    tree.changed()
    audit.record(
        by=by, action="category.removed", subject_kind="category", subject_id=category_id, at=at, slug=row.slug
    )


def _path_below(category_id: UUID, parent_id: UUID | None) -> list[str]:
    if parent_id is None:
        return [str(category_id)]
    above = Category.objects.filter(id=parent_id).values_list("path", flat=True).first()
    if above is None:
        raise not_found(_("没有这个上级分类。"), code="category_not_found")
    if len(above) >= MOST_DEPTH:
        raise conflict("too_deep", _("分类最多四级。"), field="parent_id", value=parent_id)
    return [str(category_id), *above]


def _move_below(category_id: UUID, old: list[str], new: list[str]) -> None:
    """Rewrite the paths of everything below; the tree is small, so it is read whole."""
    moved = []
    for row in Category.objects.exclude(id=category_id):
        if str(category_id) in row.path:
            row.path = row.path[: len(row.path) - len(old)] + new
            if len(row.path) > MOST_DEPTH:
                raise conflict("too_deep", _("分类最多四级。"), field="parent_id", value=str(row.name))
            moved.append(row)
    Category.objects.bulk_update(moved, ["path"], batch_size=200)
