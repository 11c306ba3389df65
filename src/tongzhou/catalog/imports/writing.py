"""From a product of a file to a product of the mall: created, updated or left alone, each in its own transaction.

An import that is interrupted has taken whole products only; the next run finds them unchanged and
goes on. What a file does not speak of (member prices, a category an operator chose) is kept.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog.commands import shelf
from tongzhou.catalog.commands.categories import create_category
from tongzhou.catalog.commands.checks import tidy
from tongzhou.catalog.commands.history import uncategorised
from tongzhou.catalog.commands.products import save_product
from tongzhou.catalog.commands.publishing import archive, publish
from tongzhou.catalog.imports import cells
from tongzhou.catalog.imports.parts import CategoryName, Format, ImportedPicture, ImportedProduct, ImportedSku, Report
from tongzhou.catalog.models import Category, ImportRowDone, Picture, PictureKind, Product, Sku, Status
from tongzhou.catalog.queries.console import console_product
from tongzhou.catalog.rules import slugify
from tongzhou.catalog.values import STAGES, ProductDraft, SkuDraft
from tongzhou.kit.actor import Actor
from tongzhou.kit.idempotency import digest, owner_of
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import Refusal
from tongzhou.suppliers import queries as suppliers
from tongzhou.suppliers.commands import ensure_supplier

CREATED, UPDATED, UNCHANGED, REFUSED = "created", "updated", "unchanged", "refused"


@dataclass(slots=True)
class Writer:
    """One run: what it writes for, and what it has looked up already."""

    fmt: Format
    supplier_code: str
    by: Actor
    at: datetime
    report: Report
    done: dict[str, ImportRowDone] = field(default_factory=dict)
    owners: dict[str, UUID] = field(default_factory=dict)
    categories: dict[tuple[CategoryName, ...], UUID] = field(default_factory=dict)
    suppliers: dict[str, UUID] = field(default_factory=dict)

    def key(self, product: ImportedProduct) -> str:
        """What a product of a file is remembered by."""
        key = f"{self.fmt.name}:{self.supplier_code}:{product.key}"
        return (
            key if len(key) <= 200 else f"{key[:150]}:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:32]}"
        )

    def look_ahead(self, products: Sequence[ImportedProduct]) -> None:
        """Two queries for a few hundred products: what was taken before, and who has their SKU codes."""
        keys = [self.key(p) for p in products]
        self.done.update({d.key: d for d in ImportRowDone.objects.filter(key__in=keys)})
        codes = [s.code for p in products for s in p.skus]
        for start in range(0, len(codes), 400):
            rows = Sku.objects.filter(code__in=codes[start : start + 400])
            self.owners.update(rows.values_list("code", "product_id"))

    def open_supplier(self, products: Sequence[ImportedProduct]) -> None:
        """Make the run's supplier before any product, so that a faulty code refuses the run and not each row."""
        if any(not p.supplier_code for p in products):
            self._supplier("", "")

    def take(self, product: ImportedProduct) -> str:
        """Write one product; what became of it."""
        if not product.skus:
            return REFUSED
        key, known = self.key(product), self.done.get(self.key(product))
        product_id = known.product_id if known else self._same_slug(product)
        self._drop_taken(product, product_id)
        if not product.skus:
            return REFUSED
        content = _content_hash(product)
        stock = {s.code: s.on_hand for s in product.skus if s.on_hand is not None}
        if known and known.content_hash == content and known.stock == stock:
            return UNCHANGED
        try:
            with transaction.atomic():
                found, outcome = self._write(product, product_id, known.stock if known else {})
                ImportRowDone.objects.bulk_create(
                    [ImportRowDone(key=key, content_hash=content, product_id=found, stock=stock, at=self.at)],
                    update_conflicts=True,
                    unique_fields=["key"],
                    update_fields=["content_hash", "product", "stock", "at"],
                )
        except Refusal as refusal:
            # What was made for it (a category, a supplier) went with its transaction.
            self.categories.clear()
            self.suppliers.clear()
            self._refused(product, refusal)
            return REFUSED
        return outcome

    def _same_slug(self, product: ImportedProduct) -> UUID | None:
        """A product that somebody made by hand, or another format brought, under the same name and supplier."""
        row = Product.objects.filter(slug=product.said.get("slug", "")).values_list("id", "supplier_id").first()
        if row is None:
            return None
        return row[0] if self.fmt.name == "tongzhou" or row[1] == self._known_supplier(product) else None

    def _known_supplier(self, product: ImportedProduct) -> UUID | None:
        found = suppliers.by_code(product.supplier_code or self.supplier_code)
        return found.id if found else None

    def _drop_taken(self, product: ImportedProduct, product_id: UUID | None) -> None:
        kept: list[ImportedSku] = []
        for sku in product.skus:
            owner = self.owners.get(sku.code)
            if owner is None or owner == product_id:
                kept.append(sku)
                continue
            self.report.refuse(
                sku.line, self.fmt.columns["code"], sku.code, "sku_code_taken", _("这个 SKU 编码已经有别的商品在用。"),
                _("换一个编码；编码在整个商城里不能重复。"),
            )  # fmt: skip
        product.skus = kept

    def _write(self, product: ImportedProduct, product_id: UUID | None, before: dict[str, int]) -> tuple[UUID, str]:
        if product_id is None:
            draft = self._fresh_draft(product)
            saved = save_product(draft=draft, by=self.by, at=self.at)
            if product.pictures:
                self._pictures(saved.id, product.pictures, all_kinds=True)
            self._status(saved.id, product)
            return saved.id, CREATED
        have = console_product(product_id)
        draft = tidy(self._merged(product, have.draft, before))
        said = {s.code: s for s in product.skus}
        same = replace(have.draft, skus=tuple(replace(s, on_hand=None) for s in have.draft.skus)) == replace(
            draft, skus=tuple(replace(s, on_hand=None) for s in draft.skus)
        )
        levels = {s.code: s.on_hand for s in have.draft.skus}
        same = same and all(s.on_hand is None or levels.get(s.code) == s.on_hand for s in draft.skus) and bool(said)
        if not same:
            save_product(draft=draft, by=self.by, at=self.at, product_id=product_id)
        pictures = self._pictures(product_id, product.pictures, all_kinds=not product.keep_category)
        status = self._status(product_id, product)
        return product_id, UPDATED if not same or pictures or status else UNCHANGED

    def _fresh_draft(self, product: ImportedProduct) -> ProductDraft:
        said = dict(product.said)
        said.setdefault(
            "stage", STAGES[int(hashlib.sha256(product.key.encode("utf-8", "replace")).hexdigest(), 16) % 5]
        )
        if owner_of(f"slug:{said['slug']}") is not None and self.fmt.name != "tongzhou":
            said["slug"] = f"{said['slug'][:60]}-{slugify(self.supplier_code)[:30]}"
        return ProductDraft(
            category_id=self._category(product.category), supplier_id=self._supplier(product.supplier_code, product.supplier_name),
            skus=tuple(SkuDraft(code=s.code, on_hand=s.on_hand or 0, **s.said) for s in product.skus), **said,
        )  # fmt: skip

    def _merged(self, product: ImportedProduct, have: ProductDraft, before: dict[str, int]) -> ProductDraft:
        """What is there, with what the file says laid over it; a level is set only where the file's figure moved."""
        by_code = {s.code: s for s in have.skus}
        skus = []
        for sku in product.skus:
            old = by_code.get(sku.code)
            level = sku.on_hand if old is None or before.get(sku.code) != sku.on_hand else None
            if old is None:
                skus.append(SkuDraft(code=sku.code, on_hand=level or 0, **sku.said))
                continue
            new = replace(old, on_hand=level, **sku.said)
            if len(new.option_values_en) != len(new.option_values):
                new = replace(new, option_values_en=())
            if "member_price_minor" not in sku.said and (new.member_price_minor or 0) > new.list_price_minor:
                new = replace(new, member_price_minor=None)
            skus.append(new)
        out = replace(have, skus=tuple(skus), **{k: v for k, v in product.said.items() if k != "slug"})
        if len(out.option_names_en) != len(out.option_names):
            out = replace(out, option_names_en=())
        if not product.keep_category and product.category:
            out = replace(out, category_id=self._category(product.category))
        if product.supplier_code:
            out = replace(out, supplier_id=self._supplier(product.supplier_code, product.supplier_name))
        return out

    def _supplier(self, code: str, name: str) -> UUID:
        code = code or self.supplier_code
        if code not in self.suppliers:
            name = name or (str(_("导入的供应商")) if code == "import" else code)
            self.suppliers[code] = ensure_supplier(code, name, "", self.at, by=self.by)
        return self.suppliers[code]

    def _category(self, path: tuple[CategoryName, ...]) -> UUID:
        if not path:
            return uncategorised(by=self.by, at=self.at)
        if path not in self.categories:
            self.categories[path] = self._find_or_make(path)
        return self.categories[path]

    def _find_or_make(self, path: tuple[CategoryName, ...]) -> UUID:
        *above, last = path
        if last.slug:
            found = Category.objects.filter(slug=last.slug).values_list("id", flat=True).first()
        else:
            found = Category.objects.filter(name__iexact=last.name).order_by("id").values_list("id", flat=True).first()
        if found:
            return found
        slug = last.slug or cells.slug_of(last.name)
        if Category.objects.filter(slug=slug).exists() or owner_of(f"category:{slug}") is not None:
            slug = f"{slug[:70]}-{hashlib.sha256(last.name.encode('utf-8', 'replace')).hexdigest()[:8]}"
        parent = self._category(tuple(above)) if above else None
        return create_category(
            slug=slug,
            name=last.name[:60],
            name_en=last.name_en[:60],
            parent_id=parent,
            position=500,
            by=self.by,
            at=self.at,
        )

    def _status(self, product_id: UUID, product: ImportedProduct) -> bool:
        """Bring the status to what a file of our own says; other files' products stay as they are."""
        if not product.status:
            return False
        now = Product.objects.filter(id=product_id).values_list("status", flat=True).get()
        if product.status == now:
            return False
        if product.status == Status.PUBLISHED:
            publish(product_ids=[product_id], by=self.by, at=self.at)
        elif product.status == Status.ARCHIVED:
            archive(product_ids=[product_id], by=self.by, at=self.at)
        else:
            return False
        return True

    def _pictures(self, product_id: UUID, wanted: Sequence[ImportedPicture], *, all_kinds: bool) -> bool:
        """Make a product's pictures those of the file; True when that changed something.

        A file that only knows URLs replaces only URLs: pictures that operators uploaded since stay.
        """
        rows = [row for picture in wanted if (row := self._picture(product_id, picture))]
        have = Picture.objects.filter(product_id=product_id).order_by("position", "id")
        if not all_kinds:
            have = have.filter(kind=PictureKind.REMOTE)
        if [_same(p) for p in have] == [_same(p) for p in rows]:
            return False
        have.delete()
        first = max(Picture.objects.filter(product_id=product_id).values_list("position", flat=True), default=-1) + 1
        for i, row in enumerate(rows):
            row.position = first + i
        Picture.objects.bulk_create(rows)
        shelf.refresh([product_id])
        return True

    def _picture(self, product_id: UUID, said: ImportedPicture) -> Picture | None:
        row = Picture(
            id=new_id(), product_id=product_id, kind=said.kind, alt=said.alt[:200], alt_en=said.alt_en[:200], at=self.at
        )
        if said.kind == PictureKind.REMOTE:
            row.source_url = said.where[:1000]
        elif said.kind == PictureKind.DRAWN:
            if not re.fullmatch(r"tz/art/[a-z0-9/_-]+\.svg", said.where):
                return None
            row.path = said.where
        else:
            found = _media(said.where)
            if found is None:
                return None
            row.path, row.widths, row.width, row.height = said.where, *found
        return row

    def _refused(self, product: ImportedProduct, refusal: Refusal) -> None:
        """A command's refusal, told per field, at the line and column of the file."""
        for error in refusal.errors or (refusal,):
            line, name = product.line, error.field
            if found := re.fullmatch(r"skus\[(\d+)\]\.(\w+)", error.field):
                line, name = product.skus[int(found[1])].line, found[2]
            column = self.fmt.columns.get(name, name)
            self.report.refuse(line, column, error.value or product.key, error.code, error.message, error.fix)


def _same(p: Picture) -> tuple[Any, ...]:
    return (p.kind, p.path, p.source_url, p.alt, p.alt_en)


def _media(stem: str) -> tuple[list[int], int, int] | None:
    """The sizes of an uploaded picture that are there, and the largest one's measures; None when its files are gone."""
    from PIL import Image

    if not re.fullmatch(r"goods/[0-9a-f]{2}/[0-9a-f]{32}", stem):
        return None
    path = Path(settings.MEDIA_ROOT) / stem
    files = {
        int(f.stem.rsplit("-", 1)[1]): f for f in path.parent.glob(f"{path.name}-*.webp") if f.stem[33:].isdecimal()
    }
    if not files:
        return None
    with Image.open(files[max(files)]) as image:
        return sorted(files), image.width, image.height


def _content_hash(product: ImportedProduct) -> str:
    """A hash of what the file says, lines and levels aside."""
    return digest(
        {
            "said": product.said, "skus": [[s.code, s.said] for s in product.skus], "status": product.status,
            "pictures": [[p.kind, p.where, p.alt, p.alt_en] for p in product.pictures],
            "category": [[c.name, c.slug, c.name_en] for c in product.category],
            "supplier": [product.supplier_code, product.supplier_name],
        }
    )  # fmt: skip
