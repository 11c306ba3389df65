"""Products in and out as files."""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from tongzhou.catalog import tree
from tongzhou.catalog.imports import FORMATS, exporting, reading
from tongzhou.catalog.imports.parts import Format, Report
from tongzhou.catalog.imports.writing import CREATED, UNCHANGED, UPDATED, Writer
from tongzhou.catalog.models import ImportRun
from tongzhou.catalog.values import ImportSummary
from tongzhou.kit import audit
from tongzhou.kit.actor import Actor
from tongzhou.kit.ids import new_id
from tongzhou.kit.refusals import invalid, not_found

Progress = Callable[[int, int], None]
AHEAD = 200
KEPT_NOTES = 500


def import_products(
    path: Path | str, format: str, supplier_code: str = "import", dry_run: bool = False, *, by: Actor, at: datetime,
    progress: Progress | None = None,
) -> ImportSummary:  # fmt: skip
    """Take products from a file; each in its own transaction, so that an interrupted run goes on where it was.

    New products arrive as drafts; the same file again changes nothing; a row that cannot be taken is
    reported with line, column, value, reason and fix, and the others go on. ``dry_run`` does all of
    it in one transaction that is rolled back. ``progress(done, of)`` is called per product.

    *Refuses:* ``format_unknown``, ``file_not_found``, ``file_too_large``, ``encoding_unknown``,
    ``file_empty``, ``columns_missing``, ``supplier_invalid``.
    """
    fmt = FORMATS.get(format)
    if fmt is None:
        raise invalid(
            "format_unknown", _("不认识这种文件格式。"), field="format", value=format, rule=" | ".join(sorted(FORMATS))
        )
    path, supplier_code = Path(path), supplier_code.strip().lower()
    if not dry_run:
        return _run(path, fmt, supplier_code, dry_run, by=by, at=at, progress=progress)
    try:
        with transaction.atomic():
            summary = _run(path, fmt, supplier_code, dry_run, by=by, at=at, progress=progress)
            transaction.set_rollback(True)
    finally:
        tree.forget()
    return summary


def _run(
    path: Path, fmt: Format, supplier_code: str, dry_run: bool, *, by: Actor, at: datetime, progress: Progress | None
) -> ImportSummary:
    report = Report()
    products = list(fmt.products(reading.rows(path, fmt, report), report, settings.CURRENCY))
    writer = Writer(fmt, supplier_code, by, at, report)
    writer.open_supplier(products)
    run = ImportRun(
        id=new_id(), format=fmt.name, file_name=path.name[:200], supplier_code=supplier_code[:40], actor=str(by)[:120],
        started_at=at,
    )  # fmt: skip
    ImportRun.objects.bulk_create([run])
    counts: dict[str, int] = {}
    todo = iter(products)
    while part := list(islice(todo, AHEAD)):
        writer.look_ahead(part)
        for product in part:
            outcome = writer.take(product)
            counts[outcome] = counts.get(outcome, 0) + 1
            if progress:
                progress(sum(counts.values()), len(products))
    report.refusals.sort(key=lambda n: n.line)
    report.notes.sort(key=lambda n: n.line)
    summary = ImportSummary(
        format=fmt.name, dry_run=dry_run, read=len(products), created=counts.get(CREATED, 0),
        updated=counts.get(UPDATED, 0), unchanged=counts.get(UNCHANGED, 0), refused=len(report.refusals),
        rows=report.rows, skus=sum(len(p.skus) for p in products), refusals=tuple(report.refusals),
        notes=tuple(report.notes),
    )  # fmt: skip
    _finish(run, summary, by=by, at=at)
    return summary


@transaction.atomic
def _finish(run: ImportRun, summary: ImportSummary, *, by: Actor, at: datetime) -> None:
    kept = summary.as_dict()
    kept["refusals"], kept["notes"] = kept["refusals"][:KEPT_NOTES], kept["notes"][:KEPT_NOTES]
    ImportRun.objects.filter(id=run.id).update(finished=True, summary=kept)
    counts = {k: kept[k] for k in ("read", "created", "updated", "unchanged", "refused")}
    audit.record(
        by=by, action="products.imported", subject_kind="import", subject_id=run.id, at=at, file=run.file_name, **counts
    )


def export_products(out: Path | str, *, progress: Callable[[int], None] | None = None) -> int:
    """Write every product as a file that ``--format tongzhou`` reads back the same; how many.

    *Refuses:* ``file_not_found`` when the place cannot be written.
    """
    try:
        return exporting.write(Path(out), progress)
    except OSError as error:
        raise not_found(_("写不了这个文件：%(path)s") % {"path": out}, code="file_not_found") from error
