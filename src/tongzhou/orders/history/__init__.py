"""Orders of an older shop (interfaces.md, orders.csv): read, matched, and written through the same books."""

from tongzhou.orders.history.exporting import write as export
from tongzhou.orders.history.values import HistoryImport, Note
from tongzhou.orders.history.work import Above, run

__all__ = ["Above", "HistoryImport", "Note", "export", "run"]
