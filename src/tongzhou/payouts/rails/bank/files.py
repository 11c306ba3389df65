"""The two files of the bank rail, pure: what is written for the bank, and what is read back.

Written: UTF-8 with BOM, CRLF, one row a payout, amounts in major units. A cell that a spreadsheet would take for a
formula gets an apostrophe before it. Read: UTF-8 or GB18030 (what banks here export), headings in Chinese or English.
"""

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from tongzhou.kit.money import plain
from tongzhou.kit.refusals import invalid
from tongzhou.payouts.values import RefusedRow

HEADINGS = ("line", "bill_no", "payee_name", "account", "amount", "currency", "purpose")
_ALIASES = {
    "bill_no": "bill_no", "单号": "bill_no", "商户单号": "bill_no", "amount": "amount", "金额": "amount",
    "result": "result", "结果": "result", "状态": "result", "reason": "reason", "原因": "reason", "失败原因": "reason",
    "txn": "txn", "流水号": "txn", "银行流水号": "txn",
}  # fmt: skip
_RESULTS = {
    "paid": "paid", "success": "paid", "成功": "paid", "交易成功": "paid", "failed": "failed", "fail": "failed",
    "失败": "failed", "交易失败": "failed", "returned": "returned", "退票": "returned", "已退票": "returned",
}  # fmt: skip
MOST_BYTES, MOST_ROWS = 5_000_000, 20_000


@dataclass(frozen=True, slots=True)
class FileRow:
    """One payout as the bank reads it."""

    bill_no: str
    name: str
    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One row of a results file whose form is right."""

    line: int
    bill_no: str
    amount: str
    result: str
    reason: str
    txn: str


def cell(text: str) -> str:
    """A cell no spreadsheet executes."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write(rows: Iterable[FileRow], *, currency: str, purpose: str) -> bytes:
    """The file; the same rows give the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for line, row in enumerate(rows, start=1):
        amount = plain(row.amount_minor, currency)
        writer.writerow([line, row.bill_no, cell(row.name), cell(row.account), amount, currency, cell(purpose)])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def sha256(data: bytes) -> str:
    """What both people look at."""
    return hashlib.sha256(data).hexdigest()


def read(data: bytes) -> tuple[list[ResultRow], list[RefusedRow]]:
    """The rows of a results file, and those whose form is wrong. *Refuses:* ``results_unreadable`` as a whole."""
    try:
        reader = iter(list(csv.reader(io.StringIO(_text(data)))))
    except csv.Error as error:
        raise invalid("results_unreadable", _("结果文件不是 CSV。"), field="file", rule=str(error)) from None
    head = [_ALIASES.get(h.strip().lstrip("\ufeff").lower(), "") for h in next(reader, [])]
    if not {"bill_no", "amount", "result"} <= set(head):
        raise invalid(
            "results_unreadable", _("结果文件缺少列。"), field="file", rule="bill_no (单号), amount (金额), result (结果)",
            fix=_("第一行写列名，reason (原因) 和 txn (流水号) 可以没有。"),
        )  # fmt: skip
    good: list[ResultRow] = []
    bad: list[RefusedRow] = []
    for line, cells in enumerate(reader, start=2):
        if not any(c.strip() for c in cells):
            continue
        if len(good) + len(bad) >= MOST_ROWS:
            raise invalid("results_unreadable", _("结果文件太长。"), field="file", rule=f"≤ {MOST_ROWS}")
        row = {name: value.strip().lstrip("'") for name, value in zip(head, cells, strict=False) if name}
        result = _RESULTS.get(row.get("result", "").lower(), "")
        if not row.get("bill_no"):
            bad.append(RefusedRow(line, "bill_no", "", _("没有单号。"), _("补上导出文件里的单号。")))
        elif not result:
            bad.append(
                RefusedRow(line, "result", row.get("result", ""), _("结果看不懂。"), _("写 成功、失败 或 退票。"))
            )
        else:
            good.append(
                ResultRow(
                    line, row["bill_no"], row.get("amount", ""), result, row.get("reason", ""), row.get("txn", "")
                )
            )
    return good, bad


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise invalid("results_unreadable", _("结果文件太大。"), field="file", rule=f"≤ {MOST_BYTES} B")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise invalid("results_unreadable", _("结果文件不是文本。"), field="file", rule="UTF-8, GB18030")
