"""Orders of an older shop (interfaces.md, orders.csv): read, matched, and written through the same books."""

from tongzhou.orders.history.values import HistoryImport, Note
from tongzhou.orders.history.work import run

__all__ = ["HistoryImport", "Note", "run"]
