"""Which snapshots of order lines were booked for their suppliers already."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from tongzhou.suppliers.models import SuppliedSeen


def newest_only(versions: Mapping[UUID, int]) -> set[UUID]:
    """The lines whose given version is newer than what was booked."""
    if not versions:
        return set()
    seen = dict(SuppliedSeen.objects.filter(line_id__in=versions).values_list("line_id", "version"))
    return {line for line, version in versions.items() if version > seen.get(line, 0)}


def remember(rows: Sequence[tuple[UUID, UUID, int]]) -> None:
    """(line, supplier, version) that are booked now."""
    SuppliedSeen.objects.bulk_create(
        [SuppliedSeen(line_id=line, supplier_id=supplier, version=version) for line, supplier, version in rows],
        update_conflicts=True, unique_fields=["line_id"], update_fields=["version"],
    )  # fmt: skip
