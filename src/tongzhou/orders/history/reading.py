"""orders.csv as documents: one per order number, in the order of time. Doubtful rows are noted, not guessed."""

import csv
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from tongzhou.kit import clock
from tongzhou.kit.money import digits, round_half_up
from tongzhou.kit.refusals import invalid
from tongzhou.orders.history.values import Document, HistoryImport, Note, Row

COLUMNS = ("order_no", "placed_at", "buyer", "kind", "refund_of", "sku", "title", "quantity", "unit_price", "currency",
           "sharer")  # fmt: skip
NEEDED = ("order_no", "placed_at", "kind", "sku", "quantity", "unit_price")
KINDS = ("sale", "refund", "adjustment")


def read(path: Path, report: HistoryImport) -> list[Document]:
    """Every document of the file, by time. *Refuses:* ``file_unreadable``, ``columns_missing``."""
    groups: dict[str, list[tuple[dict[str, str], Row, datetime]]] = {}
    for line, cells in _lines(path):
        row = _row(line, cells, report)
        if row is not None:
            groups.setdefault(cells["order_no"], []).append((cells, *row))
    out = []
    for no, members in groups.items():
        cells, _first, at = members[0]
        out.append(
            Document(no, cells["kind"], at, cells.get("buyer", ""), cells.get("sharer", ""), cells.get("refund_of", ""),
                     tuple(m[1] for m in members))
        )  # fmt: skip
    return sorted(out, key=lambda d: (d.placed_at, d.kind != "sale", d.no))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            reader = csv.DictReader(file)
            missing = [c for c in NEEDED if c not in (reader.fieldnames or [])]
            if missing:
                raise invalid(
                    "columns_missing",
                    _("缺少必需的列。"),
                    field="file",
                    value=", ".join(missing),
                    rule=", ".join(COLUMNS),
                )
            for cells in reader:
                yield (
                    reader.line_num,
                    {k: (v or "").strip() for k, v in cells.items() if isinstance(k, str) and not isinstance(v, list)},
                )
    except (OSError, csv.Error) as error:
        raise invalid(
            "file_unreadable", _("打不开这个文件。"), field="file", value=path.name, rule=str(error)
        ) from None


def _row(line: int, cells: dict[str, str], report: HistoryImport) -> tuple[Row, datetime] | None:
    def refuse(column: str, code: str, reason: str, fix: str) -> None:
        report.note(Note(line, column, cells.get(column, "")[:80], code, reason, fix))

    if not cells["order_no"] or len(cells["order_no"]) > 38:
        refuse("order_no", "order_no_invalid", _("没有订单号，或太长。"), _("1 到 38 个字符。"))
        return None
    if cells["kind"] not in KINDS:
        refuse("kind", "kind_unknown", _("不认识这种记录。"), "sale, refund, adjustment")
        return None
    if cells.get("currency") and cells["currency"] != settings.CURRENCY:
        refuse("currency", "currency_mismatch", _("货币与商城的不同。"), settings.CURRENCY)
        return None
    try:
        at = datetime.fromisoformat(cells["placed_at"])
        at = at if at.tzinfo else at.replace(tzinfo=clock.mall_zone())
    except ValueError:
        refuse("placed_at", "date_invalid", _("看不懂这个时间。"), "2011-12-09T12:50:00")
        return None
    try:
        quantity, price = int(cells["quantity"]), Decimal(cells["unit_price"])
        if not price.is_finite() or abs(price) > 10**9 or abs(quantity) > 10**8:
            raise ValueError
    except (ValueError, InvalidOperation):
        refuse("quantity", "number_invalid", _("数量或单价看不懂。"), _("写成 6 和 2.55 这样。"))
        return None
    scale = 10 ** digits(settings.CURRENCY)
    amount = round_half_up(price * quantity * scale)
    if cells["kind"] != "adjustment" and price < 0:
        refuse("unit_price", "price_negative", _("单价不能是负数。"), _("退款写成 kind = refund。"))
        return None
    return Row(
        line, cells["sku"][:64], cells.get("title", "")[:200], quantity, round_half_up(price * scale), amount
    ), at
