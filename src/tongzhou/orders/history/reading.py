"""orders.csv as documents: one per order number, in the order of time. Doubtful rows are noted, not guessed."""

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from tongzhou.kit import clock
from tongzhou.kit.money import digits, round_half_up
from tongzhou.kit.refusals import invalid
from tongzhou.kit.textfile import encoding_of
from tongzhou.orders.history.values import Document, HistoryImport, Note, Row

COLUMNS = ("order_no", "placed_at", "buyer", "kind", "refund_of", "sku", "title", "quantity", "unit_price", "currency",
           "sharer")  # fmt: skip
NEEDED = ("order_no", "placed_at", "kind", "sku", "quantity", "unit_price")
KINDS = ("sale", "refund", "adjustment")
LONGEST = {"order_no": 38, "buyer": 60, "sharer": 60, "sku": 64}
MOST_MINOR = 10**15
Cells = dict[str, str]
Refuse = Callable[[str, str, str, str], None]


def read(path: Path, report: HistoryImport, *, at: datetime) -> list[Document]:
    """Every document of the file, by time, sales before refunds of the same moment.

    *Refuses:* as :func:`tongzhou.kit.textfile.encoding_of`, ``columns_missing``, ``file_broken``.
    """
    found: dict[str, Document] = {}
    for line, cells in _lines(path):
        report.rows += 1
        _take(line, cells, found, report, at)
    return sorted(found.values(), key=lambda d: (d.placed_at, d.kind != "sale", d.no))


def _lines(path: Path) -> Iterator[tuple[int, Cells]]:
    encoding = encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file)
        try:
            names = [n.strip().lower() for n in next(reader, [])]
            missing = [c for c in NEEDED if c not in names]
            if missing:
                raise invalid(
                    "columns_missing", _("缺少必需的列。"), field="file", value=", ".join(missing),
                    rule=", ".join(COLUMNS), fix=_("第一行写列名。"),
                )  # fmt: skip
            places = [(c, names.index(c)) for c in COLUMNS if c in names]
            for values in reader:
                if any(values):
                    yield reader.line_num, {c: values[i].strip() if i < len(values) else "" for c, i in places}
        except csv.Error as error:
            raise invalid(
                "file_broken", _("第 %(line)d 行之后读不下去了。") % {"line": reader.line_num}, field="file",
                value=path.name, rule=str(error), fix=_("检查这一行的引号。"),
            ) from None  # fmt: skip


def _take(line: int, cells: Cells, found: dict[str, Document], report: HistoryImport, at: datetime) -> None:
    def refuse(column: str, code: str, reason: str, fix: str) -> None:
        report.note(Note(line, column, cells.get(column, "")[:80], code, reason, fix))

    placed_at = _who_and_when(cells, refuse, at)
    row = _row(line, cells, refuse) if placed_at else None
    if placed_at is None or row is None:
        return
    no, kind, buyer = cells["order_no"], cells["kind"], cells.get("buyer", "")
    document = found.get(no)
    if document is None:
        document = found[no] = Document(
            no, kind, placed_at, sys.intern(buyer), sys.intern(cells.get("sharer", "")), cells.get("refund_of", "")
        )
    elif (document.kind, document.buyer) != (kind, buyer):
        column = "kind" if document.kind != kind else "buyer"
        refuse(column, "order_inconsistent", _("同一个订单号的行说法不一。"), _("同一订单的 kind 和 buyer 要一致。"))
        return
    document.rows.append(row)


def _who_and_when(cells: Cells, refuse: Refuse, at: datetime) -> datetime | None:
    """The moment of the row, or None when it says something impossible about who, what or when."""
    for column, most in LONGEST.items():
        if len(cells.get(column, "")) > most:
            refuse(column, f"{column}_too_long", _("太长。"), _("最多 %(most)d 个字符。") % {"most": most})
            return None
    if not cells["order_no"]:
        refuse("order_no", "order_no_missing", _("没有订单号。"), _("给每个订单一个号。"))
        return None
    if cells["kind"] not in KINDS:
        refuse("kind", "kind_unknown", _("不认识这种记录。"), ", ".join(KINDS))
        return None
    if cells.get("currency") and cells["currency"] != settings.CURRENCY:
        refuse("currency", "currency_mismatch", _("货币与商城的不同。"), settings.CURRENCY)
        return None
    try:
        placed_at = datetime.fromisoformat(cells["placed_at"])
        placed_at = placed_at if placed_at.tzinfo else placed_at.replace(tzinfo=clock.mall_zone())
        later = placed_at > at
    except (ValueError, OverflowError):
        refuse("placed_at", "date_invalid", _("看不懂这个时间。"), "2011-12-09T12:50:00")
        return None
    if later or placed_at.year < 1980:
        refuse("placed_at", "date_out_of_range", _("这个时间在将来，或早于 1980 年。"), _("核对日期。"))
        return None
    return placed_at


def _row(line: int, cells: Cells, refuse: Refuse) -> Row | None:
    try:
        quantity = int(cells["quantity"])
        if abs(quantity) > 10**8:
            raise ValueError
    except ValueError:
        refuse("quantity", "number_invalid", _("数量看不懂。"), _("写成整数，例如 6。"))
        return None
    scale = 10 ** digits(settings.CURRENCY)
    try:
        price = Decimal(cells["unit_price"])
        if not price.is_finite() or abs(price * quantity * scale) > MOST_MINOR or abs(price * scale) > MOST_MINOR:
            raise ValueError
    except (ValueError, InvalidOperation):
        refuse("unit_price", "number_invalid", _("单价看不懂。"), _("写成 2.55 这样。"))
        return None
    if cells["kind"] != "adjustment" and price < 0:
        refuse("unit_price", "price_negative", _("单价不能是负数。"), _("退款写成 kind = refund。"))
        return None
    if cells["kind"] == "refund" and (quantity == 0 or not cells["sku"]):
        refuse("sku", "line_empty", _("没有编码或数量为 0。"), _("补上后再导入。"))
        return None
    amount = round_half_up(price * quantity * scale)
    sku, title = sys.intern(cells["sku"]), sys.intern(cells.get("title", "")[:200])
    return Row(line, sku, title, quantity, round_half_up(price * scale), amount)
